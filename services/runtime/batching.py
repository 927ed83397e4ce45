"""Few calls for many tasks: what they ask for at the same time shares one."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

BATCH = 10
"""The most messages one call of SQS or SNS can carry."""


class Asked(NamedTuple, Generic[Item, Answer]):
    item: Item
    answer: "asyncio.Future[Answer]"


class Batcher(Generic[Item, Answer]):
    """Hands items to `call`, at most ten at a time, and each one's answer to whoever put it in.

    A batch is what was put in since the last one left; at most `at_once` are under way. With `linger` it waits so many
    seconds for more. When a call fails its items are tried again one by one, so that a bad one spoils no other's answer.
    """

    def __init__(
        self, call: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], at_once: int = 1, linger: float = 0
    ) -> None:
        self._call = call
        self._at_once = at_once
        self._linger = linger
        self._waiting: list[Asked[Item, Answer]] = []
        self._full = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def put(self, item: Item) -> "asyncio.Future[Answer]":
        """The future raises what the call for this item alone raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(Asked(item, answer))
        if len(self._waiting) == 1 and len(self._under_way) < self._at_once:
            self._start()
        elif len(self._waiting) == BATCH:
            self._full.set()
        return answer

    async def finish(self) -> None:
        """Wait for no more, until everything that was put in has its answer."""
        self._linger = 0
        self._full.set()
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _start(self) -> None:
        task = asyncio.create_task(self._work())
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for an answer has it too
            if self._waiting:
                self._start()

    async def _work(self) -> None:
        """One batch. It starts after the tasks that are ready to run now, so theirs goes with it."""
        if self._linger and len(self._waiting) < BATCH:
            self._full.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger):
                    await self._full.wait()
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        await self._answer([asked for asked in batch if not asked.answer.done()])

    async def _answer(self, batch: Sequence[Asked[Item, Answer]]) -> None:
        if not batch:
            return
        try:
            answers = await self._call([asked.item for asked in batch])
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            for asked in batch:
                await self._answer([asked])
        except BaseException as end:
            for asked in batch:
                _fail(asked, end)  # nobody may wait for an answer that will never come
            raise
        else:
            for asked, answer in zip(batch, answers, strict=True):
                if not asked.answer.done():
                    asked.answer.set_result(answer)


def _fail(asked: Asked[Item, Answer], error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        asked.answer.cancel()
    elif not asked.answer.done():
        asked.answer.set_exception(error)
