"""Faults at a chosen await. Everything a delivery awaits passes gates, before and after it takes effect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Literal

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from services.runtime.store import Pool

Fate = Literal["finish", "pause", "kill", "fail", "cancel"]


class Killed(BaseException):
    """The worker's process is gone: nothing of it runs any more."""


class Way:
    """How far a delivery has come, and what happens to it at the gate it was told to go to."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        self._go = asyncio.Event()
        self._until: int | str = 0
        self._fate: Fate = "finish"

    def send_on(self, until: int | str, fate: Fate) -> None:
        """Go on, and meet this fate at the gate after so many others, or at the first one of this name."""
        self._until, self._fate = until, fate
        self.stopped.clear()
        self._go.set()

    async def arrive(self, name: str, failure: Exception, may_pause: bool, may_cancel: bool) -> None:
        while self._fate != "finish" and self._until in (0, name):
            if self._fate == "pause":
                if not may_pause:
                    return
                self._fate = "finish"
                self._go.clear()
                self.stopped.set()
                await self._go.wait()
                continue
            fate, self._fate = self._fate, "finish"
            if fate == "fail":
                raise failure
            raise asyncio.CancelledError if fate == "cancel" and may_cancel else Killed
        if isinstance(self._until, int) and self._until:
            self._until -= 1


WAY: ContextVar[Way | None] = ContextVar("way", default=None)


async def gate(name: str, failure: Exception | None = None, *, may_pause: bool = True, may_cancel: bool = True) -> None:
    """Nothing happens here unless the delivery that runs was sent to meet its fate at this gate."""
    way = WAY.get()
    if way is not None:
        await way.arrive(name, failure or ConnectionError("a test cut the line"), may_pause, may_cancel)


class GatedConnection(AsyncConnection[Any]):
    async def execute(self, query: Any, params: Any = None, **more: Any) -> AsyncCursor[Any]:
        await self._gate()
        cursor = await super().execute(query, params, **more)
        await self._gate()
        return cursor

    async def _gate(self) -> None:
        # A pause inside a transaction would keep others waiting for its locks: a real one ends by itself.
        await gate("database", psycopg.OperationalError("a test cut the line"), may_pause=self._is_idle)

    @property
    def _is_idle(self) -> bool:
        return self.info.transaction_status == TransactionStatus.IDLE


class GatedPool(AsyncConnectionPool[Any]):
    @asynccontextmanager
    async def connection(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as the pool has it
    ) -> AsyncIterator[Any]:
        async with super().connection(timeout) as connection:
            yield connection
        await gate("committed", psycopg.OperationalError("a test cut the line"))


def gated_pool(database_url: str) -> Pool:
    """A pool that is not open yet. Large enough for every delivery that waits at a gate with its connection."""
    kwargs = {"autocommit": True, "row_factory": dict_row}
    return GatedPool(database_url, connection_class=GatedConnection, min_size=2, max_size=20, open=False, kwargs=kwargs)
