"""Alarms, dashboards and schedules, against what workers really write and commands really take."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.pipelines import PIPELINES, all_components
from infra import metrics
from infra.alarms import BAD_ENDS
from infra.dashboard import ENDS
from orchestrator import template
from orchestrator.cli.app import app
from services.runtime.telemetry import Metrics
from tests.infra.templates import Template

Json = dict[str, Any]

QUEUES = [
    (f"brigade-{template.queue_name(component, version)}", component, version)
    for component in all_components()
    for version in component.versions
]


def alarms(compute: Template) -> dict[str, Json]:
    return {alarm["AlarmName"]: alarm for alarm in compute.of("AWS::CloudWatch::Alarm").values()}


def metric_of(alarm: Json) -> Json:
    """The only one that it looks at."""
    (found,) = alarm["Metrics"]
    metric: Json = found["MetricStat"]["Metric"]
    return metric


def test_every_queue_is_watched(compute: Template) -> None:
    found = alarms(compute)
    for queue, component, version in QUEUES:
        policy = component.policy_of(version)
        dead, age = found[f"{queue}-dead-letters"], found[f"{queue}-age"]
        assert metric_of(dead)["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert metric_of(dead)["Dimensions"] == [{"Name": "QueueName", "Value": f"{queue}-dead-letters"}]
        assert dead["Threshold"] == 0
        assert metric_of(age)["MetricName"] == "ApproximateAgeOfOldestMessage"
        assert metric_of(age)["Dimensions"] == [{"Name": "QueueName", "Value": queue}]
        assert age["Threshold"] == policy.timeout + policy.heartbeat
        assert component.squad in dead["AlarmDescription"]
    assert len(found) == 2 * len(QUEUES) + len(BAD_ENDS) * len(PIPELINES)


def test_somebody_hears_of_every_alarm(compute: Template) -> None:
    (topic,) = compute.of("AWS::SNS::Topic")
    for alarm in alarms(compute).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
        assert alarm["TreatMissingData"] == "notBreaching"


def written(status: str, style: str, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str, frozenset[Any]]]:
    """Namespace, name and dimensions of what a worker writes when a run has ended."""
    Metrics("peeler", "v1").run_ended(PIPELINES[0].name, style, status, 3.5)
    line = json.loads(capsys.readouterr().out)
    for about in line["_aws"]["CloudWatchMetrics"]:
        for dimensions in about["Dimensions"]:
            for metric in about["Metrics"]:
                values = frozenset((name, line[name]) for name in dimensions)
                yield about["Namespace"], metric["Name"], values


@pytest.mark.parametrize("style", metrics.STYLES)
@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "DEGRADED"])
def test_a_run_that_ends_badly_in_either_style_is_in_its_alarm(
    compute: Template, status: str, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (counted, _) = sorted(written(status, style, capsys), key=lambda each: each[1] == "RunDuration")
    name = f"brigade-{PIPELINES[0].name}-{counted[1].removeprefix('Runs').lower()}"
    watched = {
        (
            each["MetricStat"]["Metric"]["Namespace"],
            each["MetricStat"]["Metric"]["MetricName"],
            frozenset((d["Name"], d["Value"]) for d in each["MetricStat"]["Metric"]["Dimensions"]),
        )
        for each in alarms(compute)[name]["Metrics"]
        if "MetricStat" in each
    }
    assert counted in watched
    assert len(watched) == len(metrics.STYLES)


def test_each_pipeline_has_a_page_with_its_runs_and_its_queues(compute: Template) -> None:
    pages = {page["DashboardName"]: page for page in compute.of("AWS::CloudWatch::Dashboard").values()}
    assert set(pages) == {f"brigade-{pipeline.name}" for pipeline in PIPELINES}
    for pipeline in PIPELINES:
        text = json.dumps(pages[f"brigade-{pipeline.name}"])
        for queue, component, _ in QUEUES:
            there = f'\\\\"{queue}\\\\"' in text or f'\\"{queue}\\"' in text
            assert there == (component in pipeline.components), queue
        for end in (*ENDS, "RunDuration"):
            assert end in text


def test_a_schedule_starts_what_is_due_by_a_command_that_there_is(compute: Template) -> None:
    scheduled = [pipeline for pipeline in PIPELINES if pipeline.schedule]
    schedules = compute.of("AWS::Scheduler::Schedule").values()
    assert len(schedules) == len(scheduled) > 0
    for pipeline, schedule in zip(scheduled, schedules, strict=True):
        assert pipeline.schedule
        assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
            pipeline.schedule.expression,
            "UTC",
        )
        (override,) = json.loads(schedule["Target"]["Input"])["containerOverrides"]
        assert override["name"] == "main"
        assert override["command"][:2] == ["start-due", pipeline.name]
        assert CliRunner().invoke(app, [*override["command"], "--help"]).exit_code == 0


@pytest.mark.parametrize("family", ["orchestrator", "deploy"])
def test_a_commands_container_takes_its_command(compute: Template, family: str) -> None:
    (found,) = [d for d in compute.of("AWS::ECS::TaskDefinition").values() if d["Family"] == f"brigade-{family}"]
    (container,) = found["ContainerDefinitions"]
    assert CliRunner().invoke(app, [*container["Command"], "--help"]).exit_code == 0
    variables = {each["Name"]: each["Value"] for each in compute.plain(container)["Environment"]}
    assert variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] == "true"
    assert variables["BRIGADE_PREFIX"] == "brigade"
