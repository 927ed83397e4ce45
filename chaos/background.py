"""An event loop on a thread of its own, so that proxies go on while a test or a driver blocks."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST = 30.0
"""Seconds a proxy may take to do what it is told."""


@dataclass(frozen=True)
class Background:
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """From another thread: run it there, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LONGEST)


@contextmanager
def background() -> Iterator[Background]:
    """Whatever still runs at the end is cancelled."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="background")
    thread.start()
    loop, stop = started.result(LONGEST)
    try:
        yield Background(loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
