"""Finding a squad's handler and running it off the event loop, so that no handler can hold up a heartbeat."""

import asyncio
import importlib
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from contracts.component import Component
from contracts.errors import BadRequest
from contracts.message import Command, Event
from services.runtime.context import Context

Handler = Callable[[Any, Context], Any]


def find_handler(component: Component, version: str) -> Handler:
    """`services/<component>/handler.py` for the first version, `handler_<version>.py` for the others."""
    if version not in component.versions:
        raise BadRequest(f"{component.name} has no version '{version}': it has {', '.join(component.versions)}")
    suffix = "" if version == component.versions[0] else f"_{version}"
    module = importlib.import_module(f"services.{component.module}.handler{suffix}")
    return cast(Handler, module.handle)


class Kitchen:
    """Where handlers run: plain functions on a pool of threads, coroutines on an event loop of their own."""

    def __init__(self, handler: Handler, concurrency: int) -> None:
        self._handler = handler
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="handler")
        self._loop: asyncio.AbstractEventLoop | None = None
        if inspect.iscoroutinefunction(handler):
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="handlers", daemon=True).start()

    async def cook(self, inputs: Command, context: Context) -> Event:
        """Run the handler; whatever it raises is raised here."""
        if self._loop is not None:
            running = asyncio.run_coroutine_threadsafe(self._handler(inputs, context), self._loop)
            return cast(Event, await asyncio.wrap_future(running))
        loop = asyncio.get_running_loop()
        return cast(Event, await loop.run_in_executor(self._threads, self._handler, inputs, context))

    def close(self) -> None:
        """Wait for nothing: a handler that still runs is past its timeout, and its lease is not renewed."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
