"""A worker that stops waits for its poll: whatever the queue hands out meanwhile goes back at once."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from services.runtime.queue import Received
from services.runtime.telemetry import ApiCalls
from services.runtime.worker import WorkerProcess


class FakeQueue:
    def __init__(self) -> None:
        self.polling = asyncio.Event()
        self.handed_out = asyncio.Event()
        self.given_back: list[tuple[str, float]] = []

    async def receive(self, most: int, wait: int) -> list[Received]:
        self.polling.set()
        await self.handed_out.wait()
        return [Received("receipt", "message", "{}", None, 0.0, 1)]

    async def give_back(self, receipt: str, seconds: float) -> None:
        self.given_back.append((receipt, seconds))


async def nothing(*_: Any) -> None:
    pass


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_message_that_comes_with_the_last_poll_is_returned_at_once() -> None:
    queue = FakeQueue()
    delivery = SimpleNamespace(
        queue=queue,
        leases=SimpleNamespace(keep=for_ever),
        metrics=SimpleNamespace(flush=lambda: None),
        report=nothing,
        process=nothing,
    )
    worker = WorkerProcess(cast(Any, delivery), None, ApiCalls(), 1, concurrency=2, poll_seconds=20, drain_seconds=1)
    running = asyncio.create_task(worker.run())
    await queue.polling.wait()
    worker.stopping.set()
    await asyncio.sleep(0)
    queue.handed_out.set()
    async with asyncio.timeout(5):
        await running
    assert queue.given_back == [("receipt", 0)]
