"""A message from its receipt to its end. What became of it is decided by a subclass; what then happens to it, only here."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from contracts.component import Component
from contracts.errors import BrigadeError
from services.runtime.leases import Held, Leases
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue, Received
from services.runtime.store import Worker
from services.runtime.telemetry import Metrics
from services.runtime.text import printable

log = logging.getLogger("brigade.delivery")


@dataclass(frozen=True)
class Delete:
    """Done with, in whatever way."""


@dataclass(frozen=True)
class GiveBack:
    """To be received again after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class DeadLetter:
    """Out of the way, with the reason, and the step that failed after so many attempts, if it came to a step."""

    error: str
    reason: str
    step: str = ""
    attempts: int = 0


Outcome = Delete | GiveBack | DeadLetter


class Settling(ABC):
    """What every delivery has, whatever it is made of besides."""

    component: Component
    identity: Worker
    queue: Queue
    outgoing: Outgoing
    leases: Leases
    metrics: Metrics

    async def process(self, message: Received) -> None:
        """Take one message from receipt to its end. A failure of the surroundings gives it back, to be tried again."""
        self.metrics.seconds("MessageAge", max(time.time() - message.sent_at, 0))
        held = self.leases.hold(message.receipt, message.token)
        try:
            await self._settle(message, await self._outcome(message, held))
        except asyncio.CancelledError:
            await self._hand_back(message, held)
            raise
        except Exception:
            log.exception("message %s could not be worked on now and will be received again", message.message_id)
            self.metrics.count("Interrupted")
        finally:
            self.leases.drop(held)

    @abstractmethod
    async def decide(self, message: Received, held: Held) -> Outcome:
        """Work on a message. Raises BrigadeError when it is poison."""

    @abstractmethod
    async def release(self, held: Held) -> None:
        """The worker is stopping: give up what the message led to."""

    @abstractmethod
    async def report(self, pid: int, calls: dict[str, Any]) -> None:
        """Say that the worker is alive, and how many API calls it has made since it started."""

    async def _outcome(self, message: Received, held: Held) -> Outcome:
        try:
            return await self.decide(message, held)
        except BrigadeError as error:
            reason = printable(str(error))
            log.warning("message %s is poison: %s", message.message_id, reason)
            if message.token:
                await self.outgoing.refuse(message.token, error.name, reason, message.sent_at)
            return DeadLetter(error.name, reason)

    async def _settle(self, message: Received, outcome: Outcome) -> None:
        if isinstance(outcome, GiveBack):
            await self.queue.give_back(message.receipt, outcome.seconds)
            return
        if isinstance(outcome, DeadLetter):
            self.metrics.count("DeadLettered")
            await self.queue.dead_letter(message, outcome.error, outcome.reason, outcome.step, outcome.attempts)
        else:
            self.metrics.count("Handled")
        self.queue.delete(message.receipt)

    async def _hand_back(self, message: Received, held: Held) -> None:
        """The worker is stopping and cannot wait: let another one start at once, or else when the leases have run out."""
        try:
            await self.release(held)
            await self.queue.give_back(message.receipt, 0)
        except Exception:
            log.warning("message %s was not given back: its lease must run out", message.message_id, exc_info=True)
