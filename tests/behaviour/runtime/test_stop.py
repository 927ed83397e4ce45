"""A run that somebody stops ends at once, in both styles, and can go on later."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from orchestrator.history import HasEnded, NoSuchRun
from orchestrator.redrive import unfinished_runs
from orchestrator.stop import STOPPED, stop_run
from services.runtime import sql
from tests.behaviour.cli.typed import error_line
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.redriving import Slow, brigade, redrive

STYLES = ("orchestrated", "choreographed")

pytestmark = pytest.mark.usefixtures("no_patience", "no_runs")


@pytest.mark.parametrize("style", STYLES)
async def test_a_run_is_stopped_and_goes_on_when_it_is_redriven(snack_bar: Floor, style: str) -> None:
    slow = Slow(snack_bar, "chopper")
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        await snack_bar.until(slow.begun.is_set)
        stop_run(snack_bar.aws, snack_bar.connection, run_id)
        run = await snack_bar.ended(run_id)
        assert (run["status"], run["cause"]) == ("FAILED", "stopped by request")
        assert unfinished_runs(snack_bar.connection) == []
        slow.go.set()
        await snack_bar.settled()
        assert snack_bar.attempts(run_id, "server") == []
        if style == "orchestrated":
            # ABORTED on AWS; LocalStack fails the Map of a stopped execution, and with it the execution.
            assert snack_bar.execution(run_id)["status"] in ("ABORTED", "FAILED")
        redrive(snack_bar, run_id)
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert (run["status"], run["cause"], run["generation"]) == ("SUCCEEDED", None, 2)
    # What was at work when the run was stopped has answered: its answer counts.
    assert all(outcome == "done" for *_, outcome, _ in snack_bar.attempts(run_id, "chopper"))
    assert snack_bar.attempts(run_id, "server") == [("-", 1, "done", None)]


async def test_what_is_at_work_in_one_style_leads_on_in_the_other(snack_bar: Floor) -> None:
    """Its message asks for the answer by a task token that nobody waits for any more."""
    slow = Slow(snack_bar, "chopper")
    run_id = snack_bar.start("orchestrated")
    claimed = "SELECT FROM steps WHERE run_id = %(run_id)s AND component = 'chopper' AND state = 'claimed'"
    async with snack_bar.working(concurrency=2):
        await snack_bar.until(lambda: len(snack_bar.rows(claimed, run_id=run_id)) == 2)
        stop_run(snack_bar.aws, snack_bar.connection, run_id)
        redrive(snack_bar, run_id, "choreographed")
        slow.go.set()
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert (run["status"], run["style"]) == ("SUCCEEDED", "choreographed")
    assert all(attempt == 1 for _, attempt, *_ in snack_bar.attempts(run_id, "chopper"))


async def test_a_sweep_that_finds_the_stopped_execution_does_not_make_it_look_lost(
    snack_bar: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be redriven with the unfinished ones, though somebody wanted it to end."""
    run_id = snack_bar.start("orchestrated")
    stop_execution = snack_bar.aws.stepfunctions.stop_execution

    def stop_and_sweep(**asked: Any) -> Any:
        answer = stop_execution(**asked)
        failed = {"run_id": run_id, "cause": "its execution is ABORTED: Stopped: stopped by request"}
        snack_bar.connection.execute(sql.FAIL_RUN.encode(), failed)
        return answer

    monkeypatch.setattr(snack_bar.aws.stepfunctions, "stop_execution", stop_and_sweep)
    stop_run(snack_bar.aws, snack_bar.connection, run_id)
    assert (await snack_bar.ended(run_id))["cause"] == STOPPED
    assert unfinished_runs(snack_bar.connection) == []


@pytest.mark.parametrize("style", STYLES)
async def test_the_last_step_of_a_stopped_run_does_not_count(snack_bar: Floor, style: str) -> None:
    """It was at work when the run was stopped, and would have ended it."""
    slow = Slow(snack_bar, "server")
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        await snack_bar.until(slow.begun.is_set)
        stop_run(snack_bar.aws, snack_bar.connection, run_id)
        slow.go.set()
        await snack_bar.settled()
        run = await snack_bar.ended(run_id)
    assert (run["status"], run["cause"]) == ("FAILED", "stopped by request")


async def test_an_execution_that_is_not_there_keeps_no_run_alive(snack_bar: Floor) -> None:
    run_id = snack_bar.start("orchestrated")
    stop_run(snack_bar.aws, snack_bar.connection, snack_bar.start("orchestrated"))
    gone = f"{snack_bar.execution(run_id)['executionArn']}-gone"
    snack_bar.connection.execute("UPDATE runs SET execution = %s WHERE run_id = %s", (gone, run_id))
    stop_run(snack_bar.aws, snack_bar.connection, run_id)
    assert (await snack_bar.ended(run_id))["cause"] == "stopped by request"


async def test_what_has_ended_is_not_stopped(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    stop_run(snack_bar.aws, snack_bar.connection, run_id)
    with pytest.raises(HasEnded, match=f"run {run_id} has FAILED already: there is nothing to stop"):
        stop_run(snack_bar.aws, snack_bar.connection, run_id)
    with pytest.raises(NoSuchRun, match="there is no run 'r0': `brigade runs` lists them"):
        stop_run(snack_bar.aws, snack_bar.connection, "r0")


async def test_the_command(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    done = await brigade(snack_bar, "stop", run_id)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"stopped {run_id}: `brigade redrive {run_id}` goes on with it\n"
    again = await brigade(snack_bar, "stop", run_id)
    assert again.returncode == 2
    assert error_line(again) == f"run {run_id} has FAILED already: there is nothing to stop"


async def test_a_run_is_stopped_though_its_execution_cannot_be(
    snack_bar: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends by itself: its next command is not run."""
    run_id = snack_bar.start("orchestrated")

    def unreachable(**asked: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(snack_bar.aws.stepfunctions, "stop_execution", unreachable)
    stop_run(snack_bar.aws, snack_bar.connection, run_id)
    assert (await snack_bar.ended(run_id))["cause"] == STOPPED
    async with snack_bar.working():
        await snack_bar.until(lambda: snack_bar.finished_execution(run_id))
    assert snack_bar.attempts(run_id, "host") == []
