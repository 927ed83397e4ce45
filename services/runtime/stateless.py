"""A message's way through the worker of a stateless component: understood, handled, answered, deleted.

There is no step store, so a repeated message runs its handler again, and a command without a token counts its attempts by
how often it was received: all limits of the policy count alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.component import Component
from contracts.envelope import TICK, StepKey, seal
from contracts.errors import BadRequest, PoisonMessage
from services.runtime.attempt import classify, cook, log_failure
from services.runtime.context import Context
from services.runtime.handlers import Kitchen
from services.runtime.incoming import CommandFor, EventOf, Json, parse
from services.runtime.leases import Held, Leases
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue, Received
from services.runtime.settle import DeadLetter, Delete, GiveBack, Outcome, Settling
from services.runtime.store import Worker
from services.runtime.telemetry import Metrics


@dataclass(frozen=True)
class StatelessDelivery(Settling):
    component: Component
    identity: Worker
    queue: Queue
    outgoing: Outgoing
    leases: Leases
    kitchen: Kitchen
    metrics: Metrics
    make_context: Callable[[StepKey, int, Held], Context]

    async def decide(self, message: Received, held: Held) -> Outcome:
        asked = parse(message.body, self.component)
        if not isinstance(asked, CommandFor):
            kind = asked.type[:100] if isinstance(asked, EventOf) else TICK
            raise PoisonMessage(f"{self.component.name} keeps no steps to join, so it takes no {kind}")
        context = self.make_context(asked.key, message.receives, held)
        try:
            text, parsed = await cook(self.component, self.kitchen, asked.data, context, self.metrics)
            if context.statements:
                raise BadRequest("a stateless component has no transaction for `with_answer`: declare it with steps")
        except Exception as raised:
            return await self._on_failure(raised, context, message)
        await self._answer(asked, text, parsed, message)
        return Delete()

    async def release(self, held: Held) -> None:
        """Nothing was claimed."""

    async def report(self, pid: int, calls: dict[str, Any]) -> None:
        """There is nowhere to."""

    async def _answer(self, asked: CommandFor, text: str, parsed: Json, message: Received) -> None:
        if message.token and not await self.outgoing.succeed(message.token, text, message.sent_at):
            self.metrics.count("StaleAnswers")
        if self.component.announced:
            wire_type = self.component.output.wire_type()
            body = seal(asked.key, wire_type, self.component.name, parsed, datetime.now(UTC), asked.traceparent)
            await self.outgoing.publish(body, wire_type, ())

    async def _on_failure(self, raised: Exception, context: Context, message: Received) -> Outcome:
        """Step Functions counts the attempts of its own command, and sends the next one."""
        policy = self.component.policy
        error, cause = classify(raised, policy)
        log_failure(context.log, raised, error, cause)
        limit = policy.limit_for(error)
        if message.token:
            await self.outgoing.refuse(message.token, error, cause, message.sent_at)
        if limit is None or (message.receives >= limit.attempts and not message.token):
            self.metrics.count("Failed")
            step = f"{context.component}/{context.item}"
            return DeadLetter(error, cause, step, message.receives)
        self.metrics.count("Retried")
        return Delete() if message.token else GiveBack(limit.delay_after(message.receives))
