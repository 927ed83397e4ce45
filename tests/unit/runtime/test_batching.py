"""Few calls for many tasks."""

import asyncio
from collections.abc import Sequence

import pytest

from services.runtime.batching import BATCH, Batcher


class Doubler:
    """Answers with twice the number; a negative one makes the whole call fail."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.calls.append(list(numbers))
        await self.gate.wait()
        if min(numbers) < 0:
            raise ValueError("negative")
        return [2 * number for number in numbers]


async def test_what_is_asked_at_the_same_time_shares_calls_of_ten() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler)
    answers = await asyncio.gather(*(batcher.put(number) for number in range(25)))
    assert answers == [2 * number for number in range(25)]
    assert [len(call) for call in doubler.calls] == [BATCH, BATCH, 5]


async def test_what_is_asked_during_a_call_goes_with_the_next() -> None:
    doubler = Doubler()
    doubler.gate.clear()
    batcher = Batcher(doubler)
    first = batcher.put(1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [batcher.put(number) for number in (2, 3)]
    doubler.gate.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6]
    assert doubler.calls == [[1], [2, 3]]


async def test_several_calls_may_be_under_way() -> None:
    doubler = Doubler()
    doubler.gate.clear()
    batcher = Batcher(doubler, at_once=2)
    answers = []
    for number in (1, 2, 3):
        answers.append(batcher.put(number))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert doubler.calls == [[1], [2]]
    doubler.gate.set()
    assert await asyncio.gather(*answers) == [2, 4, 6]


async def test_a_bad_item_spoils_no_other() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler)
    good, bad, other = batcher.put(1), batcher.put(-1), batcher.put(2)
    assert (await good, await other) == (2, 4)
    with pytest.raises(ValueError, match="negative"):
        await bad
    assert doubler.calls == [[1, -1, 2], [1], [-1], [2]]


async def test_lingering_ends_when_the_batch_is_full_or_everything_is_to_be_finished() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler, linger=3600)
    full = [batcher.put(number) for number in range(BATCH)]
    await asyncio.gather(*full)
    last = batcher.put(1)
    await batcher.finish()
    assert last.result() == 2
    assert [len(call) for call in doubler.calls] == [BATCH, 1]


async def test_an_item_nobody_waits_for_any_more_is_not_asked_for() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler)
    given_up, kept = batcher.put(1), batcher.put(2)
    given_up.cancel()
    assert await kept == 4
    assert doubler.calls == [[2]]


async def test_nobody_waits_for_ever_when_a_call_is_cancelled() -> None:
    async def cancelled(numbers: Sequence[int]) -> list[int]:
        raise asyncio.CancelledError

    batcher = Batcher(cancelled)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(batcher.put(1), timeout=5)
