"""What cannot be served is answered with one line that says why and what to do, and leaves nothing half done."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts.errors import TransientError
from contracts.pipelines import ORDER_SIMULATION
from orchestrator.aws import Aws
from orchestrator.data import sample, store
from orchestrator.database import fetch_all
from orchestrator.history import list_runs
from orchestrator.start import STYLES, start_run
from tests.behaviour.cli.typed import error_line
from tests.behaviour.pipeline.conftest import LAST_FRIDAY, SEED, WEDNESDAY, WEEKS, Fleet, brigade

pytestmark = pytest.mark.usefixtures("story")

Change = Callable[[Fleet], object]


def sql(statement: str) -> Change:
    return lambda fleet: fleet.connection.execute(statement.encode())


def nothing(fleet: Fleet) -> None:
    """The data is good; the date is not."""


CASES: dict[str, tuple[Change, str, str]] = {
    "empty history": (
        sql("DELETE FROM history"),
        f"{WEDNESDAY}",
        r"the order history is empty: load one with 'brigade load' or make one with 'brigade sample'",
    ),
    "no menu": (
        nothing,
        "2026-12-02",
        r"no menu for week 2026-12-26: load one or choose a date before 2026-11-28",
    ),
    "a date long after the history": (nothing, "2027-05-05", r"no menu for week 2027-05-08 .* choose a date up to "),
    "a date before the history": (nothing, "2020-01-01", r"no order history before 2020-01-01: .* choose a date from "),
    "a factory with zero cap": (
        sql("UPDATE factories SET weekly_cap = 0 WHERE factory = 'B'"),
        f"{WEDNESDAY}",
        r"factory B has a weekly cap of 0 boxes: give it one above 0",
    ),
    "caps that cannot hold the volume": (
        # What was replaced just now has no earlier networks, which would stand in for those that cannot be made.
        sql("WITH replaced AS (UPDATE history SET replaced_at = now()) UPDATE factories SET weekly_cap = 10"),
        f"{WEDNESDAY}",
        r"caps cannot hold week 2026-\d\d-\d\d: factories A and B pack 20 boxes, .* tightest: [AB].*\): raise weekly_cap",
    ),
}


@pytest.fixture
def mended(fleet: Fleet) -> Iterator[None]:
    """Whatever a test does to the data is undone."""
    yield
    store(fleet.database_url, sample(WEEKS, SEED, LAST_FRIDAY), replace=True)


IN_BOTH_STYLES = ("empty history", "caps that cannot hold the volume")
"""The first fails in the first component, the second in the middle of the run."""


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("case", "style"),
    [*((case, "orchestrated") for case in CASES), *((case, "choreographed") for case in IN_BOTH_STYLES)],
)
def test_data_that_cannot_serve(fleet: Fleet, case: str, style: str) -> None:
    change, day, reason = CASES[case]
    change(fleet)
    done = brigade("run", "order-simulation", "--date", day, "--style", style)
    assert done.returncode == 1
    assert re.search(reason, error_line(done))
    assert "BadData" in error_line(done)
    run_id = done.stderr.split()[1]
    assert run_id.startswith(f"{day}-{style}-")
    nothing_is_left(fleet, run_id)


def nothing_is_left(fleet: Fleet, run_id: str) -> None:
    (run,) = fetch_all(fleet.connection, "SELECT * FROM runs WHERE run_id = %(run_id)s", {"run_id": run_id})
    assert run["status"] == "FAILED"
    assert "BadData" in run["cause"]
    assert run["ended_at"]
    for table in ("publications", "published_forecasts"):
        query = f"SELECT count(*) AS rows FROM {table} WHERE run_id = %(run_id)s"
        assert fetch_all(fleet.connection, query, {"run_id": run_id}) == [{"rows": 0}]
    claimed = "SELECT count(*) AS steps FROM steps WHERE run_id = %(run_id)s AND state = 'claimed'"
    attempts = "SELECT count(*) AS steps FROM attempts WHERE run_id = %(run_id)s AND outcome IS NULL"
    for query in (claimed, attempts):
        assert fetch_all(fleet.connection, query, {"run_id": run_id}) == [{"steps": 0}]
    if run["execution"]:
        execution = fleet.aws.stepfunctions.describe_execution(executionArn=run["execution"])
        assert execution["status"] == "FAILED"
        assert execution["error"] == "BadData"
        assert execution["cause"] in run["cause"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--style", "improvised"), "unknown style 'improvised': choose orchestrated or choreographed"),
        (("--flag", "publisher=v2"), "unknown flag 'publisher': components with versions to choose from are order-sim"),
        (("--flag", "order-simulator=v9"), "order-simulator has no version 'v9': choose one of v1, v2"),
        (("--flag", "order-simulator"), "--flag order-simulator: write COMPONENT=VERSION, as order-simulator=v2"),
        (("--flag", "=v2"), "unknown flag ''"),
    ],
)
def test_a_run_that_is_asked_for_wrongly(fleet: Fleet, options: tuple[str, ...], reason: str) -> None:
    before = runs_and_executions(fleet)
    done = brigade("run", "order-simulation", "--date", f"{WEDNESDAY}", *options)
    assert done.returncode == 2
    assert error_line(done).startswith(reason)
    assert done.stdout == ""
    assert runs_and_executions(fleet) == before


def runs_and_executions(fleet: Fleet) -> tuple[Any, int]:
    machine = fleet.deployment.state_machine_arn(ORDER_SIMULATION.name)
    executions = fleet.aws.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    return fetch_all(fleet.connection, "SELECT count(*) AS runs FROM runs"), len(executions)


@pytest.mark.parametrize("command", ["history", "logs"])
def test_an_unknown_run(fleet: Fleet, command: str) -> None:
    done = brigade(command, "yesterday")
    assert done.returncode == 2
    assert error_line(done) == "there is no run 'yesterday': `brigade runs` lists them"


def test_logs_of_an_unknown_component(fleet: Fleet) -> None:
    done = brigade("logs", "yesterday", "--component", "oven")
    assert done.returncode == 2
    assert error_line(done).startswith("unknown component 'oven': there is configurator, ")


def test_a_run_that_failed_is_printed_all_the_same(fleet: Fleet) -> None:
    """With --debug there is no traceback either: nothing went wrong here, and the worker's is in its log."""
    done = brigade("--debug", "run", "order-simulation", "--date", "2020-01-01", "--json")
    assert done.returncode == 1
    printed = json.loads(done.stdout)
    assert (printed["status"], printed["published"]) == ("FAILED", None)
    assert error_line(done) == printed["cause"]


@pytest.mark.parametrize("style", STYLES)
def test_a_run_that_cannot_be_sent_off_is_no_run_under_way(
    fleet: Fleet, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint is lost between looking the deployment up and starting."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(
        TransientError, match=r"the run could not be started: .*; check the endpoint, then start it again"
    ):
        start_run(Aws(), fleet.connection, fleet.deployment, ORDER_SIMULATION, style, WEDNESDAY, {})
    (latest,) = list_runs(fleet.connection, 1)
    assert latest["style"] == style
    assert latest["status"] == "FAILED"
    assert latest["cause"].startswith("the run could not be started: ")
