"""Keeping what a worker holds: the message's visibility, the step's lease and the task token's heartbeat, together.

The first beat comes within a second, since Step Functions counts the heartbeat from when it entered the state; nothing
is renewed past the component's timeout, so that a handler that hangs gives its step up.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field

from contracts.component import Policy
from contracts.envelope import StepKey
from contracts.errors import WorkerLost
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue
from services.runtime.store import Claim, Store

TICK = 0.5

log = logging.getLogger("brigade.leases")


@dataclass(eq=False)
class Held:
    """One message in flight, and the claim it led to. Times are of the monotonic clock."""

    receipt: str
    until: float
    next_beat: float
    token: str | None = None
    claim: Claim | None = None
    lost: bool = False

    def beat(self) -> None:
        """For the handler: raises WorkerLost when its attempt no longer counts."""
        if self.lost:
            raise WorkerLost("this attempt does not count any more: stop here")


@dataclass(eq=False)
class Leases:
    queue: Queue
    store: Store | None
    outgoing: Outgoing
    policy: Policy
    _held: set[Held] = field(default_factory=set)

    def hold(self, receipt: str, token: str | None) -> Held:
        now = time.monotonic()
        first, until = now + min(1, self.policy.lease / 3), now + self.policy.timeout + self.policy.lease
        held = Held(receipt, until, next_beat=first, token=token)
        self._held.add(held)
        return held

    def begin(self, held: Held, claim: Claim, asked: float) -> None:
        """The handler's time counts from here: its message may have waited for its turn.

        The lease counts from when it was `asked` for: a database that was slow to give it will be slow to renew it.
        """
        held.claim, held.until = claim, time.monotonic() + self.policy.timeout + self.policy.lease
        held.next_beat = min(held.next_beat, asked + self.policy.lease / 3)

    def drop(self, held: Held) -> None:
        """The message is done with. A handler that still runs for it is told at its next heartbeat."""
        self._held.discard(held)
        held.lost = True

    async def keep(self) -> None:
        """Renew for ever. A renewal that fails is tried again at the next tick: leases last three of them."""
        while True:
            await asyncio.sleep(TICK)  # the heartbeat's own clock
            now = time.monotonic()
            due = [held for held in self._held if held.next_beat <= now < held.until]
            if not due:
                continue
            try:
                await self._renew(due)
            except Exception:
                log.warning("leases were not renewed, trying again", exc_info=True)
                continue
            for held in due:
                held.next_beat = now + self.policy.lease / 3

    async def _renew(self, due: list[Held]) -> None:
        await self.queue.extend([held.receipt for held in due])
        claims = {held.claim.key: held for held in due if held.claim}
        if self.store is not None and claims:
            tokens = await self.store.extend([held.claim for held in claims.values() if held.claim], self.policy.lease)
            for key, held in claims.items():
                self._learn(held, key, tokens)
        await asyncio.gather(*(self.outgoing.heartbeat(held.token) for held in due if held.token and not held.lost))

    def _learn(self, held: Held, key: StepKey, tokens: dict[StepKey, str | None]) -> None:
        if key not in tokens:
            held.lost = True
        elif tokens[key]:
            held.token = tokens[key]
