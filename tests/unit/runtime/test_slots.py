"""How many messages a worker asks for."""

import asyncio

import pytest

from services.runtime import worker
from services.runtime.batching import BATCH
from services.runtime.worker import Slots


class Handlers:
    """Handlers that run until they are told to end."""

    def __init__(self, slots: Slots, count: int) -> None:
        self._slots = slots
        self._ends = [asyncio.Event() for _ in range(count)]
        for end in self._ends:
            slots.start(self._handle(end))

    async def _handle(self, end: asyncio.Event) -> None:
        await end.wait()

    def end(self, count: int) -> None:
        for end in [end for end in self._ends if not end.is_set()][:count]:
            end.set()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """So long that a test that needs it fails."""
    monkeypatch.setattr(worker, "LINGER", 60.0)


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_all_slots_are_free_at_first(patient: None) -> None:
    async with asyncio.timeout(5):
        assert await Slots(4).some() == 4


async def test_it_waits_for_a_free_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LINGER", 0.01)
    slots = Slots(2)
    handlers = Handlers(slots, 2)
    asking = asyncio.create_task(slots.some())
    await asyncio.sleep(0.05)
    assert not asking.done()
    handlers.end(1)
    async with asyncio.timeout(5):
        assert await asking == 1
    handlers.end(1)
    async with asyncio.timeout(5):
        assert await slots.some() == 2


async def test_it_waits_for_as_many_as_one_receive_brings(patient: None) -> None:
    """Not for all twelve."""
    slots = Slots(12)
    handlers = Handlers(slots, 12)
    asking = asyncio.create_task(slots.some())
    handlers.end(BATCH - 1)
    await turns()
    assert not asking.done()
    handlers.end(1)
    async with asyncio.timeout(5):
        assert await asking == BATCH


async def test_it_does_not_wait_long_for_slots_that_stay_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LINGER", 0.02)
    slots = Slots(3)
    handlers = Handlers(slots, 2)
    async with asyncio.timeout(5):
        assert await slots.some() == 1
    handlers.end(2)
    await turns()


async def test_a_handler_that_fails_frees_its_slot(patient: None) -> None:
    slots = Slots(1)

    async def handle() -> None:
        raise asyncio.CancelledError

    slots.start(handle())
    async with asyncio.timeout(5):
        assert await slots.some() == 1
