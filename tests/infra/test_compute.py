"""The compute stack: one service for each component and version, sized, stopped and scaled as they need it."""

import json
from typing import Any

import boto3
import pytest

from contracts.component import Component
from contracts.pipelines import all_components
from infra.workers import drain_seconds, stop_seconds
from orchestrator import template
from orchestrator.deploy import Deployment
from services.runtime.settings import Settings
from tests.infra.templates import ACCOUNT, REGION, Template, container_of, variables

Json = dict[str, Any]

WORKERS = {
    f"brigade-{template.queue_name(component, version)}": (component, version)
    for component in all_components()
    for version in component.versions
}
worker = pytest.mark.parametrize("name", WORKERS)


def service_of(compute: Template, name: str) -> Json:
    (found,) = [each for each in compute.of("AWS::ECS::Service").values() if each["ServiceName"] == name]
    return found


def test_there_is_a_service_for_each_component_and_version_and_one_for_people(compute: Template) -> None:
    names = {service["ServiceName"] for service in compute.of("AWS::ECS::Service").values()}
    assert names == {*WORKERS, "brigade-orchestrator"}


@worker
def test_a_worker_is_what_compose_starts(compute: Template, name: str) -> None:
    component, version = WORKERS[name]
    container = container_of(compute, name)
    assert container["Command"] == [component.name, "--version", version]
    assert container["Image"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/brigade-{component.name}:t1"
    assert container["HealthCheck"]["Command"] == ["CMD", "python", "-IS", "services/runtime/health.py"]


@worker
def test_it_reads_the_queues_topic_and_bucket_that_messaging_makes(
    compute: Template, messaging: Template, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    component, version = WORKERS[name]
    arns = {key: messaging.plain(output["Value"]) for key, output in messaging.body["Outputs"].items()}
    made = Deployment(arns).worker_environment(component, version)
    given = variables(container_of(compute, name))
    urls = {"BRIGADE_QUEUE_URL", "BRIGADE_DEAD_LETTER_URL", "BRIGADE_NESTED_QUEUE_URL"}
    assert urls & made.keys() == urls & given.keys()
    for variable in urls & made.keys():
        queue = made[variable].strip("<>")  # a Ref of a queue is its URL
        called = messaging.plain(messaging.of("AWS::SQS::Queue")[queue]["QueueName"])
        assert given[variable] == f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{called}"
    assert given["BRIGADE_TOPIC_ARN"] == made["BRIGADE_TOPIC_ARN"]
    assert given.get("BRIGADE_NESTED_MACHINE") == made.get("BRIGADE_NESTED_MACHINE")
    assert given["BRIGADE_BUCKET"] == made["BRIGADE_BUCKET"] == f"brigade-{ACCOUNT}"
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    assert Settings().queue_url == given["BRIGADE_QUEUE_URL"]
    assert boto3.Session().region_name == REGION


@worker
def test_a_stopping_worker_has_the_time_it_takes(compute: Template, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends its poll and its steps side by side, then what came with the poll: services/runtime/worker.py.

    A step that it gives up then is taken up by another one no later than if it had been killed: its lease is over.
    """
    component, _ = WORKERS[name]
    container = container_of(compute, name)
    for key, value in variables(container).items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    assert settings.drain_seconds == drain_seconds(component) <= component.policy.lease
    longest = max(settings.poll_seconds + 2, settings.drain_seconds) + settings.drain_seconds
    assert longest < container["StopTimeout"] == stop_seconds(component) <= 120


@pytest.mark.parametrize("lease", [1, 30, 57, 58, 300])
def test_any_lease_fits_into_what_ecs_waits_for(lease: int) -> None:
    component = all_components()[0]
    policy = component.policy.model_copy(update={"lease": lease})
    assert stop_seconds(component.model_copy(update={"policy": policy})) <= 120


@worker
def test_a_service_rolls_back_and_is_never_without_a_worker(compute: Template, name: str) -> None:
    service = service_of(compute, name)
    deployment = service["DeploymentConfiguration"]
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


@worker
def test_a_worker_runs_on_spot_where_it_may_be_interrupted(compute: Template, name: str) -> None:
    component, _ = WORKERS[name]
    (strategy,) = service_of(compute, name)["CapacityProviderStrategy"]
    expected = "FARGATE_SPOT" if component.capacity.interruptible else "FARGATE"
    assert strategy["CapacityProvider"] == expected
    assert {c.name for c in all_components() if not c.capacity.interruptible} == {"order-volume"}


def scaled(compute: Template, name: str) -> tuple[Json, Json]:
    """The scalable target of a service, and its policy."""
    for logical, target in compute.of("AWS::ApplicationAutoScaling::ScalableTarget").items():
        service = target["ResourceId"]["Fn::Join"][1][-1]["Fn::GetAtt"][0]
        if compute.of("AWS::ECS::Service")[service]["ServiceName"] == name:
            (policy,) = [
                each
                for each in compute.of("AWS::ApplicationAutoScaling::ScalingPolicy").values()
                if each["ScalingTargetId"] == {"Ref": logical}
            ]
            return target, policy["TargetTrackingScalingPolicyConfiguration"]
    raise AssertionError(f"{name} is not scaled")


@worker
def test_workers_are_as_many_as_the_backlog_asks_for(compute: Template, name: str) -> None:
    component, version = WORKERS[name]
    target, policy = scaled(compute, name)
    seldom = version in component.capacity.seldom
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0 if seldom else 1, component.capacity.most)
    assert policy["TargetValue"] == (1 if seldom else 2 * component.concurrency)
    metrics = {each["Id"]: each for each in policy["CustomizedMetricSpecification"]["Metrics"]}
    for metric in ("visible", "flying"):
        (dimension,) = metrics[metric]["MetricStat"]["Metric"]["Dimensions"]
        assert dimension == {"Name": "QueueName", "Value": name}
    assert [key for key, each in metrics.items() if each["ReturnData"]] == ["backlog_per_task"]


@pytest.mark.parametrize(
    ("visible", "flying", "tasks", "per_task"),
    [(0, 0, 1, 0), (0, 0, 0, 0), (6, 2, 2, 4), (1, 0, 0, 1), (1, 0, None, 1), (0, 1, 1, 1)],
)
def test_the_backlog_per_task_has_a_value_without_a_task(
    compute: Template, visible: int, flying: int, tasks: int | None, per_task: float
) -> None:
    """By the rules of CloudWatch's metric math; None stands for no data."""
    _, policy = scaled(compute, "brigade-order-simulator-v2")
    (expression,) = [m["Expression"] for m in policy["CustomizedMetricSpecification"]["Metrics"] if "Expression" in m]
    known: dict[str, Any] = {
        "FILL": lambda value, other: other if value is None else value,
        "IF": lambda condition, yes, no: yes if condition else no,
    }
    known |= {"visible": visible, "flying": flying, "tasks": tasks}
    assert eval(expression, {"__builtins__": {}}, known) == per_task


def test_a_version_that_is_needed_seldom_is_not_there_without_need(compute: Template) -> None:
    assert service_of(compute, "brigade-order-simulator-v2")["DesiredCount"] == 0
    assert service_of(compute, "brigade-order-simulator")["DesiredCount"] == 1


def test_no_password_is_in_the_template(compute: Template) -> None:
    for definition in compute.of("AWS::ECS::TaskDefinition").values():
        (container,) = definition["ContainerDefinitions"]
        given = variables(compute.plain(container))
        secrets = {each["Name"] for each in container["Secrets"]}
        assert {"PGUSER", "PGPASSWORD"} <= secrets
        assert not secrets & given.keys()
        assert given["DATABASE_URL"] == "postgresql:///brigade"
    (database,) = compute.of("AWS::RDS::DBInstance").values()
    assert "resolve:secretsmanager" in json.dumps(database["MasterUserPassword"])


def test_logs_are_forgotten(compute: Template) -> None:
    groups = compute.of("AWS::Logs::LogGroup").values()
    assert {group["RetentionInDays"] for group in groups} == {30}
    names = {group["LogGroupName"] for group in groups}
    assert {f"/brigade/{name.removeprefix('brigade-')}" for name in WORKERS} <= names
    (database,) = (resource for resource in compute.resources.values() if resource["Type"] == "AWS::RDS::DBInstance")
    exported = {
        f"/aws/rds/instance/{database['Properties']['DBInstanceIdentifier']}/{kind}"
        for kind in database["Properties"]["EnableCloudwatchLogsExports"]
    }
    assert exported <= names
    made = {name for name, group in compute.of("AWS::Logs::LogGroup").items() if group["LogGroupName"] in exported}
    assert made <= set(database["DependsOn"]), "RDS would make one without an end itself"


def test_nobody_connects_to_the_tasks_and_only_they_to_the_database(compute: Template) -> None:
    assert not any(group.get("SecurityGroupIngress") for group in compute.of("AWS::EC2::SecurityGroup").values())
    (rule,) = compute.of("AWS::EC2::SecurityGroupIngress").values()
    (database,) = [name for name in compute.of("AWS::EC2::SecurityGroup") if name.startswith("Database")]
    (tasks,) = [name for name in compute.of("AWS::EC2::SecurityGroup") if name.startswith("Tasks")]
    assert rule["GroupId"] == {"Fn::GetAtt": [database, "GroupId"]}
    assert rule["SourceSecurityGroupId"] == {"Fn::GetAtt": [tasks, "GroupId"]}
    assert (rule["FromPort"], rule["ToPort"]) == (5432, 5432)


def test_the_cluster_is_watched(compute: Template) -> None:
    (cluster,) = compute.of("AWS::ECS::Cluster").values()
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]


def _size(component: Component) -> tuple[str, str]:
    return f"{round(component.capacity.cpus * 1024)}", f"{component.capacity.memory}"


@worker
def test_a_task_is_as_large_as_its_component_says(compute: Template, name: str) -> None:
    (definition,) = [each for each in compute.of("AWS::ECS::TaskDefinition").values() if each["Family"] == name]
    assert (definition["Cpu"], definition["Memory"]) == _size(WORKERS[name][0])
    assert definition["RuntimePlatform"]["CpuArchitecture"] == "X86_64"
