"""A run that stopped goes on where it stopped, in either style, with real workers."""

import asyncio
import json
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import psycopg
import pytest
from botocore.exceptions import EndpointConnectionError

from contracts.errors import BadRequest, TransientError
from contracts.message import Event
from orchestrator.redrive import UnderWay, redrive_run, unfinished_runs
from orchestrator.start import sending
from services.runtime.context import Context
from tests.behaviour.cli.typed import error_line
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.redriving import brigade, failed_run, redrive

STYLES = ("orchestrated", "choreographed")

GONE = "arn:aws:states:us-east-1:{}:execution:floor-snack:gone"


pytestmark = pytest.mark.usefixtures("no_patience", "no_runs")


def generation(floor: Floor, run_id: str) -> int:
    (run,) = floor.rows("SELECT generation FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    return int(run["generation"])


def served(floor: Floor, run_id: str) -> Any:
    """The last answer, without which attempt made it."""
    query = "SELECT answer FROM steps WHERE run_id = %(run_id)s AND component = 'server'"
    (step,) = floor.rows(query, run_id=run_id)
    return json.loads(step["answer"])["keys"]


@pytest.mark.parametrize("again", STYLES)
@pytest.mark.parametrize("style", STYLES)
async def test_only_what_is_not_done_is_run(snack_bar: Floor, style: str, again: str) -> None:
    run_id = await failed_run(snack_bar, style)
    redrive(snack_bar, run_id, again)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert (run["status"], run["cause"], run["style"], run["generation"]) == ("SUCCEEDED", None, again, 2)
    assert snack_bar.attempts(run_id, "host") == [("-", 1, "done", None)]
    assert snack_bar.attempts(run_id, "chopper") == [
        ("pie", 1, "failed", "BadData"),
        ("pie", 2, "done", None),
        ("soup", 1, "done", None),
    ]
    assert snack_bar.attempts(run_id, "server") == [("-", 1, "done", None)]
    assert served(snack_bar, run_id) == ["pie", "soup"]
    if again == "orchestrated":
        execution = await snack_bar.until(lambda: snack_bar.finished_execution(run_id))
        assert (execution["name"], execution["status"]) == (f"{run_id}-2", "SUCCEEDED")


async def test_attempts_are_counted_anew(snack_bar: Floor) -> None:
    """Five failures are too many for one generation, not for two."""
    chop = snack_bar.handlers["chopper"]

    def handler(inputs: Any, ctx: Context) -> Event:
        if ctx.item == "pie" and ctx.attempt <= 5:
            raise TransientError("the knife is blunt")
        return chop(inputs, ctx)

    snack_bar.handlers["chopper"] = handler
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        assert run["cause"] == "chopper/pie failed after 3 attempts: TransientError: the knife is blunt"
        redrive(snack_bar, run_id)
        run = await snack_bar.ended(run_id)
    assert run["status"] == "SUCCEEDED"
    query = "SELECT generation, attempt FROM attempts WHERE run_id = %(run_id)s AND item = 'pie' ORDER BY attempt"
    attempts = [(row["generation"], row["attempt"]) for row in snack_bar.rows(query, run_id=run_id)]
    assert attempts == [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6)]


@pytest.mark.parametrize("style", STYLES)
async def test_two_at_once_start_one_generation(snack_bar: Floor, style: str) -> None:
    """Both commands look at the run in the same moment: its row is locked until both wait for it."""
    run_id = await failed_run(snack_bar, style)
    async with snack_bar.working():
        with psycopg.connect(snack_bar.database_url) as keeper:
            keeper.execute("SELECT 1 FROM runs WHERE run_id = %s FOR UPDATE", (run_id,))
            commands = [asyncio.create_task(brigade(snack_bar, "redrive", run_id)) for _ in range(2)]
            await snack_bar.until(lambda: waiting_for_a_lock(snack_bar) == 2)
        first, second = sorted(await asyncio.gather(*commands), key=lambda done: done.returncode)
        await snack_bar.settled()
    assert first.returncode == 0, first.stderr
    if second.returncode:
        assert second.returncode == 2
        assert error_line(second).startswith((f"run {run_id} is under way", f"run {run_id} has succeeded"))
    run = await snack_bar.ended(run_id)
    assert (run["status"], run["generation"]) == ("SUCCEEDED", 2)
    assert [item[:3] for item in snack_bar.attempts(run_id, "chopper")] == [
        ("pie", 1, "failed"),
        ("pie", 2, "done"),
        ("soup", 1, "done"),
    ]
    machine = snack_bar.deployment.state_machine_arn("snack")
    executions = snack_bar.aws.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    ours = sorted(execution["name"] for execution in executions if execution["name"].startswith(run_id))
    assert ours == ([f"{run_id}-1", f"{run_id}-2"] if style == "orchestrated" else [])


def waiting_for_a_lock(floor: Floor) -> int:
    """Of redrives: one waits for the row, the other one for the first."""
    query = """
        SELECT count(*) AS waiting FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()
          AND (query LIKE '%%FROM runs WHERE run_id%%' OR query LIKE '%%pg_advisory_lock%%')
    """
    return int(floor.rows(query)[0]["waiting"])


async def test_a_run_whose_execution_is_running_is_left_alone(snack_bar: Floor) -> None:
    run_id = snack_bar.start("orchestrated")
    with pytest.raises(UnderWay, match=f"run {run_id} is under way: `brigade history {run_id}` shows where it is"):
        redrive(snack_bar, run_id)
    assert generation(snack_bar, run_id) == 1
    snack_bar.aws.stepfunctions.stop_execution(executionArn=snack_bar.execution(run_id)["executionArn"])


async def test_a_choreographed_run_under_way_gets_its_commands_again(snack_bar: Floor) -> None:
    """It stays what it is, and so does its deadline, as long as it has not passed."""
    snack_bar.clear()  # of executions of earlier tests, which still send their commands
    run_id = snack_bar.start("choreographed")
    (before,) = snack_bar.rows("SELECT deadline FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    redrive(snack_bar, run_id)
    await snack_bar.until(lambda: snack_bar.waiting("host") == 2)
    (after,) = snack_bar.rows("SELECT deadline FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    assert (generation(snack_bar, run_id), after) == (1, before)
    snack_bar.connection.execute("UPDATE runs SET deadline = now() WHERE run_id = %s", (run_id,))
    redrive(snack_bar, run_id)
    assert generation(snack_bar, run_id) == 2
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert run["status"] == "SUCCEEDED"
    assert snack_bar.attempts(run_id, "host") == [("-", 1, "done", None)]


async def test_what_is_unfinished_is_finished_after_everything_outside_the_database_was_lost(snack_bar: Floor) -> None:
    """Queues are empty, one execution was aborted and of one nothing is known; one run failed for that already."""
    lost = {style: snack_bar.start(style) for style in STYLES}
    aborted, failed = snack_bar.start("orchestrated"), snack_bar.start("orchestrated")
    await snack_bar.until(lambda: snack_bar.waiting("host") == 4)
    for run_id in (lost["orchestrated"], aborted, failed):
        execution = snack_bar.execution(run_id)["executionArn"]
        snack_bar.aws.stepfunctions.stop_execution(executionArn=execution)
        await snack_bar.until(partial(snack_bar.finished_execution, run_id))
    snack_bar.clear()
    account = snack_bar.execution(aborted)["executionArn"].split(":")[4]
    execution = (GONE.format(account), lost["orchestrated"])
    snack_bar.connection.execute("UPDATE runs SET execution = %s WHERE run_id = %s", execution)
    cause = "its execution does not exist any more: redrive the run"
    snack_bar.connection.execute("UPDATE runs SET status = 'FAILED', cause = %s WHERE run_id = %s", (cause, failed))
    runs = {*lost.values(), aborted, failed}
    assert set(unfinished_runs(snack_bar.connection)) == runs
    async with snack_bar.working():
        done = await brigade(snack_bar, "redrive", "--unfinished", "--json")
        await snack_bar.settled()
    assert done.returncode == 0, done.stderr
    assert {run["run_id"]: run["status"] for run in json.loads(done.stdout)} == dict.fromkeys(runs, "SUCCEEDED")
    generations = {run_id: generation(snack_bar, run_id) for run_id in runs}
    assert generations == {run_id: 1 if run_id == lost["choreographed"] else 2 for run_id in runs}
    for run_id in runs:
        assert snack_bar.attempts(run_id, "host") == [("-", 1, "done", None)]
        assert served(snack_bar, run_id) == ["pie", "soup"]
    assert unfinished_runs(snack_bar.connection) == []


async def test_a_run_that_failed_by_its_own_fault_is_not_unfinished(snack_bar: Floor) -> None:
    await failed_run(snack_bar, "choreographed")
    assert unfinished_runs(snack_bar.connection) == []


async def test_a_sweep_does_not_miss_an_execution_that_is_about_to_start(snack_bar: Floor) -> None:
    """The row names the execution before it is started."""
    run_id = await failed_run(snack_bar, "orchestrated")
    redrive(snack_bar, run_id)
    account = snack_bar.execution(run_id)["executionArn"].split(":")[4]
    values = (GONE.format(account), run_id)
    query = "UPDATE runs SET execution = %s, started_at = now() - interval '1 minute' WHERE run_id = %s"
    snack_bar.connection.execute(query, values)
    async with snack_bar.working("server") as (worker,):
        assert worker.sweep is not None
        assert await worker.sweep.reconcile() == 0
        snack_bar.connection.execute("UPDATE runs SET checked_at = now() - interval '1 minute'")
        assert await worker.sweep.reconcile() == 1
    assert (await snack_bar.ended(run_id))["cause"] == "its execution does not exist any more: redrive the run"


# What cannot be redriven


async def test_what_cannot_be_redriven(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        await snack_bar.ended(run_id)
        await snack_bar.settled()
    asked = {
        ("yesterday",): "there is no run 'yesterday': `brigade runs` lists them",
        (run_id,): f"run {run_id} has succeeded: start a new one with `brigade run`",
        (run_id, "--style", "improvised"): "unknown style 'improvised': choose orchestrated or choreographed",
        (): "name one run, or say --unfinished",
        (run_id, "--unfinished"): "name one run, or say --unfinished",
    }
    for arguments, reason in asked.items():
        refused = await brigade(snack_bar, "redrive", *arguments)
        assert (refused.returncode, error_line(refused), refused.stdout) == (2, reason, "")
    assert generation(snack_bar, run_id) == 1


async def test_a_component_that_is_not_deployed_any_more(snack_bar: Floor) -> None:
    """Nothing has changed then, and the run can be redriven later."""
    run_id = await failed_run(snack_bar, "choreographed")
    outputs = {name: url for name, url in snack_bar.deployment.outputs.items() if not name.startswith("QueueChopper")}
    with pytest.raises(BadRequest, match="chopper v1 is not deployed any more: deploy code that has it"):
        redrive_run(snack_bar.aws, snack_bar.connection, type(snack_bar.deployment)(outputs), run_id)
    (run,) = snack_bar.rows("SELECT status, generation FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    assert run == {"status": "FAILED", "generation": 1}
    assert snack_bar.attempts(run_id, "chopper")[0] == ("pie", 1, "failed", "BadData")
    states = "SELECT state FROM steps WHERE run_id = %(run_id)s AND item = 'pie'"
    assert snack_bar.rows(states, run_id=run_id) == [{"state": "failed"}]


async def test_a_step_at_work_is_not_waited_for(snack_bar: Floor) -> None:
    """Whoever fails it holds its row, and then wants the run's, which a redrive has."""
    run_id = snack_bar.start("choreographed")
    at_work = "UPDATE steps SET state = 'claimed', lease_until = now() + interval '1 minute' WHERE run_id = %s"
    snack_bar.connection.execute(at_work, (run_id,))
    snack_bar.connection.execute("SET lock_timeout = '1s'")
    with psycopg.connect(snack_bar.database_url) as failing:
        failing.execute("SELECT FROM steps WHERE run_id = %s FOR UPDATE", (run_id,))
        redrive(snack_bar, run_id)
    snack_bar.connection.execute("RESET lock_timeout")
    await snack_bar.until(lambda: snack_bar.waiting("host") == 2)


@pytest.mark.parametrize(
    ("became", "raised"), [("SUCCEEDED", nullcontext()), ("RUNNING", pytest.raises(TransientError))]
)
async def test_a_run_has_ended_though_the_answer_to_its_start_was_lost(
    snack_bar: Floor, became: str, raised: AbstractContextManager[object]
) -> None:
    run_id = snack_bar.start("choreographed")
    with raised, sending(snack_bar.connection, run_id):
        snack_bar.connection.execute("UPDATE runs SET status = %s WHERE run_id = %s", (became, run_id))
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    (run,) = snack_bar.rows("SELECT status FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
    assert run["status"] == {"SUCCEEDED": "SUCCEEDED", "RUNNING": "FAILED"}[became]
