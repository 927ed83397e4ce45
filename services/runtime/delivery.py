"""A message's way through a worker: understood, claimed, handled, committed, answered, deleted.

No transaction spans a handler: the message that is not deleted yet is the outbox, and whatever crashes, its redelivery
finishes the work.
"""

import json
import logging
import time
from dataclasses import dataclass

from aiorwlock import RWLock

from contracts.component import Component
from contracts.envelope import StepKey, Style
from contracts.errors import NothingToRead, PoisonMessage
from contracts.graph import Node
from contracts.resolve import assemble
from contracts.run import SCHEDULED
from services.runtime.attempt import Attempt, Failed
from services.runtime.commit import Committed
from services.runtime.incoming import CommandFor, EventOf, Json, TickFor, parse
from services.runtime.joins import feed
from services.runtime.latest import not_started, take_latest
from services.runtime.leases import Held, Leases
from services.runtime.outgoing import Outgoing, command_body, event_body
from services.runtime.queue import ENVELOPE, Queue, Received, dumps, fits
from services.runtime.settle import DeadLetter, Delete, GiveBack, Outcome, Settling
from services.runtime.store import Busy, Claim, Done, Ended, Exhausted, Pool, Run, Store, Superseded, Suspect, Worker
from services.runtime.telemetry import Metrics

log = logging.getLogger("brigade.delivery")

BUSY_WAIT = 5.0
"""Seconds after which a repeat of a step that somebody else holds is looked at again."""


@dataclass(frozen=True)
class Delivery(Settling):
    component: Component
    identity: Worker
    queue: Queue
    pool: Pool
    store: Store
    outgoing: Outgoing
    leases: Leases
    attempt: Attempt
    metrics: Metrics
    company: RWLock
    """Held by every step that this worker runs; by one that may end the worker, against all others."""

    async def decide(self, message: Received, held: Held) -> Outcome:
        asked = parse(message.body, self.component)
        run = await self.store.run(asked.key.run_id)
        if run is None:
            raise PoisonMessage(f"there is no run {asked.key.run_id}")
        if run.style != SCHEDULED and (isinstance(asked, TickFor) or (isinstance(asked, CommandFor) and asked.style)):
            raise PoisonMessage(f"a clock's message for a run that is {run.style}")
        if isinstance(asked, EventOf) and not run.graph.has(self.component.name):
            if not any(asked.type == node.event for node in run.graph.nodes):
                raise PoisonMessage(f"nobody in pipeline {run.graph.pipeline} gives {asked.type[:100]}")
            return Delete()  # of another pipeline, which shares the producer
        node = run.graph.node(self.component.name)
        if isinstance(asked, EventOf):
            return await self._on_event(asked, run, node, message, held)
        if isinstance(asked, TickFor):
            return await self._on_tick(asked.key, run, node, message, held)
        return await self._on_step(asked, run, node, message, held)

    async def release(self, held: Held) -> None:
        if held.claim:
            await self.store.release(held.claim, "the worker was stopped")

    async def report(self, pid: int, calls: Json) -> None:
        await self.store.report(self.identity, self.component.name, pid, calls)

    async def _on_event(self, event: EventOf, run: Run, node: Node, message: Received, held: Held) -> Outcome:
        if event.type not in {run.graph.node(need.component).event for need in node.needs}:
            raise PoisonMessage(f"{node.component} takes no {event.type[:100]}")
        keys = await feed(self.pool, event.key, node.component, self.identity.version)
        return await self._start({key: await self._assemble(key, run, node) for key in keys}, run, node, message, held)

    async def _on_tick(self, key: StepKey, run: Run, node: Node, message: Received, held: Held) -> Outcome:
        try:
            commands = await take_latest(self.pool, run, key, node, self.identity.version)
        except NothingToRead as error:
            failed = await not_started(self.pool, run, key, self.identity, error)
            self._count_end(run, "FAILED", failed.run_seconds)
            return DeadLetter(error.name, str(error), key.local, attempts=1)
        if isinstance(commands, Ended):
            return await self._unwanted(commands, message)
        return await self._start(commands, run, node, message, held, "scheduled")

    async def _start(
        self,
        commands: dict[StepKey, Json],
        run: Run,
        node: Node,
        message: Received,
        held: Held,
        style: Style | None = None,
    ) -> Outcome:
        """One step is run in this delivery; several get a command each, so that they spread over workers."""
        keys = list(commands)
        here = (
            keys[0] if len(keys) == 1 else next((key for key in keys if not fits(dumps(commands[key]), ENVELOPE)), None)
        )
        if here:  # also one whose command does not fit: its attempt says so
            return await self._on_step(CommandFor(here, commands[here], style=style), run, node, message, held)
        # A repeat sends all of them again: one of them may have been lost in this message's own, crashed delivery.
        await self.queue.send([command_body(run, node, key, data, style) for key, data in commands.items()])
        return Delete()

    async def _assemble(self, key: StepKey, run: Run, node: Node) -> Json:
        planner = run.graph.planner.component
        answers = await self.store.answers(key.run_id, key.component, key.item, planner)
        return assemble(run.graph, node, key.item, run.request, answers)

    async def _on_step(self, asked: CommandFor, run: Run, node: Node, message: Received, held: Held) -> Outcome:
        async with self.company.reader:  # before the claim: whoever waits here has nothing to lose with another
            outcome = await self._take(asked, run, node, message, held, self.component.policy.losses_in_company)
        if isinstance(outcome, Suspect):
            log.warning("%s has lost workers: it runs alone", asked.key.id)
            async with self.company.writer:
                outcome = await self._take(asked, run, node, message, held, None)
        assert not isinstance(outcome, Suspect)
        return outcome

    async def _take(
        self, asked: CommandFor, run: Run, node: Node, message: Received, held: Held, losses: int | None
    ) -> Outcome | Suspect:
        text, asked_at = dumps(asked.data), time.monotonic()
        claim = await self.store.claim(asked.key, self.identity, message.token, text, asked.mode, losses)
        if isinstance(claim, Suspect):
            return claim
        if isinstance(claim, Done):
            self.metrics.count("Repeated")
            await self._answer(asked, claim.answer, run, node, message)
            return Delete()
        if isinstance(claim, Busy):
            return GiveBack(min(claim.seconds_left, BUSY_WAIT))
        if isinstance(claim, Ended):
            return await self._unwanted(claim, message)
        self.leases.begin(held, claim, asked_at)
        found = await self.attempt.run(run, claim, asked.data, text, held)
        held.claim = None
        if isinstance(found, Committed):
            if found.end:
                self._count_end(run, "DEGRADED" if found.end.degraded else "SUCCEEDED", found.end.seconds)
            await self._answer(asked, found.answer, run, node, message, found.token)
            return Delete()
        if isinstance(found, Failed):
            return await self._on_failure(found, claim, run, message)
        if isinstance(found, Ended):
            await self.store.release(claim, found.reason)
        return GiveBack(1)  # what has become of the step shows when the message comes again

    async def _answer(
        self, asked: CommandFor, answer: str, run: Run, node: Node, message: Received, newest: str | None = None
    ) -> None:
        """Give the stored answer to whoever asks: the newest task token, and this message's own, or the topic.

        To nobody, when a clock has asked for it: the next component's own will make it look.
        """
        for token in {token for token in (message.token, newest) if token}:
            if not await self.outgoing.succeed(token, answer, message.sent_at):
                self.metrics.count("StaleAnswers")
        triggers = message.token is None and asked.style is None and run.graph.consumers(node.component)
        if node.announced or triggers:
            body = event_body(run, node, asked.key, json.loads(answer))
            await self.outgoing.publish(body, node.event, run.request.versions, run.request.pipeline)

    async def _on_failure(self, failed: Failed, claim: Claim, run: Run, message: Received) -> Outcome:
        if isinstance(failed.then, Superseded):
            return GiveBack(1)
        if message.token:
            await self.outgoing.refuse(message.token, failed.error, failed.cause, message.sent_at)
        if isinstance(failed.then, Exhausted):
            self.metrics.count("Failed")
            self._count_end(run, "FAILED", failed.then.run_seconds)
            return DeadLetter(failed.error, failed.cause, claim.key.local, claim.attempt)
        self.metrics.count("Retried")
        return Delete() if message.token else GiveBack(failed.then.delay)

    async def _unwanted(self, ended: Ended, message: Received) -> Outcome:
        log.info("message %s asks for work nobody wants: %s", message.message_id, ended.reason)
        self.metrics.count("Unwanted")
        if message.token:
            await self.outgoing.refuse(message.token, "RunEnded", ended.reason, message.sent_at)
        return Delete()

    def _count_end(self, run: Run, status: str, seconds: float | None) -> None:
        if seconds is not None:
            self.metrics.run_ended(run.request.pipeline, run.style, status, seconds)
