"""Leases are renewed from the first moment until the component's timeout, and no longer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.component import Policy
from contracts.envelope import StepKey
from contracts.errors import WorkerLost
from services.runtime import leases
from services.runtime.leases import Held, Leases
from services.runtime.store import Claim

POLICY = Policy(timeout=100, heartbeat=31, lease=15)


class Surroundings:
    """The clock, the queue, the store and Step Functions, and what they were told and when."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.extended: list[tuple[float, list[str]]] = []
        self.claims: list[Claim] = []
        self.beaten: list[str] = []
        self.tokens: dict[StepKey, str | None] = {}
        self.failures = 0

    def monotonic(self) -> float:
        return self.now

    async def extend(self, *asked: Any) -> dict[StepKey, str | None]:
        if isinstance(asked[0], Sequence) and len(asked) == 1:
            if self.failures:
                self.failures -= 1
                raise ConnectionError("no line")
            self.extended.append((self.now - 1000, list(asked[0])))
            return {}
        self.claims += asked[0]
        return self.tokens

    async def heartbeat(self, token: str) -> bool:
        self.beaten.append(token)
        return True

    async def advance(self, seconds: float) -> None:
        """In steps shorter than any lease, with time for every task to notice."""
        for _ in range(round(seconds * 4)):
            self.now += 0.25
            for _ in range(10):
                await asyncio.sleep(0)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    made = Surroundings()
    monkeypatch.setattr(leases, "TICK", 0)
    monkeypatch.setattr(leases, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


Keeping = Callable[[Policy], Any]


@asynccontextmanager
async def kept(around: Surroundings, policy: Policy = POLICY) -> AsyncIterator[Leases]:
    every: Any = around
    made = Leases(every, every, every, policy)
    keeping = asyncio.create_task(made.keep())
    yield made
    keeping.cancel()
    await asyncio.wait({keeping})


def claim(item: str = "pie", fence: int = 1) -> Claim:
    return Claim(StepKey(run_id="r", component="chopper", item=item), fence, 1)


async def test_the_first_beat_comes_within_a_second_and_the_others_thrice_a_lease(around: Surroundings) -> None:
    async with kept(around) as held_by:
        held_by.hold("receipt", None)
        await around.advance(16)
    times = [moment for moment, _ in around.extended]
    assert times == [1, 6, 11, 16]


async def test_a_short_lease_is_renewed_before_it_ends(around: Surroundings) -> None:
    async with kept(around, Policy(heartbeat=3, lease=1)) as held_by:
        held_by.hold("receipt", None)
        await around.advance(0.75)
    assert around.extended


async def test_nothing_is_renewed_past_the_timeout_and_a_lease(around: Surroundings) -> None:
    async with kept(around) as held_by:
        held_by.hold("receipt", None)
        await around.advance(200)
    assert 110 < around.extended[-1][0] < 115


async def test_what_is_dropped_is_not_renewed_and_its_handler_told(around: Surroundings) -> None:
    async with kept(around) as held_by:
        held = held_by.hold("receipt", None)
        held.beat()
        held_by.drop(held)
        await around.advance(16)
    assert around.extended == []
    with pytest.raises(WorkerLost):
        held.beat()


async def test_a_renewal_that_fails_is_tried_again_at_once(around: Surroundings) -> None:
    around.failures = 2
    async with kept(around) as held_by:
        held_by.hold("receipt", None)
        await around.advance(1)
    assert [moment for moment, _ in around.extended] == [1]


async def test_messages_and_claims_are_renewed_together_and_tokens_beaten(around: Surroundings) -> None:
    async with kept(around) as held_by:
        first, second = held_by.hold("one", "token one"), held_by.hold("two", None)
        first.claim = claim()
        around.tokens = {claim().key: "token one"}
        await around.advance(1)
    assert sorted(around.extended[0][1]) == ["one", "two"]
    assert around.claims == [claim()]
    assert around.beaten == ["token one"]
    assert second.token is None


async def test_the_newest_token_is_beaten(around: Surroundings) -> None:
    """Somebody else asks for the answer while the handler runs."""
    async with kept(around) as held_by:
        held = held_by.hold("one", "token one")
        held.claim = claim()
        around.tokens = {claim().key: "token two"}
        await around.advance(7)
    assert around.beaten == ["token two", "token two"]


async def test_a_claim_that_was_lost_is_not_beaten_and_its_handler_told(around: Surroundings) -> None:
    async with kept(around) as held_by:
        held = held_by.hold("one", "token one")
        held.claim = claim()
        around.tokens = {}
        await around.advance(1)
    assert around.beaten == []
    with pytest.raises(WorkerLost, match="does not count"):
        held.beat()


async def test_a_message_without_a_claim_is_only_kept_hidden(around: Surroundings) -> None:
    async with kept(around) as held_by:
        held: Held = held_by.hold("one", None)
        await around.advance(1)
    assert around.claims == []
    held_by.drop(held)


@pytest.mark.parametrize(("claiming", "renewed"), [(0.25, []), (5.25, [claim()])])
async def test_a_claim_that_took_long_is_renewed_at_once(
    around: Surroundings, claiming: float, renewed: list[Claim]
) -> None:
    """A database that is slow to claim is slow to renew; the next beat may be too late then."""
    async with kept(around) as held_by:
        held = held_by.hold("receipt", None)
        await around.advance(4)
        asked = around.now
        await around.advance(claiming)
        held_by.begin(held, claim(), asked)
        await around.advance(0.25)
    assert around.claims == renewed
