"""A worker: receives as much as it can handle, keeps its leases, helps with the sweep, reports, and stops gracefully."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.runtime.batching import BATCH
from services.runtime.queue import Received
from services.runtime.settle import Settling
from services.runtime.sweep import Sweep
from services.runtime.telemetry import ApiCalls

LINGER = 0.1
"""Seconds a receive waits for more free slots, so that one call brings more messages."""

SWEEP_EVERY = 20.0
REPORT_EVERY = 1.0
SEEN_EVERY = 5.0

log = logging.getLogger("brigade.worker")


@dataclass
class Slots:
    """The handlers that run now, and how many may."""

    concurrency: int
    busy: set[asyncio.Task[None]] = field(default_factory=set)
    _wanted: int = 1
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def free(self) -> int:
        return self.concurrency - len(self.busy)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.busy.add(task)
        task.add_done_callback(self._done)

    async def some(self) -> int:
        """Wait for a free slot, then briefly for as many as one receive can fill."""
        await self._until(1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                await self._until(min(BATCH, self.concurrency))
        return self.free

    async def _until(self, free: int) -> None:
        while self.free < free:
            self._wanted = free
            self._enough.clear()
            await self._enough.wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.busy.discard(task)
        if self.free >= self._wanted:
            self._enough.set()


@dataclass
class WorkerProcess:
    """`sweep` is None without a step store; `alive_file` is for `services.runtime.health`."""

    delivery: Settling
    sweep: Sweep | None
    calls: ApiCalls
    pid: int
    concurrency: int
    poll_seconds: int
    drain_seconds: float
    alive_file: Path | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Work until `stopping` is set: then finish what is in flight, and give back what would take too long."""
        slots = Slots(self.concurrency)
        await self._report()
        await self._show_life()
        log.info("ready")
        helpers = [
            asyncio.create_task(self.delivery.leases.keep()),
            asyncio.create_task(self._every(SWEEP_EVERY, self._sweep)),
            asyncio.create_task(self._every(REPORT_EVERY, self._report)),
            asyncio.create_task(self._every(REPORT_EVERY, self._show_life)),
        ]
        receiver = asyncio.create_task(self._receive(slots))
        stop = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({receiver, stop}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(self._end(receiver), self._drain(slots))
            await self._drain(slots)
        finally:
            for task in (*helpers, stop):
                await _cancel(task)
            await self._report()

    async def _receive(self, slots: Slots) -> None:
        failures = 0
        while not self.stopping.is_set():
            most = await slots.some()
            if self.stopping.is_set():
                return
            try:
                messages = await self.delivery.queue.receive(most, self.poll_seconds)
            except Exception:
                if self.stopping.is_set():
                    return
                failures += 1
                log.exception("cannot receive, trying again")
                await asyncio.sleep(random.uniform(0, min(2**failures, 15)))  # noqa: S311 - jitter needs no secrecy
                continue
            failures = 0
            for message in messages:
                slots.start(self._return(message) if self.stopping.is_set() else self._work(message))

    async def _work(self, message: Received) -> None:
        await self.delivery.process(message)

    async def _return(self, message: Received) -> None:
        """It came with the last poll, after the stop: another worker can have it at once."""
        await self.delivery.queue.give_back(message.receipt, 0)

    async def _end(self, receiver: "asyncio.Task[None]") -> None:
        """Wait for the poll under way: the queue may be handing messages out, which nobody would have for a whole lease."""
        await asyncio.wait({receiver}, timeout=self.poll_seconds + 2)
        await _cancel(receiver)

    async def _drain(self, slots: Slots) -> None:
        if not slots.busy:
            return
        log.info("stopping: %d messages in flight", len(slots.busy))
        _, late = await asyncio.wait(slots.busy, timeout=self.drain_seconds)
        for task in late:
            await _cancel(task)
        if late:
            log.warning("gave %d messages back unfinished", len(late))

    async def _sweep(self) -> None:
        if self.sweep:
            await self.sweep.once(self.delivery.component.name, self.delivery.identity.version)

    async def _report(self) -> None:
        self.delivery.metrics.flush()
        await self.delivery.report(self.pid, self.calls.snapshot())

    async def _show_life(self) -> None:
        """Apart from the report, which waits while the database is away. On the event loop: what holds that up shows."""
        if self.alive_file:
            self.alive_file.touch()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds * random.uniform(0.9, 1.1))  # noqa: S311 - spreads workers, needs no secrecy
            try:
                await work()
            except Exception:
                log.warning("%s failed and will be tried again", work.__name__, exc_info=True)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
