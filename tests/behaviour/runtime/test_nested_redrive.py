"""Stopping and redriving a run takes the runs along that are steps of it."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts.errors import BadData
from contracts.message import Event
from orchestrator.history import HasEnded
from orchestrator.redrive import unfinished_runs
from orchestrator.stop import STOPPED, stop_run
from services.runtime.context import Context
from tests.behaviour.runtime.dinner import answer, failing, run_of
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.redriving import Slow, redrive

STYLES = ("orchestrated", "choreographed")

both_styles = pytest.mark.parametrize("style", STYLES)

pytestmark = pytest.mark.usefixtures("no_patience")


@pytest.mark.parametrize("again", STYLES)
@both_styles
async def test_the_failed_run_is_redriven_first(dinner_party: Floor, style: str, again: str) -> None:
    dig, dinner_party.handlers["digger"] = dinner_party.handlers["digger"], failing
    run_id = dinner_party.start(style, sommelier="fetched")
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
        await dinner_party.settled()
        part = f"{run_id}-sommelier"
        cause = f"{part}: digger/- failed: BadData: no spade (`brigade history {part}`)"
        assert (run["status"], run["cause"]) == ("FAILED", f"sommelier/- failed: NestedRunFailed: {cause}")
    assert unfinished_runs(dinner_party.connection) == []
    dinner_party.handlers["digger"] = dig
    redrive(dinner_party, run_id, again)
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
        await dinner_party.settled()
    assert (run["status"], run["generation"], run["style"]) == ("SUCCEEDED", 2, again)
    nested = run_of(dinner_party, part)
    assert (nested["status"], nested["generation"], nested["style"]) == ("SUCCEEDED", 2, again)
    assert [dinner_party.attempts(part, each) for each in ("host", "chopper")] == [[], []]
    assert dinner_party.attempts(part, "fetcher") == [("-", 1, "done", None)]
    assert len(dinner_party.attempts(run_id, "chopper")) == 2


@both_styles
async def test_a_run_is_stopped_with_its_parent_and_goes_on_with_it(dinner_party: Floor, style: str) -> None:
    """Though it is redriven while the worker that waits for it has not even looked yet."""
    slow = Slow(dinner_party, "digger")
    run_id = dinner_party.start(style, sommelier="fetched")
    part = f"{run_id}-sommelier"
    async with dinner_party.working():
        await dinner_party.until(slow.begun.is_set)
        stop_run(dinner_party.aws, dinner_party.connection, run_id)
        nested = await dinner_party.ended(part)
        assert (nested["status"], nested["cause"]) == ("FAILED", f"{STOPPED}, as a part of {run_id}")
        assert unfinished_runs(dinner_party.connection) == []
        slow.go.set()
        redrive(dinner_party, run_id)
        run = await dinner_party.ended(run_id)
        if run["status"] == "FAILED":  # the worker saw the nested run stopped, just before
            redrive(dinner_party, run_id)
            run = await dinner_party.ended(run_id)
        await dinner_party.settled()
    assert run["status"] == run_of(dinner_party, part)["status"] == "SUCCEEDED"
    assert all(outcome == "done" for *_, outcome, _ in dinner_party.attempts(part, "digger"))


def one_time(handler: Any) -> Any:
    """Fails at first."""
    refusals = iter(range(1))

    def handle(inputs: Any, ctx: Context) -> Event:
        if next(refusals, None) is not None:
            raise BadData("no forks")
        answer: Event = handler(inputs, ctx)
        return answer

    return handle


async def test_the_failed_run_of_a_step_that_fell_back_is_left_alone(dinner_party: Floor) -> None:
    dinner_party.handlers["digger"] = failing
    dinner_party.handlers["diner"] = one_time(dinner_party.handlers["diner"])
    run_id = dinner_party.start("choreographed", baker="stored")
    async with dinner_party.working():
        assert (await dinner_party.ended(run_id))["cause"] == "diner/- failed: BadData: no forks"
        redrive(dinner_party, run_id)
        assert (await dinner_party.ended(run_id))["status"] == "SUCCEEDED"
    nested = run_of(dinner_party, f"{run_id}-baker")
    assert (nested["status"], nested["generation"]) == ("FAILED", 1)


async def test_a_run_whose_files_are_gone_makes_them_again(dinner_party: Floor) -> None:
    dinner_party.handlers["diner"] = one_time(dinner_party.handlers["diner"])
    run_id = dinner_party.start("choreographed", sommelier="fetched")
    part = f"{run_id}-sommelier"
    async with dinner_party.working():
        await dinner_party.ended(run_id)
        label = urlsplit(answer(dinner_party, part, "fetcher")["label"])
        file = {"Bucket": label.netloc, "Key": label.path.lstrip("/")}
        dinner_party.aws.s3.delete_object(Bucket=file["Bucket"], Key=file["Key"])
        redrive(dinner_party, run_id)
        assert (await dinner_party.ended(run_id))["status"] == "SUCCEEDED"
    assert dinner_party.aws.s3.get_object(Bucket=file["Bucket"], Key=file["Key"])["Body"].read() == part.encode()
    assert (run_of(dinner_party, part)["generation"], len(dinner_party.attempts(part, "digger"))) == (2, 1)


NESTED = """
INSERT INTO runs (run_id, parent, pipeline, style, date, request, graph, deadline, status, cause)
SELECT run_id || '-sommelier', run_id, 'cellar', style, date, request, graph, deadline, 'FAILED', %(cause)s
FROM runs WHERE run_id = %(run_id)s
"""


@pytest.mark.parametrize(
    ("cause", "own_step_failed", "unfinished"),
    [
        ("its execution does not exist any more: redrive the run", False, True),
        ("the deadline has passed; missing: digger/- (ready)", False, True),
        ("digger/- failed: BadData: no spade", True, False),
        (STOPPED, False, False),
    ],
)
async def test_a_run_is_unfinished_when_only_its_nested_run_was_lost(
    dinner_party: Floor, cause: str, own_step_failed: bool, unfinished: bool
) -> None:
    """The nested one is not there by itself: it is redriven with the other."""
    run_id = dinner_party.start("choreographed")
    connection = dinner_party.connection
    connection.execute(NESTED, {"run_id": run_id, "cause": cause})
    connection.execute("UPDATE runs SET status = 'FAILED', cause = 'sommelier failed' WHERE run_id = %s", (run_id,))
    failed = """
        INSERT INTO steps (run_id, component, item, version, position, state, error)
        VALUES (%s, %s, '-', 'v1', 1, 'failed', %s)
    """
    connection.execute(failed, (run_id, "sommelier", "NestedRunFailed"))
    if own_step_failed:
        connection.execute(failed, (f"{run_id}-sommelier", "digger", "BadData"))
    assert unfinished_runs(connection) == ([run_id] if unfinished else [])


async def test_what_cannot_be_redriven_leaves_its_nested_runs_as_they_are(dinner_party: Floor) -> None:
    run_id = dinner_party.start("choreographed")
    dinner_party.connection.execute(NESTED, {"run_id": run_id, "cause": "lost"})
    dinner_party.connection.execute("UPDATE runs SET status = 'SUCCEEDED' WHERE run_id = %s", (run_id,))
    with pytest.raises(HasEnded, match="has succeeded"):
        redrive(dinner_party, run_id)
    assert run_of(dinner_party, f"{run_id}-sommelier")["generation"] == 1
