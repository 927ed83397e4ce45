"""Finding a squad's handler and running it off the event loop, so that no handler can hold up a heartbeat."""

import asyncio
import importlib
import inspect
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
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


def find_fallback(component: Component) -> Handler | None:
    """`services/<component>/fallback.py`, the same for all versions; None when the component declares none."""
    if not component.fallback:
        return None
    return cast(Handler, importlib.import_module(f"services.{component.module}.fallback").handle)


class Kitchen:
    """Where handlers run: plain functions on threads, coroutines on an event loop of their own.

    All threads are daemons: a handler that hangs is past its timeout, its lease is not renewed, and it does not keep the
    process from ending.
    """

    def __init__(self, handler: Handler, concurrency: int) -> None:
        self._handler = handler
        self._concurrency = concurrency
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._served: deque[tuple[Order, Callable[[], None]]] = deque()
        self._called = False
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        if inspect.iscoroutinefunction(handler):
            self._loop = asyncio.new_event_loop()
            self._start(partial(_run_until_stopped, self._loop))

    async def cook(self, inputs: Command, context: Context) -> Event:
        """Run the handler; whatever it raises is raised here."""
        if self._loop is not None:
            running = asyncio.run_coroutine_threadsafe(self._handler(inputs, context), self._loop)
            return cast(Event, await asyncio.wrap_future(running))
        if not self._threads:
            for _ in range(self._concurrency):
                self._start(self._cook_orders)
        order = Order(inputs, context, asyncio.get_running_loop().create_future())
        self._orders.put(order)
        try:
            return await order.answer
        except asyncio.CancelledError:
            if not order.take():
                self._start(self._cook_orders)  # in the place of the thread that may never come back
            raise

    def close(self) -> None:
        """Waits for nothing."""
        for _ in self._threads:
            self._orders.put(None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="handler", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _cook_orders(self) -> None:
        while (order := self._orders.get()) is not None:
            if not order.take():
                continue
            try:
                settle = partial(order.answer.set_result, self._handler(order.inputs, order.context))
            except StopIteration as error:  # which no future takes
                settle = partial(order.answer.set_exception, RuntimeError(f"StopIteration: {error}"))
            except BaseException as error:
                settle = partial(order.answer.set_exception, error)
            self._serve_soon(order, settle)
            if order.answer.cancelled():
                return  # another thread has this one's place

    def _serve_soon(self, order: "Order", settle: Callable[[], None]) -> None:
        """From a handler's thread. The loop is woken once for all that is ready by then: that costs more than to serve."""
        self._served.append((order, settle))
        loop = order.answer.get_loop()
        if not self._called and not loop.is_closed():  # closed: the worker has ended, nobody waits
            self._called = True
            loop.call_soon_threadsafe(self._serve)

    def _serve(self) -> None:
        """Nobody waits for an order any more after its timeout."""
        self._called = False  # first, so that what is ready from now on calls again
        while self._served:
            order, settle = self._served.popleft()
            if not order.answer.done():
                settle()


def _run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


@dataclass(frozen=True)
class Order:
    """One call of a handler, and who waits for it."""

    inputs: Command
    context: Context
    answer: "asyncio.Future[Event]"
    _untaken: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """True once: for the thread that cooks it, or for whoever does not want it any more."""
        return self._untaken.acquire(blocking=False)
