"""What a handler's failure leads to, with real workers, in both styles."""

import asyncio
import threading
from typing import Any

import pytest

from contracts.errors import BadData, ResourcePending, TransientError
from contracts.message import Event
from services.runtime.context import Context
from tests.behaviour.runtime.floor import Floor
from tests.behaviour.runtime.supper import DishChopped

STYLES = ("orchestrated", "choreographed")

both_styles = pytest.mark.parametrize("style", STYLES)


def failing(floor: Floor, item: str, times: int, error: Exception) -> None:
    """Chopping this dish fails at its first attempts."""
    chop = floor.handlers["chopper"]

    def handler(inputs: Any, ctx: Context) -> Event:
        if ctx.item == item and ctx.attempt <= times:
            raise error
        return chop(inputs, ctx)

    floor.handlers["chopper"] = handler


@both_styles
async def test_a_transient_error_is_tried_again_and_every_attempt_recorded(snack_bar: Floor, style: str) -> None:
    failing(snack_bar, "pie", 2, TransientError("the knife is blunt"))
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        await snack_bar.settled()
    assert (run["status"], run["cause"]) == ("SUCCEEDED", None)
    assert snack_bar.attempts(run_id, "chopper") == [
        ("pie", 1, "failed", "TransientError"),
        ("pie", 2, "failed", "TransientError"),
        ("pie", 3, "done", None),
        ("soup", 1, "done", None),
    ]
    assert snack_bar.dead_letters("chopper") == []


@both_styles
async def test_the_last_attempt_fails_the_run_with_one_cause(snack_bar: Floor, style: str) -> None:
    failing(snack_bar, "pie", 9, ConnectionError("no knife"))
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        (letter,) = await snack_bar.until(lambda: snack_bar.dead_letters("chopper"))
        await snack_bar.settled()
    assert run["status"] == "FAILED"
    assert run["cause"] == "chopper/pie failed after 3 attempts: UnexpectedError: ConnectionError: no knife"
    assert (letter["error"], letter["reason"]) == ("UnexpectedError", "ConnectionError: no knife")
    assert [a[2:] for a in snack_bar.attempts(run_id, "chopper")[:3]] == [("failed", "UnexpectedError")] * 3
    if style == "orchestrated":
        execution = await snack_bar.until(lambda: snack_bar.failed_execution(run_id))
        assert (execution["error"], execution["cause"]) == ("UnexpectedError", "ConnectionError: no knife")


@both_styles
async def test_a_permanent_error_is_not_tried_again(snack_bar: Floor, style: str) -> None:
    failing(snack_bar, "pie", 9, BadData("no pie today"))
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        (letter,) = await snack_bar.until(lambda: snack_bar.dead_letters("chopper"))
        await snack_bar.settled()
    assert (run["status"], run["cause"]) == ("FAILED", "chopper/pie failed: BadData: no pie today")
    assert (letter["error"], letter["reason"]) == ("BadData", "no pie today")
    assert snack_bar.attempts(run_id, "chopper")[0] == ("pie", 1, "failed", "BadData")
    assert snack_bar.attempts(run_id, "server") == []
    if style == "orchestrated":
        execution = await snack_bar.until(lambda: snack_bar.failed_execution(run_id))
        assert execution["error"] == "BadData"


@both_styles
async def test_a_pending_resource_is_polled_with_a_limit_of_its_own(snack_bar: Floor, style: str) -> None:
    """More often than a failure would be tried."""
    failing(snack_bar, "pie", 3, ResourcePending("the oven is not hot yet"))
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
    assert run["status"] == "SUCCEEDED"
    outcomes = [attempt[2:] for attempt in snack_bar.attempts(run_id, "chopper") if attempt[0] == "pie"]
    assert outcomes == [("failed", "ResourcePending")] * 3 + [("done", None)]


async def test_a_resource_that_stays_pending_fails_the_run(snack_bar: Floor) -> None:
    failing(snack_bar, "pie", 9, ResourcePending("the oven is not hot yet"))
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
    assert run["cause"] == "chopper/pie failed after 4 attempts: ResourcePending: the oven is not hot yet"


async def test_a_cause_may_hold_any_characters(snack_bar: Floor) -> None:
    failing(snack_bar, "pie", 9, BadData("\x1b[31mno\0pie\ud800"))
    run_id = snack_bar.start("orchestrated")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        (letter,) = await snack_bar.until(lambda: snack_bar.dead_letters("chopper"))
        execution = await snack_bar.until(lambda: snack_bar.failed_execution(run_id))
    printable = "\ufffd[31mno\ufffdpie\ufffd"
    assert run["cause"] == f"chopper/pie failed: BadData: {printable}"
    assert letter["reason"] == execution["cause"] == printable


@both_styles
@pytest.mark.parametrize("size", [65_536, 65_536 - 40])
async def test_an_answer_that_is_too_large_fails_with_its_size(snack_bar: Floor, style: str, size: int) -> None:
    """The second fits a message, but not with its envelope."""
    answer = DishChopped(made_by=1, key="")
    room = size - len(answer.model_dump_json())
    snack_bar.handlers["chopper"] = lambda inputs, ctx: answer.model_copy(update={"key": "x" * (room + ctx.attempt)})
    run_id = snack_bar.start(style)
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        (letter, *_) = await snack_bar.until(lambda: snack_bar.dead_letters("chopper"))
    assert run["status"] == "FAILED"
    assert "failed: MessageTooLarge: a message of 65," in run["cause"]
    assert "write the data with ctx.write and send its reference" in run["cause"]
    assert letter["error"] == "MessageTooLarge"


async def test_a_command_that_is_too_large_fails_with_its_size(snack_bar: Floor) -> None:
    """Two answers that fit, joined by a step whose command does not."""
    snack_bar.handlers["chopper"] = lambda inputs, ctx: DishChopped(made_by=1, key="x" * 40_000)
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
    assert run["cause"].startswith("server/- failed: MessageTooLarge: a message of 8")


async def test_a_handler_that_hangs_times_out_and_takes_no_place_from_others(snack_bar: Floor) -> None:
    """The chopper has one place. The pie hangs at its first attempt; then it and the soup are handled."""
    hanging = threading.Event()
    chop = snack_bar.handlers["chopper"]
    beaten: list[str] = []

    def handler(inputs: Any, ctx: Context) -> Event:
        if ctx.item == "pie" and ctx.attempt == 1:
            hanging.wait()
            try:
                ctx.heartbeat()
            except Exception as error:
                beaten.append(type(error).__name__)
        return chop(inputs, ctx)

    snack_bar.handlers["chopper"] = handler
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
        hanging.set()
        await snack_bar.until(lambda: beaten)
    assert run["status"] == "SUCCEEDED"
    assert snack_bar.attempts(run_id, "chopper") == [
        ("pie", 1, "failed", "HandlerTimedOut"),
        ("pie", 2, "done", None),
        ("soup", 1, "done", None),
    ]
    assert beaten == ["WorkerLost"]


async def test_a_timeout_the_handler_raises_itself_is_not_its_component_s(snack_bar: Floor) -> None:
    failing(snack_bar, "pie", 9, TimeoutError("the supplier does not answer"))
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
    assert run["cause"].endswith("UnexpectedError: TimeoutError: the supplier does not answer")


async def test_sql_that_fails_with_the_answer_fails_the_attempt(snack_bar: Floor) -> None:
    serve = snack_bar.handlers["server"]

    def handler(inputs: Any, ctx: Context) -> Event:
        ctx.with_answer("INSERT INTO no_such_table VALUES (%s)", [(1,)])
        return serve(inputs, ctx)

    snack_bar.handlers["server"] = handler
    run_id = snack_bar.start("choreographed")
    async with snack_bar.working():
        run = await snack_bar.ended(run_id)
    assert run["cause"].startswith("server/- failed after 3 attempts: UnexpectedError: UndefinedTable: relation")


@both_styles
async def test_async_handlers_run_side_by_side(snack_bar: Floor, style: str) -> None:
    """In one worker, neither dish is done before the other is begun."""
    chop = snack_bar.handlers["chopper"]
    begun: set[str] = set()
    both = asyncio.Event()

    async def handler(inputs: Any, ctx: Context) -> Event:
        begun.add(ctx.item)
        if len(begun) == 2:
            both.set()
        await both.wait()
        return chop(inputs, ctx)

    snack_bar.handlers["chopper"] = handler  # type: ignore[assignment] # a component's handler may be either
    run_id = snack_bar.start(style)
    async with snack_bar.working(concurrency=2):
        run = await snack_bar.ended(run_id)
    assert run["status"] == "SUCCEEDED"
    assert snack_bar.attempts(run_id, "chopper") == [("pie", 1, "done", None), ("soup", 1, "done", None)]
