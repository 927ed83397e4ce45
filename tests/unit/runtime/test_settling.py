"""What happens to a message, whatever became of it."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.errors import PoisonMessage
from services.runtime.leases import Held
from services.runtime.queue import Received
from services.runtime.settle import DeadLetter, Delete, GiveBack, Outcome, Settling


@dataclass
class Told:
    """The queue, Step Functions, the leases and the metrics: everything they were told, in order."""

    said: list[tuple[Any, ...]] = field(default_factory=list)
    fails_to: str = ""

    def _note(self, name: str, *about: Any) -> None:
        if name == self.fails_to:
            raise ConnectionError("no line")
        self.said.append((name, *about))

    async def give_back(self, receipt: str, seconds: float) -> None:
        self._note("give back", seconds)

    async def dead_letter(self, message: Received, error: str, reason: str, step: str, attempts: int) -> None:
        self._note("dead letter", error, reason, step, attempts)

    def delete(self, receipt: str) -> None:
        self._note("delete")

    async def refuse(self, token: str, error: str, cause: str, sent_at: float) -> None:
        self._note("refuse", token, error, cause)

    def hold(self, receipt: str, token: str | None) -> Held:
        return Held(receipt, until=0, next_beat=0, token=token)

    def drop(self, held: Held) -> None:
        self._note("drop")

    def count(self, name: str) -> None:
        pass

    def seconds(self, name: str, value: float) -> None:
        assert 0 <= value < 60


class Fixed(Settling):
    """What becomes of every message is known beforehand."""

    def __init__(self, found: Outcome | Exception | None, told: Told) -> None:
        every: Any = told
        self.queue = self.outgoing = self.leases = self.metrics = every
        self.found = found
        self.deciding = asyncio.Event()
        self.told = told

    async def decide(self, message: Received, held: Held) -> Outcome:
        self.deciding.set()
        if isinstance(self.found, Exception):
            raise self.found
        if self.found is None:
            await asyncio.Event().wait()
        assert self.found is not None
        return self.found

    async def release(self, held: Held) -> None:
        self.told._note("release")

    async def report(self, pid: int, calls: dict[str, Any]) -> None:
        raise AssertionError("a message reports nothing")


def message(token: str | None = None) -> Received:
    return Received("receipt", "id", "{}", token, time.time(), 1)


async def settled(found: Outcome | Exception, token: str | None = None, fails_to: str = "") -> list[tuple[Any, ...]]:
    told = Told(fails_to=fails_to)
    await Fixed(found, told).process(message(token))
    return told.said


async def test_each_outcome_does_its_own_to_the_message() -> None:
    assert await settled(Delete()) == [("delete",), ("drop",)]
    assert await settled(GiveBack(4)) == [("give back", 4), ("drop",)]
    letter = ("dead letter", "E", "why", "chopper/pie", 3)
    assert await settled(DeadLetter("E", "why", "chopper/pie", 3)) == [letter, ("delete",), ("drop",)]


async def test_poison_is_dead_lettered_and_refused_when_somebody_waits() -> None:
    letter = [("dead letter", "PoisonMessage", "why", "", 0), ("delete",), ("drop",)]
    assert await settled(PoisonMessage("why")) == letter
    assert await settled(PoisonMessage("why"), "token") == [("refuse", "token", "PoisonMessage", "why"), *letter]


async def test_a_failure_of_the_surroundings_leaves_the_message_to_come_back() -> None:
    assert await settled(ConnectionError("no line")) == [("drop",)]


async def test_a_message_is_not_deleted_before_its_dead_letter_is_there() -> None:
    assert await settled(DeadLetter("E", "why"), fails_to="dead letter") == [("drop",)]


@pytest.mark.parametrize("fails_to", ["", "release", "give back"])
async def test_a_message_that_must_stop_is_given_back_at_once_if_it_can_be(fails_to: str) -> None:
    told = Told(fails_to=fails_to)
    one = Fixed(None, told)
    working = asyncio.create_task(one.process(message()))
    await one.deciding.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    done: dict[str, list[tuple[Any, ...]]] = {
        "": [("release",), ("give back", 0)],
        "release": [],
        "give back": [("release",)],
    }
    assert told.said == [*done[fails_to], ("drop",)]
