"""Handlers run where they can hold up nothing but themselves."""

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from contracts.message import Command, Event
from services.runtime.handlers import Kitchen


class Peel(Command):
    onions: int


class Peeled(Event):
    onions: int


NO_CONTEXT: Any = None


async def test_plain_functions_run_at_the_same_time_on_threads() -> None:
    together = threading.Barrier(3, timeout=5)

    def handle(inputs: Peel, ctx: object) -> Peeled:
        together.wait()
        assert threading.current_thread() is not threading.main_thread()
        return Peeled(onions=inputs.onions)

    kitchen = Kitchen(handle, 3)
    answers = await asyncio.gather(*(kitchen.cook(Peel(onions=number), NO_CONTEXT) for number in range(3)))
    kitchen.close()
    assert answers == [Peeled(onions=number) for number in range(3)]


async def test_every_order_is_answered_however_they_end_together() -> None:
    kitchen = Kitchen(lambda inputs, ctx: Peeled(onions=inputs.onions), 8)

    async def cook_all(first: int) -> None:
        for number in range(first, first + 200):
            assert await kitchen.cook(Peel(onions=number), NO_CONTEXT) == Peeled(onions=number)

    async with asyncio.timeout(30):
        await asyncio.gather(*(cook_all(1000 * cook) for cook in range(16)))
    kitchen.close()


async def test_coroutines_run_on_a_loop_of_their_own() -> None:
    mine = asyncio.get_running_loop()

    async def handle(inputs: Peel, ctx: object) -> Peeled:
        assert asyncio.get_running_loop() is not mine
        return Peeled(onions=inputs.onions)

    kitchen = Kitchen(handle, 1)
    assert await kitchen.cook(Peel(onions=1), NO_CONTEXT) == Peeled(onions=1)
    kitchen.close()


@pytest.mark.parametrize(("raised", "seen"), [(KeyError("knife"), KeyError), (StopIteration(), RuntimeError)])
async def test_what_a_handler_raises_is_raised_to_whoever_waits(raised: Exception, seen: type[Exception]) -> None:
    def handle(inputs: Peel, ctx: object) -> Peeled:
        raise raised

    kitchen = Kitchen(handle, 1)
    with pytest.raises(seen):
        await kitchen.cook(Peel(onions=1), NO_CONTEXT)
    kitchen.close()


async def test_an_answer_after_the_timeout_disturbs_nobody() -> None:
    go = threading.Event()

    def handle(inputs: Peel, ctx: object) -> Peeled:
        if inputs.onions == 1:
            go.wait(5)
        return Peeled(onions=inputs.onions)

    kitchen = Kitchen(handle, 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await kitchen.cook(Peel(onions=1), NO_CONTEXT)
    go.set()
    assert await kitchen.cook(Peel(onions=2), NO_CONTEXT) == Peeled(onions=2)
    kitchen.close()


HANGING = """
import asyncio, threading
from services.runtime.handlers import Kitchen

async def main():
    kitchen = Kitchen(lambda inputs, ctx: threading.Event().wait(), 1)
    try:
        async with asyncio.timeout(0.1):
            await kitchen.cook(None, None)
    except TimeoutError:
        kitchen.close()

asyncio.run(main())
"""


def test_a_handler_that_hangs_does_not_keep_the_process_from_ending() -> None:
    subprocess.run([sys.executable, "-c", HANGING], timeout=30, check=True)
