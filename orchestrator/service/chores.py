"""What a replica does by itself every few seconds: start what is due, fail what is overdue. All replicas may do it at once."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from contracts.redaction import redacted, secrets_of

EVERY = 5.0
"""Seconds."""

log = logging.getLogger("brigade.service")


@dataclass(frozen=True)
class Chores:
    """Each is called on a thread; one that fails is told in the log, tried again, and keeps no other from being done."""

    all: Sequence[tuple[str, Callable[[], object]]]
    every: float = EVERY

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Until this is left; what is being done then is ended first."""
        stopping = asyncio.Event()
        task = asyncio.create_task(self._repeat(stopping))
        try:
            yield
        finally:
            stopping.set()
            await task

    async def _repeat(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            for name, chore in self.all:
                await asyncio.to_thread(_do, name, chore)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self.every)


def _do(name: str, chore: Callable[[], object]) -> None:
    try:
        chore()
    except Exception as error:
        reason = redacted(f"{type(error).__name__}: {error}", secrets_of(os.environ))
        log.warning("cannot %s, and tries again: %s", name, reason)
