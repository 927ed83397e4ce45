"""`brigade` beside code that is newer or older than what is deployed."""

import os
from collections.abc import Iterator

import pytest

from contracts.order_simulator import ORDER_SIMULATOR
from contracts.pipeline import Map, Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION
from contracts.publisher import PUBLISHER
from contracts.site_forecast import SITE_FORECAST
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import deploy
from orchestrator.embedded.stack import Endpoints
from tests.behaviour.cli.typed import error_line, typed

RUN = ("run", "order-simulation", "--date", "2026-11-25")


@pytest.fixture
def connection(stack: Endpoints, database_url: str, aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """An empty stack, which the environment names."""
    for name, value in {**stack.environment(), "DATABASE_URL": database_url}.items():
        if name != "AWS_ACCESS_KEY_ID":  # the account is the test's own
            monkeypatch.setenv(name, value)
    with connect(database_url) as connection:
        yield connection


def code_with(*versions: str) -> Pipeline:
    """The pipeline as code with these versions of order-simulator has it."""
    simulator = ORDER_SIMULATOR.model_copy(update={"versions": versions})
    weeks = Map((simulator, SITE_FORECAST), over="plan.weeks")
    return Pipeline(name=ORDER_SIMULATION.name, flow=Sequence((*ORDER_SIMULATION.flow.steps[:-2], weeks, PUBLISHER)))


def deploy_code_with(connection: Connection, *versions: str) -> None:
    deploy(Aws(), connection, (code_with(*versions),), "brigade")


@pytest.mark.parametrize("style", ["orchestrated", "choreographed"])
def test_a_run_whose_version_is_not_deployed_is_refused_before_anything_is_written(
    connection: Connection, style: str
) -> None:
    """This code was deployed, but older code has been since."""
    assert typed("deploy", env=os.environ).returncode == 0
    deploy_code_with(connection, "v1")
    refused = typed(*RUN, "--style", style, "--flag", "order-simulator=v2", env=os.environ)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert error_line(refused) == ("order-simulator v2 is not deployed: run `brigade deploy` with code that has it")
    assert fetch_all(connection, "SELECT run_id FROM runs") == []
