"""What a component gives after its last attempt, with real workers, in both styles."""

import json
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest

from contracts.envelope import StepKey
from contracts.errors import BadData, BrigadeError, TransientError
from contracts.message import Event
from orchestrator.database import Connection
from services.runtime.context import Context
from services.runtime.earlier import earlier_result
from services.runtime.store import Pool, Store
from services.runtime.telemetry import step_log
from tests.behaviour.runtime.floor import Floor, open_floor
from tests.behaviour.runtime.squads import Handle, Orders, fallbacks, handlers
from tests.behaviour.runtime.supper import HASTY, WinePoured, tasting

STYLES = ("orchestrated", "choreographed")

both_styles = pytest.mark.parametrize("style", STYLES)


@pytest.fixture
def table(connection: Connection, url: str, aws: str) -> Floor:
    floor = open_floor(connection, url, tasting(HASTY), handlers(Orders()))
    floor.fallbacks = fallbacks()
    return floor


def raising(error: BrigadeError, times: int = 99) -> Handle:
    """A handler whose first attempts fail."""

    def handler(inputs: Any, ctx: Context) -> Event:
        if ctx.attempt <= times:
            raise error
        return WinePoured(made_by=ctx.attempt)

    return handler


def answer(floor: Floor, run_id: str, component: str, item: str = "-") -> dict[str, Any]:
    query = "SELECT answer FROM steps WHERE run_id = %(run_id)s AND component = %(component)s AND item = %(item)s"
    (row,) = floor.rows(query, run_id=run_id, component=component, item=item)
    return dict(json.loads(row["answer"]))


def modes(floor: Floor, run_id: str, component: str) -> list[tuple[str, str | None]]:
    query = """
        SELECT mode, error FROM attempts WHERE run_id = %(run_id)s AND component = %(component)s ORDER BY item, attempt
    """
    return [(row["mode"], row["error"]) for row in floor.rows(query, run_id=run_id, component=component)]


@both_styles
async def test_after_the_last_attempt_the_fallback_answers_and_the_run_is_degraded(table: Floor, style: str) -> None:
    table.handlers["sommelier"] = raising(TransientError("the cellar is locked"))
    run_id = table.start(style)
    async with table.working():
        run = await table.ended(run_id)
        await table.settled()
    assert (run["status"], run["degraded"], run["cause"]) == ("SUCCEEDED", True, None)
    failed = [("normal", "TransientError")] * 3
    assert modes(table, run_id, "sommelier") == [*failed, ("fallback", None)]
    water = {"component": "sommelier", "item": "-", "by": "water", "why": "TransientError: the cellar is locked"}
    assert answer(table, run_id, "sommelier")["degraded"] == [water]
    assert answer(table, run_id, "taster")["degraded"] == [water]
    assert [table.dead_letters(component.name) for component in table.pipeline.components] == [[]] * 4
    if style == "orchestrated":
        await table.until(lambda: table.execution(run_id)["status"] == "SUCCEEDED")


@both_styles
async def test_an_error_that_is_not_retryable_falls_back_at_once_item_by_item(table: Floor, style: str) -> None:
    chop = table.handlers["chopper"]

    def handler(inputs: Any, ctx: Context) -> Event:
        if ctx.item == "pie":
            raise BadData("no pie today")
        return chop(inputs, ctx)

    table.handlers["chopper"] = handler
    run_id = table.start(style)
    async with table.working():
        run = await table.ended(run_id)
        await table.settled()
    assert (run["status"], run["degraded"]) == ("SUCCEEDED", True)
    assert modes(table, run_id, "chopper") == [("normal", "BadData"), ("fallback", None), ("normal", None)]
    assert answer(table, run_id, "taster")["keys"] == ["frozen pie", "soup"]


@both_styles
async def test_a_fallback_is_tried_as_often_as_the_handler(table: Floor, style: str) -> None:
    table.handlers["sommelier"] = raising(BadData("no wine"))
    give: Handle = table.fallbacks["sommelier"]
    refusals = iter(range(2))

    def fallback(inputs: Any, ctx: Context) -> Event:
        if next(refusals, None) is not None:
            raise TransientError("a leak")
        return give(inputs, ctx)

    table.fallbacks["sommelier"] = fallback
    run_id = table.start(style)
    async with table.working():
        run = await table.ended(run_id)
    assert (run["status"], run["degraded"]) == ("SUCCEEDED", True)
    leaks = [("fallback", "TransientError")] * 2
    assert modes(table, run_id, "sommelier") == [("normal", "BadData"), *leaks, ("fallback", None)]


@both_styles
async def test_a_fallback_that_fails_too_fails_the_run_with_one_cause(table: Floor, style: str) -> None:
    table.handlers["sommelier"] = raising(BadData("no wine"))
    table.fallbacks["sommelier"] = raising(BadData("no water either"))
    run_id = table.start(style)
    async with table.working():
        run = await table.ended(run_id)
        (letter,) = await table.until(lambda: table.dead_letters("sommelier"))
        await table.settled()
    assert (run["status"], run["degraded"]) == ("FAILED", False)
    assert run["cause"] == "sommelier/- failed: BadData: no water either"
    assert letter["reason"] == "no water either"
    if style == "orchestrated":
        await table.until(lambda: table.failed_execution(run_id))


@both_styles
async def test_a_fallback_must_say_what_it_gives(table: Floor, style: str) -> None:
    table.handlers["sommelier"] = raising(BadData("no wine"))
    table.fallbacks["sommelier"] = lambda inputs, ctx: WinePoured(made_by=0)
    run_id = table.start(style)
    async with table.working():
        run = await table.ended(run_id)
    assert run["status"] == "FAILED"
    assert "a fallback must say what it gives instead" in run["cause"]


async def test_a_handler_can_say_that_it_replaced_a_part(table: Floor) -> None:
    table.handlers["sommelier"] = lambda inputs, ctx: WinePoured(
        made_by=ctx.attempt, degraded=ctx.replaced("water for one table", "a bottle was corked")
    )
    run_id = table.start("choreographed")
    async with table.working():
        run = await table.ended(run_id)
    assert (run["status"], run["degraded"]) == ("SUCCEEDED", True)
    (part,) = answer(table, run_id, "taster")["degraded"]
    assert (part["by"], part["why"]) == ("water for one table", "a bottle was corked")


async def test_degraded_answers_are_no_earlier_results(table: Floor, pool: Pool) -> None:
    """Neither the fallback's own answer nor what was made from it."""
    serve = table.handlers["sommelier"]
    table.handlers["sommelier"] = raising(BadData("no wine"))
    async with table.working():
        await table.ended(table.start("choreographed"))
    (any_run,) = table.rows("SELECT run_id FROM runs LIMIT 1")
    run = await Store(pool).run(any_run["run_id"])
    assert run
    log = step_log(StepKey(run_id="any", component="host", item="-"), 1)
    since = datetime.min.replace(tzinfo=UTC)
    earlier = partial(earlier_result, pool, run, item="-", before=date.max, since=since, log=log)
    assert [await earlier(component=name) for name in ("sommelier", "taster")] == [None, None]
    assert await earlier(component="host")
    table.handlers["sommelier"] = serve
    async with table.working():
        good = table.start("choreographed")
        await table.ended(good)
    for name in ("sommelier", "taster"):
        found = await earlier(component=name)
        assert found is not None
        assert found.run_id == good
