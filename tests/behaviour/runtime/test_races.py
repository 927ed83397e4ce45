"""Workers that want the same rows at the same moment, on real locks."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, TypeVar

import psycopg

from contracts.component import Limit
from contracts.envelope import StepKey
from services.runtime import sql
from services.runtime.commit import Committed, commit
from services.runtime.joins import feed
from services.runtime.store import Busy, Claim, Store, Superseded, Worker, answer_parameters
from tests.behaviour.runtime.conftest import PIPELINES, MakeWorld
from tests.behaviour.runtime.supper import WashedUp
from tests.behaviour.runtime.world import World

Answer = TypeVar("Answer")

ONE, TWO = Worker("one", "here", "v1", 30), Worker("two", "here", "v1", 30)


Statement = tuple[str, dict[str, Any]]


async def meanwhile(world: World, url: str, statements: list[Statement], work: Awaitable[Answer]) -> Answer:
    """Let the work run into the locks of somebody else's transaction; then that is committed."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        for query, parameters in statements:
            await connection.execute(query.encode(), parameters)
        waiting = asyncio.ensure_future(work)
        while not await world.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not waiting.done(), "it waited for no lock"
    return await waiting


def key_of(world: World, component: str, item: str = "-") -> StepKey:
    return StepKey(run_id=world.run_id, component=component, item=item)


async def claimed(store: Store, key: StepKey, worker: Worker = ONE) -> Claim:
    claim = await store.claim(key, worker, None, "{}")
    assert isinstance(claim, Claim)
    return claim


async def test_of_many_claims_at_the_same_moment_one_is_given(new_world: MakeWorld) -> None:
    world = new_world()
    stores = [Store(world.pool) for _ in range(10)]
    found = await asyncio.gather(*(store.claim(key_of(world, "host"), ONE, None, "{}") for store in stores))
    assert sorted((type(claim) for claim in found), key=str) == [Busy] * 9 + [Claim]


async def test_of_many_claims_in_one_statement_one_is_given(new_world: MakeWorld) -> None:
    world = new_world()
    store = Store(world.pool)
    tokens = [f"token {number}" for number in range(10)]
    found = await asyncio.gather(*(store.claim(key_of(world, "host"), ONE, token, "{}") for token in tokens))
    assert [type(claim) for claim in found].count(Claim) == 1
    (row,) = await world.rows("SELECT attempt, fence, token FROM steps WHERE run_id = %(run_id)s")
    assert (row["attempt"], row["fence"]) == (1, 1)
    assert row["token"] in tokens


async def test_a_step_that_is_being_committed_keeps_no_other_lease_from_being_renewed(
    new_world: MakeWorld, url: str
) -> None:
    """Its own is renewed when that is over; whoever waits for it until then would lose all of a worker's."""
    world, other = new_world(), new_world()
    store = Store(world.pool)
    committing, waiting = await claimed(store, key_of(world, "host")), await claimed(store, key_of(other, "host"))
    await world.expire_leases()
    await other.expire_leases()
    async with await psycopg.AsyncConnection.connect(url) as connection:
        asked = {"asked": json.dumps([answer_parameters(committing, "{}")])}
        await connection.execute(sql.STORE_ANSWERS.encode(), asked)
        renewing = asyncio.ensure_future(store.extend([committing, waiting], 30))
        while not renewing.done():
            assert not await world.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        assert set(await renewing) == {committing.key, waiting.key}
        assert isinstance(await store.claim(waiting.key, TWO, None, "{}"), Busy)
    assert set(await store.extend([committing, waiting], 30)) == {waiting.key}


async def test_a_failure_does_not_take_the_step_from_whoever_is_just_claiming_it(
    new_world: MakeWorld, url: str
) -> None:
    world = new_world()
    store = Store(world.pool)
    late = await claimed(store, key_of(world, "host"))
    await world.expire_leases()
    asked = {**late.key.model_dump(), **vars(TWO), "token": None, "input": "{}"}
    failing = store.fail(late, "TransientError", "too late", Limit(errors=("TransientError",), attempts=9))
    found = await meanwhile(world, url, [(sql.CLAIM, {"asked": json.dumps([asked])})], failing)
    assert found == Superseded()
    (row,) = await world.rows("SELECT state, owner, fence FROM steps WHERE run_id = %(run_id)s")
    assert row == {"state": "claimed", "owner": "two", "fence": 2}
    rows = await world.rows("SELECT fence, error FROM attempts WHERE run_id = %(run_id)s ORDER BY fence")
    assert [tuple(row.values()) for row in rows] == [(1, "WorkerLost"), (2, None)]


async def test_a_repeat_that_waits_for_the_rows_of_another_finds_what_that_one_fed(
    new_world: MakeWorld, url: str
) -> None:
    """Two deliveries of one message at the same moment: the first may crash when the second has deleted it."""
    world = new_world()
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one")
    event = key_of(world, "host")
    parameters = {"run_id": world.run_id, "component": "sommelier", "version": "v1"}
    parameters |= {"event": event.id, "producer": event.local}
    found = await meanwhile(world, url, [(sql.FEED, parameters)], feed(world.pool, event, "sommelier", "v1"))
    assert [key.local for key in found] == ["sommelier/-"]


async def test_two_events_that_complete_a_join_at_the_same_moment_start_it_once(new_world: MakeWorld) -> None:
    world = new_world()
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one")
    await finish(world, "chopper/pie", "chopper/soup", "cook/pie", "cook/soup")
    events = [key_of(world, "cook", item) for item in ("pie", "soup")]
    found = await asyncio.gather(*(feed(world.pool, event, "saucier", "v1") for event in events))
    assert sorted(len(keys) for keys in found) == [0, 1]


async def finish(world: World, *steps: str) -> None:
    for step in steps:
        component, _, item = step.partition("/")
        query = """
            UPDATE steps SET state = 'done', answer = '{}', ended_at = now()
            WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s
        """
        await world.rows(query, component=component, item=item)


async def test_two_last_answers_at_the_same_moment_end_the_run(new_world: MakeWorld, url: str) -> None:
    """The second waits for the first, so that one of them sees that no step is left."""
    world = new_world(pipeline=PIPELINES["two-ends"])
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one")
    store = Store(world.pool)
    run = await store.run(world.run_id)
    assert run is not None
    first, second = [await claimed(store, key_of(world, name)) for name in ("sommelier", "scullion")]
    others: list[Statement] = [
        (sql.LOCK_RUN, first.key.model_dump()),
        (sql.STORE_ANSWERS, {"asked": json.dumps([answer_parameters(first, "{}")])}),
        (sql.SUCCEED_RUN, first.key.model_dump()),
    ]
    answer = WashedUp(made_by=1)
    work = commit(world.pool, store, run, second, answer.model_dump_json(), answer.model_dump())
    found = await meanwhile(world, url, others, work)
    assert isinstance(found, Committed)
    assert found.end is not None
    assert await world.status() == "SUCCEEDED"


async def test_a_redrive_between_the_question_and_the_answer_about_an_execution_stands(new_world: MakeWorld) -> None:
    """And no row is locked while Step Functions thinks."""
    world = new_world("orchestrated")

    async def describe_execution(**asked: Any) -> dict[str, Any]:
        assert await world.rows("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'") == []
        await world.rows("UPDATE runs SET execution = 'another' WHERE run_id = %(run_id)s")
        return {"status": "ABORTED"}

    world.stepfunctions.describe_execution = describe_execution  # type: ignore[method-assign]
    await world.sweep("host/v1")
    (row,) = await world.rows("SELECT status, checked_at FROM runs WHERE run_id = %(run_id)s")
    assert row["status"] == "RUNNING"
    assert row["checked_at"] is not None
