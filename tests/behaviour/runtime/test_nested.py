"""A step that is a whole run, with real workers, in both styles."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from contracts.errors import BadData, BadRequest
from contracts.message import Event
from services.runtime import nested
from services.runtime.__main__ import compose
from services.runtime.context import Context
from services.runtime.leases import Leases
from services.runtime.nested import NestedRuns
from services.runtime.settings import Settings
from services.runtime.store import Pool, Worker, open_pool
from services.runtime.sweep import Sweep
from tests.behaviour.runtime.dinner import AS_LONG, BottleFetched, CellarDug, answer, failing, run_of
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.redriving import Slow, redrive

STYLES = ("orchestrated", "choreographed")

both_styles = pytest.mark.parametrize("style", STYLES)

pytestmark = pytest.mark.usefixtures("no_patience")


def is_under_way(floor: Floor, run_id: str) -> bool:
    return bool(floor.rows("SELECT FROM runs WHERE run_id = %(run_id)s AND status = 'RUNNING'", run_id=run_id))


def has_succeeded(floor: Floor, run_id: str) -> bool:
    return bool(floor.execution(run_id)["status"] == "SUCCEEDED")


@both_styles
async def test_the_answer_is_the_nested_run_s_last_and_nothing_is_made_twice(dinner_party: Floor, style: str) -> None:
    run_id = dinner_party.start(style, sommelier="fetched", baker="stored")
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
        await dinner_party.settled()
    assert (run["status"], run["cause"], run["degraded"]) == ("SUCCEEDED", None, False)
    labels = []
    for component in ("sommelier", "baker"):
        part = run_of(dinner_party, f"{run_id}-{component}")
        expected = ("cellar", run_id, style, "SUCCEEDED", run["date"], run["traceparent"])
        assert (
            tuple(part[name] for name in ("pipeline", "parent", "style", "status", "date", "traceparent")) == expected
        )
        request, asked = json.loads(part["request"]), json.loads(run["request"])
        assert request == {**asked, "run_id": part["run_id"], "pipeline": "cellar"}
        states = "SELECT component, item, state, attempt FROM steps WHERE run_id = %(run_id)s ORDER BY position"
        steps = [tuple(step.values()) for step in dinner_party.rows(states, run_id=part["run_id"])]
        reused = [("host", "-", "reused", 0), ("chopper", "pie", "reused", 0), ("chopper", "soup", "reused", 0)]
        assert steps == [*reused, ("digger", "-", "done", 1), ("fetcher", "-", "done", 1)]
        fetched = answer(dinner_party, part["run_id"], "fetcher")
        assert fetched["keys"] == ["pie", "soup"]
        labels.append(fetched["label"])
        assert dinner_party.attempts(run_id, component) == [("-", 1, "done", None)]
        if style == "orchestrated":
            await dinner_party.until(partial(has_succeeded, dinner_party, part["run_id"]))
    assert answer(dinner_party, run_id, "diner")["labels"] == labels
    assert len(dinner_party.attempts(run_id, "chopper")) == 2
    assert [dinner_party.dead_letters(component.name) for component, _ in dinner_party.places] == [[]] * 9


async def test_what_was_replaced_in_the_nested_run_reaches_its_parent(dinner_party: Floor) -> None:
    dinner_party.handlers["digger"] = lambda inputs, ctx: CellarDug(
        made_by=1, degraded=ctx.replaced("a shallow one", "the spade broke")
    )
    run_id = dinner_party.start("choreographed", sommelier="fetched")
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
    assert (run["status"], run["degraded"]) == ("SUCCEEDED", True)
    assert run_of(dinner_party, f"{run_id}-sommelier")["degraded"]
    replaced = {"component": "digger", "item": "-", "by": "a shallow one", "why": "the spade broke"}
    assert answer(dinner_party, run_id, "diner")["degraded"] == [replaced]


@both_styles
async def test_a_step_whose_run_failed_falls_back(dinner_party: Floor, style: str) -> None:
    dinner_party.handlers["digger"] = failing
    run_id = dinner_party.start(style, baker="stored")
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
        await dinner_party.settled()
    assert (run["status"], run["degraded"]) == ("SUCCEEDED", True)
    assert run_of(dinner_party, f"{run_id}-baker")["cause"] == "digger/- failed: BadData: no spade"
    (replaced,) = answer(dinner_party, run_id, "diner")["degraded"]
    assert replaced["why"].startswith(f"NestedRunFailed: {run_id}-baker: digger/- failed: BadData: no spade")


@both_styles
async def test_a_run_is_started_once_though_its_worker_was_lost(
    dinner_party: Floor, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, keep = Slow(dinner_party, "digger"), Leases.keep

    async def stall(leases: Leases) -> None:
        await (asyncio.Event().wait() if leases.policy.timeout == AS_LONG else keep(leases))

    run_id = dinner_party.start(style, sommelier="fetched")
    async with dinner_party.working(*all_but(dinner_party, "sommelier/fetched")), AsyncExitStack() as stack:
        with monkeypatch.context() as patch:
            patch.setattr(Leases, "keep", stall)
            (first,) = await stack.enter_async_context(dinner_party.working("sommelier/fetched"))
            first.concurrency = 1  # so that it cannot take what it has lost
            await dinner_party.until(lambda: dinner_party.attempts(run_id, "sommelier"))
        await stack.enter_async_context(dinner_party.working("sommelier/fetched"))
        await dinner_party.until(slow.begun.is_set)
        await dinner_party.until(lambda: len(dinner_party.attempts(run_id, "sommelier")) == 2)
        slow.go.set()
        run = await dinner_party.ended(run_id)
        await dinner_party.settled()
    assert run["status"] == "SUCCEEDED"
    lost, done = dinner_party.attempts(run_id, "sommelier")
    assert (lost[3], done) == ("WorkerLost", ("-", 2, "done", None))
    assert run_of(dinner_party, f"{run_id}-sommelier")["generation"] == 1
    for component in ("digger", "fetcher"):
        assert dinner_party.attempts(f"{run_id}-sommelier", component) == [("-", 1, "done", None)]


def all_but(floor: Floor, place: str) -> list[str]:
    every = [f"{component.name}/{version}" for component, version in floor.places]
    every.remove(place)
    return every


@both_styles
async def test_a_run_of_which_there_are_only_rows_is_set_going_by_the_next_attempt(
    dinner_party: Floor, style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes: a sweep that looks for its execution meanwhile does not take it for lost."""
    run_id, set_going = dinner_party.start(style, sommelier="fetched"), NestedRuns._set_going
    sweeps: list[Sweep] = []

    async def die(runs: NestedRuns, *asked: Any) -> None:
        monkeypatch.setattr(NestedRuns, "_set_going", set_going)
        long_ago = "UPDATE runs SET started_at = now() - interval '1 minute' WHERE run_id = %s"
        dinner_party.connection.execute(long_ago, (f"{run_id}-sommelier",))
        for sweep in sweeps:
            await sweep.reconcile()
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(NestedRuns, "_set_going", die)
    async with dinner_party.working() as workers:
        sweeps.extend(worker.sweep for worker in workers[:1] if worker.sweep)
        run = await dinner_party.ended(run_id)
        await dinner_party.settled()
    assert (run["status"], run["cause"]) == ("SUCCEEDED", None)
    attempts = [("-", 1, "failed", "UnexpectedError"), ("-", 2, "done", None)]
    assert dinner_party.attempts(run_id, "sommelier") == attempts
    part = run_of(dinner_party, f"{run_id}-sommelier")
    assert (part["generation"], part["style"], part["execution"] is not None) == (1, style, style == "orchestrated")


async def test_a_worker_that_is_stopped_leaves_the_waiting_to_another(dinner_party: Floor) -> None:
    """At once, though it is given time for what is in flight."""
    slow = Slow(dinner_party, "digger")
    run_id = dinner_party.start("choreographed", sommelier="fetched")
    async with dinner_party.working(*all_but(dinner_party, "sommelier/fetched")):
        async with dinner_party.working("sommelier/fetched", drain_seconds=600):
            await dinner_party.until(slow.begun.is_set)
        assert is_under_way(dinner_party, f"{run_id}-sommelier")
        async with dinner_party.working("sommelier/fetched"):
            await dinner_party.until(lambda: len(dinner_party.attempts(run_id, "sommelier")) == 2)
            slow.go.set()
            run = await dinner_party.ended(run_id)
    assert run["status"] == "SUCCEEDED"
    attempts = [("-", 1, "failed", "GivenBack"), ("-", 2, "done", None)]
    assert dinner_party.attempts(run_id, "sommelier") == attempts


@both_styles
async def test_a_run_whose_parent_has_failed_ends(dinner_party: Floor, style: str) -> None:
    slow = Slow(dinner_party, "digger")

    def break_bread(inputs: Any, ctx: Context) -> Event:
        slow.begun.wait(20)
        raise BadData("no flour")

    dinner_party.handlers["baker"] = dinner_party.fallbacks["baker"] = break_bread
    run_id = dinner_party.start(style, sommelier="fetched")
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
        part = await dinner_party.ended(f"{run_id}-sommelier")
        slow.go.set()
        await dinner_party.settled()
    assert (run["status"], run["cause"]) == ("FAILED", "baker/- failed: BadData: no flour")
    assert (part["status"], part["cause"]) == ("FAILED", f"run {run_id}, which it is part of, is FAILED")
    assert dinner_party.attempts(f"{run_id}-sommelier", "fetcher") == []


async def test_one_worker_waits_for_many(dinner_party: Floor) -> None:
    slow = Slow(dinner_party, "digger")
    parents = [dinner_party.start("choreographed", sommelier="fetched") for _ in range(6)]
    under_way = "SELECT FROM runs WHERE parent IS NOT NULL AND status = 'RUNNING'"
    async with dinner_party.working():
        await dinner_party.until(lambda: len(dinner_party.rows(under_way)) == 6)
        slow.go.set()
        runs = [await dinner_party.ended(run_id) for run_id in parents]
        await dinner_party.settled()
    assert [run["status"] for run in runs] == ["SUCCEEDED"] * 6
    labels = {answer(dinner_party, run_id, "diner")["labels"][0] for run_id in parents}
    assert len(labels) == 6


# Where it cannot be

PUBLISH = """
INSERT INTO state_machines (machine, graph, version) VALUES (%(machine)s, %(graph)s, %(version)s) ON CONFLICT DO NOTHING
"""


@pytest.fixture
def other_deployed(dinner_party: Floor) -> Iterator[dict[str, Any]]:
    """The cellar is deployed as other code has it. Gives the row of what was deployed."""
    machine = dinner_party.deployment.state_machine_arn("cellar")
    (kept,) = dinner_party.rows("SELECT * FROM state_machines WHERE machine = %(machine)s", machine=machine)
    dinner_party.connection.execute("DELETE FROM state_machines WHERE machine = %s", (machine,))
    yield kept
    dinner_party.connection.execute(PUBLISH, kept)


async def test_a_pipeline_that_is_not_deployed_as_it_is(dinner_party: Floor, other_deployed: dict[str, Any]) -> None:
    """Then it is, and the run goes on in the other style: so does its nested run."""
    run_id = dinner_party.start("orchestrated", sommelier="fetched")
    async with dinner_party.working():
        run = await dinner_party.ended(run_id)
        reason = "pipeline cellar is not deployed as it is here: run `brigade deploy`"
        assert (run["status"], run["cause"]) == ("FAILED", f"sommelier/- failed: BadRequest: {reason}")
        assert dinner_party.rows("SELECT FROM runs WHERE parent IS NOT NULL") == []
        dinner_party.connection.execute(PUBLISH, other_deployed)
        redrive(dinner_party, run_id, "choreographed")
        assert (await dinner_party.ended(run_id))["status"] == "SUCCEEDED"
    assert run_of(dinner_party, f"{run_id}-sommelier")["style"] == "choreographed"


async def test_a_worker_that_was_not_told_where_the_pipeline_is(dinner_party: Floor) -> None:
    sommelier = dinner_party.component("sommelier")
    values = {"DATABASE_URL": dinner_party.database_url, "queue_url": "q", "dead_letter_url": "d", "topic_arn": "t"}
    settings = Settings.model_validate({**values, "bucket": "b", "nested_machine": "m"})
    identity = Worker("w", "here", "fetched", 3)
    async with AsyncExitStack() as stack:
        with pytest.raises(BadRequest, match="sommelier fetched is a run of cellar: BRIGADE_NESTED_MACHINE and"):
            await compose(stack, sommelier, failing, identity, settings, None, dinner_party.pipelines)


async def test_a_version_that_is_no_run(dinner_party: Floor) -> None:
    dinner_party.handlers["baker"] = lambda inputs, ctx: BottleFetched.model_validate(ctx.run_nested())
    dinner_party.fallbacks["baker"] = failing
    run_id = dinner_party.start("choreographed")
    async with dinner_party.working():
        await dinner_party.ended(run_id)
    query = "SELECT cause FROM attempts WHERE run_id = %(run_id)s AND component = 'baker' ORDER BY fence"
    first, *_ = dinner_party.rows(query, run_id=run_id)
    assert first["cause"] == "baker own is no run of a pipeline: its contract says which versions are"


# Who ends it


@pytest.fixture
async def pool(hall: Floor) -> Any:
    async with open_pool(hall.database_url) as pool:
        yield pool


async def test_a_run_that_goes_before_its_parent_in_a_redrive_is_not_left_over(dinner_party: Floor, pool: Pool) -> None:
    run_id = dinner_party.start("choreographed")
    values = {"run_id": f"{run_id}-sommelier", "parent": run_id}
    dinner_party.connection.execute(
        """
        INSERT INTO runs (run_id, parent, pipeline, style, date, request, graph, deadline)
        SELECT %(run_id)s, %(parent)s, 'cellar', style, date, request, graph, deadline FROM runs WHERE run_id = %(parent)s
        """,
        values,
    )
    lock = "hashtextextended('brigade run ' || %(parent)s::text, 0)"
    async with pool.connection() as connection:
        await nested._end_with_parent(connection, values["run_id"], run_id)
        assert is_under_way(dinner_party, values["run_id"])
        dinner_party.connection.execute("UPDATE runs SET status = 'FAILED' WHERE run_id = %(parent)s", values)
        dinner_party.connection.execute(f"SELECT pg_advisory_lock({lock})".encode(), values)
        await nested._end_with_parent(connection, values["run_id"], run_id)
        assert is_under_way(dinner_party, values["run_id"])
        dinner_party.connection.execute(f"SELECT pg_advisory_unlock({lock})".encode(), values)
        await nested._end_with_parent(connection, values["run_id"], run_id)
        assert not is_under_way(dinner_party, values["run_id"])
