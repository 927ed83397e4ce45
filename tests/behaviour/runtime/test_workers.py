"""Workers that stop, slow workers, several workers, and runs whose execution or deadline is gone."""

import asyncio
import json
import threading
from typing import Any

import pytest

from contracts.message import Event
from services.runtime import outgoing
from services.runtime.context import Context
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.supper import DISHES, Dish, SupperPlanned

STYLES = ("orchestrated", "choreographed")

both_styles = pytest.mark.parametrize("style", STYLES)


class Slow:
    """A chopper that takes until it is told to go on."""

    def __init__(self, floor: Floor) -> None:
        self._handler = floor.handlers["chopper"]
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.runs: list[str] = []
        floor.handlers["chopper"] = self

    def __call__(self, inputs: Any, ctx: Context) -> Event:
        self.runs.append(ctx.item)
        self.begun.set()
        self.may_end.wait()
        return self._handler(inputs, ctx)


@both_styles
async def test_a_worker_that_stops_finishes_what_is_in_flight(snack_bar: Floor, style: str) -> None:
    slow = Slow(snack_bar)
    run_id = snack_bar.start(style)
    async with snack_bar.working("host", "server"):
        async with snack_bar.working("chopper") as (worker,):
            await asyncio.to_thread(slow.begun.wait)
            worker.stopping.set()
            slow.may_end.set()
        assert [a[2] for a in snack_bar.attempts(run_id, "chopper")] == ["done"]
        async with snack_bar.working("chopper"):
            run = await snack_bar.ended(run_id)
            await snack_bar.settled()
    assert run["status"] == "SUCCEEDED"
    assert sorted(slow.runs) == sorted(DISHES)


async def test_a_worker_that_cannot_wait_gives_its_message_back_at_once(snack_bar: Floor) -> None:
    """Another one has it long before the lease of 3 s is over."""
    slow = Slow(snack_bar)
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working("host", "server"):
        async with snack_bar.working("chopper", drain_seconds=0.2):
            await asyncio.to_thread(slow.begun.wait)
        (given_back,) = snack_bar.attempts(run_id, "chopper")
        slow.may_end.set()
        async with snack_bar.working("chopper"):
            run = await snack_bar.ended(run_id)
    assert given_back[2:] == ("failed", "GivenBack")
    (taken_up,) = snack_bar.rows(_GAP, run_id=run_id)
    assert taken_up["after"].total_seconds() < 2
    assert run["status"] == "SUCCEEDED"


_GAP = """
SELECT second.started_at - first.ended_at AS after
FROM attempts first JOIN attempts second USING (run_id, component, item)
WHERE run_id = %(run_id)s AND first.error = 'GivenBack' AND second.attempt = first.attempt + 1
"""


@both_styles
async def test_a_handler_longer_than_its_lease_is_not_run_twice(snack_bar: Floor, style: str) -> None:
    """Leases last 3 s and are kept for 4, with a second worker waiting for the message; the heartbeat is of 7 s."""
    slow = Slow(snack_bar)
    run_id = snack_bar.start(style)
    async with snack_bar.working("host", "chopper", "chopper", "server"):
        await asyncio.to_thread(slow.begun.wait)
        await snack_bar.until(lambda: snack_bar.rows(_OLD, run_id=run_id))
        slow.may_end.set()
        run = await snack_bar.ended(run_id)
    assert run["status"] == "SUCCEEDED"
    assert sorted(slow.runs) == sorted(DISHES)
    assert {a[1:] for a in snack_bar.attempts(run_id, "chopper")} == {(1, "done", None)}


_OLD = """
SELECT 1 FROM attempts
WHERE run_id = %(run_id)s AND component = 'chopper' AND started_at < clock_timestamp() - interval '4 seconds'
"""


@both_styles
async def test_two_workers_share_a_queue_and_handle_each_step_once(snack_bar: Floor, style: str) -> None:
    """Neither goes on before both have begun, so that one cannot do it all."""
    chop, plan = snack_bar.handlers["chopper"], snack_bar.handlers["host"]
    together = threading.Barrier(2, timeout=4)
    firsts = iter(range(2))
    keys = [f"dish-{number}" for number in range(12)]

    def handler(inputs: Any, ctx: Context) -> Event:
        if next(firsts, None) is not None:
            together.wait()
        return chop(inputs, ctx)

    def host(inputs: Any, ctx: Context) -> Event:
        planned = plan(inputs, ctx)
        assert isinstance(planned, SupperPlanned)
        return planned.model_copy(update={"dishes": tuple(Dish(key=key, minutes=1) for key in keys)})

    snack_bar.handlers |= {"chopper": handler, "host": host}
    run_id = snack_bar.start(style)
    async with snack_bar.working("host", "chopper", "chopper", "server"):
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert run["status"] == "SUCCEEDED"
    assert snack_bar.attempts(run_id, "chopper") == [(key, 1, "done", None) for key in sorted(keys)]
    workers = snack_bar.rows(
        "SELECT DISTINCT worker FROM attempts WHERE run_id = %(run_id)s AND component = 'chopper'", run_id=run_id
    )
    assert len(workers) == 2


async def test_a_second_execution_of_a_run_gets_the_stored_answers(snack_bar: Floor) -> None:
    run_id = snack_bar.start("orchestrated")
    async with snack_bar.working():
        await snack_bar.ended(run_id)
        first = await snack_bar.until(lambda: snack_bar.finished_execution(run_id))
        again = snack_bar.aws.stepfunctions.start_execution(
            stateMachineArn=first["stateMachineArn"], name="again", input=first["input"]
        )["executionArn"]
        snack_bar.connection.execute("UPDATE runs SET execution = %s WHERE run_id = %s", (again, run_id))
        second = await snack_bar.until(lambda: snack_bar.finished_execution(run_id))
    assert first["status"] == second["status"] == "SUCCEEDED"
    assert json.loads(first["output"]) == json.loads(second["output"])
    attempts = snack_bar.rows("SELECT component FROM attempts WHERE run_id = %(run_id)s", run_id=run_id)
    assert len(attempts) == 2 + len(DISHES)


async def test_a_run_past_its_deadline_fails_naming_what_is_missing(snack_bar: Floor) -> None:
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working("host", "chopper") as (host, _):
        await snack_bar.until(lambda: len(snack_bar.attempts(run_id, "chopper")) == 2)
        await snack_bar.until(lambda: not snack_bar.waiting("chopper"))
        assert host.sweep is not None
        assert await host.sweep.fail_overdue() == 0
        snack_bar.connection.execute("UPDATE runs SET deadline = now() WHERE run_id = %s", (run_id,))
        assert await host.sweep.fail_overdue() == 1
    run = await snack_bar.ended(run_id)
    assert (run["status"], run["cause"]) == ("FAILED", "the deadline has passed; missing: server/- (waiting)")


async def test_a_run_whose_execution_was_aborted_fails_and_its_message_is_not_run(
    snack_bar: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "YOUNG", 0.5)  # seconds in which the token could still become known
    run_id = snack_bar.start("orchestrated")
    arn = snack_bar.execution(run_id)["executionArn"]
    await snack_bar.until(lambda: snack_bar.waiting("host"))
    snack_bar.aws.stepfunctions.stop_execution(executionArn=arn, error="Closed", cause="no gas")
    found = await snack_bar.until(lambda: snack_bar.finished_execution(run_id))
    async with snack_bar.working("server") as (worker,):
        assert worker.sweep is not None
        assert await worker.sweep.reconcile() == 0
        snack_bar.connection.execute(_STARTED_LONG_AGO, (run_id,))
        assert await worker.sweep.reconcile() == 1
    run = await snack_bar.ended(run_id)
    # LocalStack says ABORTED only when no task token is waited for; else it has a timeout, without a cause.
    why = found.get("cause", "no answer in time; missing: host/- (ready)")
    assert (run["status"], run["cause"]) == ("FAILED", f"its execution is {found['status']}: {found['error']}: {why}")
    async with snack_bar.working("host"):
        await snack_bar.settled()
    assert snack_bar.attempts(run_id, "host") == []
    assert snack_bar.dead_letters("host") == []


_STARTED_LONG_AGO = "UPDATE runs SET started_at = now() - interval '1 minute' WHERE run_id = %s"
