"""A handler that hangs keeps its thread, and nobody else's place."""

import asyncio
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


async def test_others_are_handled_while_one_hangs() -> None:
    go = threading.Event()

    def handle(inputs: Peel, ctx: object) -> Peeled:
        if inputs.onions == 0:
            go.wait()
        return Peeled(onions=inputs.onions)

    kitchen = Kitchen(handle, 1)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await kitchen.cook(Peel(onions=0), NO_CONTEXT)
        async with asyncio.timeout(5):
            assert await kitchen.cook(Peel(onions=1), NO_CONTEXT) == Peeled(onions=1)
    go.set()
    kitchen.close()


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    """It was still in line when its worker stopped."""
    go, begun = threading.Event(), []

    def handle(inputs: Peel, ctx: object) -> Peeled:
        begun.append(inputs.onions)
        go.wait()
        return Peeled(onions=inputs.onions)

    kitchen = Kitchen(handle, 1)
    first = asyncio.create_task(kitchen.cook(Peel(onions=1), NO_CONTEXT))
    second = asyncio.create_task(kitchen.cook(Peel(onions=2), NO_CONTEXT))
    await asyncio.sleep(0)
    second.cancel()
    third = asyncio.create_task(kitchen.cook(Peel(onions=3), NO_CONTEXT))
    await asyncio.wait({second})
    go.set()
    async with asyncio.timeout(5):
        assert [await first, await third] == [Peeled(onions=1), Peeled(onions=3)]
    assert begun == [1, 3]
    kitchen.close()
