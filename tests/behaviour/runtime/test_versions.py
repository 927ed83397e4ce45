"""A message moves from version 1 to version 2 under real workers, in both styles, with runs under way."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from contracts.errors import BadData
from contracts.message import Event
from orchestrator.database import Connection
from orchestrator.deploy import deploy
from orchestrator.start import start_run
from services.runtime.context import Context
from tests.behaviour.runtime.floor import Floor, open_floor
from tests.behaviour.runtime.squads import TODAY
from tests.support.bakery import (
    AFTER,
    ALL_MOVED,
    BEFORE,
    BOTH,
    ONE_MOVED,
    STAGES,
    Stage,
    bakery,
    fallbacks,
    handlers,
)

STYLES = ("orchestrated", "choreographed")
both_styles = pytest.mark.parametrize("style", STYLES)

SOLD = {"grams": 2050, "labels": ["rye: 1250 g", "wheat: 800 g"]}
LOAF = "loaf-baked.v2"


@pytest.fixture
def floor(connection: Connection, url: str, aws: str) -> Floor:
    return open_floor(connection, url, bakery(BEFORE), {})


def move(floor: Floor, stage: Stage, day: str = "busy") -> None:
    """Deploy the code of a stage. Workers that are started from now on have it."""
    floor.pipeline = bakery(stage)
    floor.handlers, floor.fallbacks = handlers(stage, day), fallbacks(stage)
    floor.deployment = deploy(floor.aws, floor.connection, (floor.pipeline,), "floor")


def start(floor: Floor, style: str, day: date = TODAY) -> str:
    return start_run(floor.aws, floor.connection, floor.deployment, floor.pipeline, style, day, {}).run_id


def answers(floor: Floor, run_id: str, component: str) -> list[dict[str, Any]]:
    query = "SELECT answer FROM steps WHERE run_id = %(run_id)s AND component = %(component)s ORDER BY item"
    return [json.loads(row["answer"]) for row in floor.rows(query, run_id=run_id, component=component)]


def states(floor: Floor, run_id: str, component: str) -> list[str]:
    query = "SELECT state FROM steps WHERE run_id = %(run_id)s AND component = %(component)s ORDER BY item"
    return [row["state"] for row in floor.rows(query, run_id=run_id, component=component)]


async def sold(floor: Floor, *run_ids: str) -> set[str]:
    """What was sold in these runs, as hashes of their last answers."""
    ended = await asyncio.gather(*(floor.ended(run_id) for run_id in run_ids))
    assert [(run["status"], run["cause"]) for run in ended] == [("SUCCEEDED", None)] * len(run_ids)
    texts = [json.dumps(answer, sort_keys=True) for run_id in run_ids for answer in answers(floor, run_id, "seller")]
    return {hashlib.sha256(text.encode()).hexdigest() for text in texts}


def hash_of(answer: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()


async def test_every_step_of_a_migration_sells_the_same_in_both_styles(floor: Floor) -> None:
    graphs = []
    for stage in STAGES:
        move(floor, stage)
        graphs.append(floor.pipeline.graph.digest)
        async with floor.working():
            assert await sold(floor, *(start(floor, style) for style in STYLES)) == {hash_of(SOLD)}
            await floor.settled()
    assert graphs[1:4] == [graphs[1]] * 3, "a consumer moves by itself: nothing else is routed otherwise"
    assert len(set(graphs)) == 3
    assert [floor.dead_letters(component.name) for component in floor.pipeline.components] == [[]] * 5


@both_styles
async def test_a_producer_of_both_versions_has_one_consumer_of_each(floor: Floor, style: str) -> None:
    move(floor, ONE_MOVED)
    run_id = start(floor, style)
    async with floor.working():
        assert await sold(floor, run_id) == {hash_of(SOLD)}
    rye = {"key": "rye", "grams": 1250, LOAF: {"key": "rye", "kilograms": 1.25}}
    assert answers(floor, run_id, "baker")[0] == rye
    query = "SELECT component, input FROM steps WHERE run_id = %(run_id)s AND component IN ('weigher', 'labeller')"
    inputs = [json.loads(row["input"]) for row in floor.rows(query, run_id=run_id)]
    assert [data["loaves"][0] for data in inputs] == [rye] * 2


@both_styles
async def test_a_consumer_moves_while_a_run_is_under_way(floor: Floor, style: str) -> None:
    move(floor, BOTH)
    run_id = start(floor, style)
    async with floor.working("planner", "baker"):
        await floor.until(lambda: states(floor, run_id, "baker") == ["done"] * 2)
    move(floor, ONE_MOVED)
    async with floor.working():
        assert await sold(floor, run_id, start(floor, style)) == {hash_of(SOLD)}


@both_styles
async def test_version_1_goes_while_a_run_is_under_way(floor: Floor, style: str) -> None:
    """Its loaves are baked: they have both versions, and every consumer finds its own."""
    move(floor, ALL_MOVED)
    run_id = start(floor, style)
    async with floor.working("planner", "baker"):
        await floor.until(lambda: states(floor, run_id, "baker") == ["done"] * 2)
        await floor.until(lambda: floor.waiting("labeller") and floor.waiting("weigher"))
    move(floor, AFTER)
    async with floor.working():
        assert await sold(floor, run_id, start(floor, style)) == {hash_of(SOLD)}


@both_styles
async def test_a_consumer_that_moved_refuses_a_run_from_before_its_version_was_given(floor: Floor, style: str) -> None:
    move(floor, BEFORE)
    run_id = start(floor, style)
    async with floor.working("planner", "baker"):
        await floor.until(lambda: states(floor, run_id, "baker") == ["done"] * 2)
    move(floor, ONE_MOVED)
    async with floor.working():
        run = await floor.ended(run_id)
    assert run["status"] == "FAILED"
    assert run["cause"] == (
        "labeller/- failed: ContractViolation: labeller takes loaf-baked.v2 now, and in this run baker gave loaf-baked.v1 "
        "without it: start a new run, or redrive this one with the labeller that takes loaf-baked.v1"
    )


@both_styles
async def test_a_run_that_is_to_have_version_1_is_told_that_it_has_gone(floor: Floor, style: str) -> None:
    move(floor, ALL_MOVED)
    run_id = start(floor, style)
    async with floor.working("planner"):
        await floor.until(lambda: states(floor, run_id, "planner") == ["done"])
    move(floor, AFTER)
    floor.fallbacks = {}
    async with floor.working():
        run = await floor.ended(run_id)
    assert run["status"] == "FAILED"
    assert (
        "ContractViolation: this run is to have loaf-baked.v1 of baker, which gives loaf-baked.v2 now" in run["cause"]
    )


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.WARNING):
        yield caplog


async def quiet_run(floor: Floor, stage: Stage, style: str, days: int) -> str:
    """Rye is baked, and wheat given again, if it can be."""
    move(floor, stage, "quiet")
    run_id = start(floor, style, TODAY + timedelta(days=days))
    async with floor.working():
        assert await sold(floor, run_id) == {hash_of(SOLD)}
    return run_id


@both_styles
async def test_an_earlier_answer_is_given_again_in_the_versions_of_the_run(
    floor: Floor, style: str, told: pytest.LogCaptureFixture
) -> None:
    first = await quiet_run(floor, BEFORE, style, 0)
    assert states(floor, first, "baker") == ["done", "done"]
    second = await quiet_run(floor, BOTH, style, 1)
    assert states(floor, second, "baker") == ["done", "done"], "it had version 1 only"
    reason = f"{first}/baker/wheat answered loaf-baked.v1, this run takes loaf-baked.v1 and {LOAF}: it is not reused"
    assert reason in [record.getMessage() for record in told.records]
    third = await quiet_run(floor, ALL_MOVED, style, 2)
    assert states(floor, third, "baker") == ["done", "reused"]
    assert answers(floor, third, "baker")[1] == {"key": "wheat", "grams": 800, LOAF: {"key": "wheat", "kilograms": 0.8}}
    fourth = await quiet_run(floor, AFTER, style, 3)
    assert states(floor, fourth, "baker") == ["done", "reused"]
    assert answers(floor, fourth, "baker")[1] == {"key": "wheat", "kilograms": 0.8}
    fifth = await quiet_run(floor, AFTER, style, 4)
    assert states(floor, fifth, "baker") == ["done", "reused"], "what was reused is an earlier answer, too"


@both_styles
async def test_a_fallback_gives_an_earlier_answer_in_both_versions(floor: Floor, style: str) -> None:
    move(floor, BOTH)
    async with floor.working():
        await sold(floor, start(floor, style))
    move(floor, ONE_MOVED)

    def cold(inputs: Any, ctx: Context) -> Event:
        raise BadData("the oven is cold")

    floor.handlers["baker"] = cold
    run_id = start(floor, style, TODAY + timedelta(days=1))
    async with floor.working():
        run = await floor.ended(run_id)
    assert (run["status"], run["degraded"], run["cause"]) == ("SUCCEEDED", True, None)
    rye, _ = answers(floor, run_id, "baker")
    assert rye["degraded"] == rye[LOAF]["degraded"]
    (sale,) = answers(floor, run_id, "seller")
    assert {key: sale[key] for key in SOLD} == SOLD
    assert [part["by"] for part in sale["degraded"]] == ["yesterday's"] * 2
