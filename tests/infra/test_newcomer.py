"""A component that is added to a pipeline is in compose, messaging and compute, without any other edit."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.component import Capacity, Component
from contracts.configurator import RunPlanned
from contracts.errors import BadRequest
from contracts.message import Command, Event
from contracts.pipeline import Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION, PIPELINES
from contracts.site_forecast import SiteForecasted
from orchestrator import compose
from orchestrator.render import CHECKOUT
from tests.infra.conftest import synthesised
from tests.infra.policies import Request, allowed, identity_statements
from tests.infra.templates import ACCOUNT, Template, arn

Json = dict[str, Any]


class ForecastWaste(Command):
    plan: RunPlanned
    forecasts: tuple[SiteForecasted, ...]


class WasteForecasted(Event):
    grams: float


WASTE = Component(
    name="waste-forecast",
    squad="compost",
    input=ForecastWaste,
    output=WasteForecasted,
    versions=("v1", "v2"),
    capacity=Capacity(cpus=0.5, memory=4096, most=7, interruptible=False),
)
"""The README's example, in two versions."""


@pytest.fixture(scope="module")
def pipelines() -> tuple[Pipeline, ...]:
    *before, publisher = ORDER_SIMULATION.flow.steps
    return (
        Pipeline(
            name="order-simulation",
            flow=Sequence((*before, WASTE, publisher)),
            schedule=ORDER_SIMULATION.schedule,
        ),
        *PIPELINES[1:],
    )


@pytest.fixture(scope="module")
def added(pipelines: tuple[Pipeline, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    return synthesised(tmp_path_factory.mktemp("added"), pipelines)


def test_compose_starts_its_workers(pipelines: tuple[Pipeline, ...]) -> None:
    texts = compose.texts(pipelines, CHECKOUT)
    before = yaml.safe_load((CHECKOUT / compose.FILE).read_text(encoding="utf-8"))["services"]
    services = yaml.safe_load(texts[compose.FILE])["services"]
    assert services.keys() - before.keys() == {"waste-forecast", "waste-forecast-v2"}
    assert {name: services[name] for name in before} == before
    assert services["waste-forecast"]["build"]["args"] == {"COMPONENT": "waste-forecast"}
    assert services["waste-forecast-v2"]["command"] == ["waste-forecast", "--version", "v2"]
    assert services["waste-forecast-v2"]["image"] == services["waste-forecast"]["image"]
    mounted = yaml.safe_load(texts[compose.EXAMPLE])["services"]
    assert {"waste-forecast", "waste-forecast-v2"} <= mounted.keys()


def test_messaging_has_its_queues_and_its_topic(added: dict[str, Template], messaging: Template) -> None:
    new = added["Messaging"].resources.keys() - messaging.resources.keys()
    assert {"TopicWasteForecast", "TopicWasteForecastPolicy"} <= new
    for queue in ("QueueWasteForecastV1", "QueueWasteForecastV2"):
        assert {queue, f"{queue}DeadLetters", f"{queue}TakesSiteForecast", f"{queue}TakesConfigurator"} <= new
    definition = added["Messaging"].of("AWS::StepFunctions::StateMachine")["StateMachineOrderSimulation"]
    assert '"waste-forecast v2"' in definition["DefinitionString"]


def test_images_has_its_repository(added: dict[str, Template]) -> None:
    names = {repository["RepositoryName"] for repository in added["Images"].of("AWS::ECR::Repository").values()}
    assert "brigade-waste-forecast" in names


def test_compute_runs_watches_and_limits_it(added: dict[str, Template], compute: Template) -> None:
    found = added["Compute"]
    services = {service["ServiceName"]: service for service in found.of("AWS::ECS::Service").values()}
    known = {service["ServiceName"] for service in compute.of("AWS::ECS::Service").values()}
    assert services.keys() - known == {"brigade-waste-forecast", "brigade-waste-forecast-v2"}
    (strategy,) = services["brigade-waste-forecast"]["CapacityProviderStrategy"]
    assert strategy["CapacityProvider"] == "FARGATE"
    alarms = {alarm["AlarmName"] for alarm in found.of("AWS::CloudWatch::Alarm").values()}
    assert {"brigade-waste-forecast-v2-dead-letters", "brigade-waste-forecast-v2-age"} <= alarms
    pages = found.of("AWS::CloudWatch::Dashboard").values()
    assert [page["DashboardName"] for page in pages if "brigade-waste-forecast-v2" in str(page["DashboardBody"])] == [
        "brigade-order-simulation"
    ]
    definitions = {each["Family"]: each for each in found.of("AWS::ECS::TaskDefinition").values()}
    assert (definitions["brigade-waste-forecast"]["Cpu"], definitions["brigade-waste-forecast"]["Memory"]) == (
        "512",
        "4096",
    )
    own = identity_statements(found, definitions["brigade-waste-forecast"]["TaskRoleArn"]["Fn::GetAtt"][0])
    assert allowed(own, Request("sqs:ReceiveMessage", arn("sqs", "brigade-waste-forecast")))
    assert allowed(own, Request("s3:GetObject", f"arn:aws:s3:::brigade-{ACCOUNT}/site-forecast/run/w1/t.parquet"))
    assert not allowed(own, Request("s3:GetObject", f"arn:aws:s3:::brigade-{ACCOUNT}/order-volume/run/-/t.parquet"))
    assert not allowed(own, Request("sqs:ReceiveMessage", arn("sqs", "brigade-publisher")))


def test_a_size_that_fargate_does_not_have_is_named(tmp_path: Path) -> None:
    larger = WASTE.model_copy(update={"capacity": Capacity(cpus=0.25, memory=4096)})
    *before, publisher = ORDER_SIMULATION.flow.steps
    pipelines = (Pipeline(name="order-simulation", flow=Sequence((*before, larger, publisher))),)
    with pytest.raises(
        BadRequest, match=r"Fargate has no 0.25 vCPU with 4096 MiB for waste-forecast: give its Capacity one of"
    ):
        synthesised(tmp_path, pipelines)
