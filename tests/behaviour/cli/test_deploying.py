"""`brigade deploy` beside code that is newer or older: a version of a component joins, and an old image starts again."""

import os
import uuid
from collections.abc import Iterator

import pytest

from contracts.order_simulator import ORDER_SIMULATOR
from contracts.pipeline import Map, Pipeline, Sequence
from contracts.pipelines import ORDER_SIMULATION
from contracts.publisher import PUBLISHER
from contracts.site_forecast import SITE_FORECAST
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import Deployment, deploy, find_deployment
from orchestrator.embedded.stack import Endpoints
from tests.behaviour.cli.typed import error_line, typed

RUN = ("run", "order-simulation", "--date", "2026-11-25")
V3 = "QueueOrderSimulatorV3"


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


def deploy_code_with(connection: Connection, *versions: str) -> Deployment:
    return deploy(Aws(), connection, (code_with(*versions),), "brigade")


def test_an_image_that_starts_again_does_not_put_its_older_routing_back(connection: Connection) -> None:
    first = typed("deploy", "--keep-newer", env=os.environ)
    assert first.stderr.startswith("deployed order-simulation, routing ")
    assert typed("deploy", "--keep-newer", env=os.environ).stderr == first.stderr
    newer = deploy_code_with(connection, "v1", "v2", "v3")
    kept = typed("deploy", "--keep-newer", env=os.environ)
    assert kept.returncode == 0
    assert kept.stderr.startswith("left as it is: other code was deployed after this, on ")
    assert find_deployment(Aws(), "brigade") == newer

    gone = typed("deploy", "--keep-newer", env={**os.environ, "AWS_ACCESS_KEY_ID": f"{uuid.uuid4().int % 10**12:012}"})
    assert gone.returncode == 2
    assert error_line(gone).endswith(
        "and its stack is gone: deploy that code again, or go back to this with `brigade deploy`"
    )

    assert typed("deploy", env=os.environ).stderr == first.stderr
    assert V3 not in find_deployment(Aws(), "brigade").outputs
    assert typed("deploy", "--keep-newer", env=os.environ).stderr == first.stderr


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
