"""Workers that want the same rows at the same moment, on real locks."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
import pytest

from contracts.component import Limit
from contracts.envelope import StepKey
from services.runtime import sql
from services.runtime.commit import Committed, commit
from services.runtime.joins import feed
from services.runtime.store import Busy, Claim, Store, Superseded, Worker
from tests.behaviour.runtime.conftest import PIPELINES, MakeWorld
from tests.behaviour.runtime.supper import WashedUp, WinePoured
from tests.behaviour.runtime.world import World

Answer = TypeVar("Answer")

ONE, TWO = Worker("one", "here", "v1", 30), Worker("two", "here", "v1", 30)


@asynccontextmanager
async def in_transaction(url: str, query: str, parameters: dict[str, Any]) -> AsyncIterator[None]:
    """Somebody else's statement that is not committed before this ends."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(query.encode(), parameters)
        yield


async def meanwhile(world: World, url: str, query: str, parameters: dict[str, Any], work: Awaitable[Answer]) -> Answer:
    """Let the work run into the locks of somebody else's statement; then that is committed."""
    async with in_transaction(url, query, parameters):
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


async def test_a_failure_does_not_take_the_step_from_whoever_is_just_claiming_it(
    new_world: MakeWorld, url: str
) -> None:
    world = new_world()
    store = Store(world.pool)
    late = await claimed(store, key_of(world, "host"))
    await world.expire_leases()
    asked = {**late.key.model_dump(), **vars(TWO), "token": None, "input": "{}"}
    failing = store.fail(late, "TransientError", "too late", Limit(errors=("TransientError",), attempts=9))
    found = await meanwhile(world, url, sql.CLAIM, {"asked": json.dumps([asked])}, failing)
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
    found = await meanwhile(world, url, sql.FEED, parameters, feed(world.pool, event, "sommelier", "v1"))
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


@pytest.mark.parametrize("round_", range(5))
async def test_two_last_answers_at_the_same_moment_end_the_run_once(new_world: MakeWorld, round_: int) -> None:
    world = new_world(pipeline=PIPELINES["two-ends"])
    await world.deliver(world.letter("host/v1", "plan-supper.v1"), "one")
    stores = [Store(world.pool), Store(world.pool)]
    claims = [await claimed(stores[0], key_of(world, name)) for name in ("sommelier", "scullion")]
    run = await stores[0].run(world.run_id)
    assert run is not None
    answers = [WinePoured(made_by=1), WashedUp(made_by=1)]
    found = await asyncio.gather(
        *(
            commit(world.pool, store, run, claim, answer.model_dump_json(), answer.model_dump())
            for store, claim, answer in zip(stores, claims, answers, strict=True)
        )
    )
    ends = [done.run_seconds for done in found if isinstance(done, Committed)]
    assert len([seconds for seconds in ends if seconds is not None]) == 1
    assert await world.status() == "SUCCEEDED"
