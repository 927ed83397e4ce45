"""The whole of a run under test: real deliveries on real PostgreSQL, between faked queues, topic and Step Functions."""

import asyncio
import json
from dataclasses import dataclass
from datetime import date
from random import Random
from types import SimpleNamespace
from typing import Any

from aiorwlock import RWLock

from contracts.component import Component
from contracts.errors import BrigadeError
from contracts.message import Event
from contracts.pipeline import Pipeline
from orchestrator.asl import queue_placeholder
from orchestrator.clocks import start_scheduled, strike
from orchestrator.database import Connection
from orchestrator.deploy import Deployment
from orchestrator.start import start_run
from orchestrator.template import filter_policies, state_machine_name
from services.runtime.attempt import Attempt
from services.runtime.context import Context
from services.runtime.delivery import Delivery
from services.runtime.handlers import Kitchen
from services.runtime.leases import Held, Leases
from services.runtime.outgoing import Outgoing
from services.runtime.queue import Queue
from services.runtime.store import Claim, Pool, Run, Store, Worker
from services.runtime.sweep import Sweep
from services.runtime.telemetry import Metrics, step_log
from tests.behaviour.runtime.fake_stepfunctions import FakeStepFunctions
from tests.behaviour.runtime.fakes import FakeSns, FakeSqs, Letter
from tests.behaviour.runtime.gates import WAY, Fate, Killed, Way, gate
from tests.behaviour.runtime.squads import TODAY, Handle, Orders, handlers

STUCK = 20.0
"""Seconds after which a delivery that neither ends nor stops at a gate is given up."""

MACHINE = "arn:aws:states:here:0:stateMachine:supper"

ROUNDS = 1000
"""After which a run that still causes messages never ends."""

Troubles = dict[str, list[type[BrigadeError]]]
"""What a step's handler raises at its first runs, by local key."""


class GatedKitchen(Kitchen):
    """Runs the handler at once, between two gates."""

    def __init__(self, handler: Handle, troubles: Troubles) -> None:
        super().__init__(handler, 1)
        self._function = handler
        self._troubles = troubles

    async def cook(self, inputs: Any, context: Context) -> Event:
        await gate("handling")
        troubles = self._troubles.get(f"{context.component}/{context.item}")
        if troubles:
            raise troubles.pop(0)("a test's own trouble")
        event = self._function(inputs, context)
        await gate("handled")
        return event


class QuietMetrics(Metrics):
    """Counts, and prints nothing."""

    def run_ended(self, pipeline: str, style: str, status: str, seconds: float) -> None:
        self.count("Runs" + status.title().replace("_", ""))


@dataclass(eq=False)
class Course:
    """A delivery under way."""

    letter: Letter
    way: Way
    leases: Leases
    task: asyncio.Task[None]


class World:
    def __init__(
        self, pool: Pool, pipeline: Pipeline, orders: Orders, troubles: Troubles, careless: bool = False
    ) -> None:
        self.pool = pool
        self.pipeline = pipeline
        self.graph = self.pipeline.graph
        self.places = {
            f"{component.name}/{version}": (component, version)
            for component in self.pipeline.components
            for version in component.versions
        }
        self.handlers = handlers(orders)
        self.troubles = troubles
        self.sqs = FakeSqs(careless)
        subscriptions = [
            (url, policy)
            for url, (component, version) in self.places.items()
            for policy in filter_policies(component, version, (self.pipeline,)).values()
        ]
        self.sns = FakeSns(self.sqs, subscriptions)
        self.stepfunctions = FakeStepFunctions(self.graph, self._send_command)
        self.outgoing = Outgoing(self._fake(self.sns), self._fake(self.stepfunctions), "topic")
        self.under_way: list[Course] = []
        self.deliveries = 0
        self.run_id = ""

    def start(self, connection: Connection, style: str, **flags: str) -> None:
        published = "INSERT INTO state_machines (machine, graph, version) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
        connection.execute(published, (MACHINE, self.graph.digest, f"{MACHINE}:{self.graph.digest}"))
        started = start_run(self._aws, connection, self._deployment, self.pipeline, style, TODAY, flags)
        self.run_id = started.run_id
        connection.execute("UPDATE runs SET started_at = now() - interval '1 minute' WHERE run_id = %s", (self.run_id,))

    def start_clocks(self, connection: Connection, day: date = TODAY) -> None:
        """A scheduled run: the planner's command, and from then on `strike`."""
        self.request = start_scheduled(self._aws, connection, self._deployment, self.pipeline, day)
        self.run_id = self.request.run_id

    def strike(self, name: str) -> None:
        component = next(component for component in self.pipeline.components if component.name == name)
        strike(self._aws, self._deployment, component, self.request)

    @property
    def _aws(self) -> Any:
        sqs = SimpleNamespace(send_message=lambda **asked: self.sqs.put(asked["QueueUrl"], asked["MessageBody"]))
        return SimpleNamespace(sqs=sqs, stepfunctions=self.stepfunctions)

    @property
    def _deployment(self) -> Deployment:
        outputs = {queue_placeholder(c.name, v): url for url, (c, v) in self.places.items()}
        return Deployment(outputs | {state_machine_name(self.pipeline.name): MACHINE})

    async def deliver(self, letter: Letter, worker: str, until: int | str = 0, fate: Fate = "finish") -> None:
        """Receive a message and work on it until it has met its fate."""
        self.deliveries += 1
        way = Way()
        way.send_on(until, fate)
        component, version = self.places[letter.url]
        queue = Queue(self._fake(self.sqs), letter.url, f"{letter.url}/dead", component.policy.lease)
        store = Store(self.pool)
        leases = Leases(queue, store, self.outgoing, component.policy)
        identity = Worker(worker, "here", version, component.policy.lease)
        delivery = self._delivery(component, identity, queue, store, leases)
        course = Course(letter, way, leases, asyncio.create_task(self._work(letter, queue, delivery, way)))
        await self._wait(course)

    async def resume(self, course: Course, until: int | str, fate: Fate) -> None:
        course.way.send_on(until, fate)
        self.under_way.remove(course)
        await self._wait(course)

    async def _wait(self, course: Course) -> None:
        stopped = asyncio.create_task(course.way.stopped.wait())
        done, _ = await asyncio.wait({course.task, stopped}, timeout=STUCK, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        assert done, f"a delivery of {course.letter.body[:200]} is stuck"
        if course.task in done:
            await course.task
        else:
            self.under_way.append(course)

    async def _work(self, letter: Letter, queue: Queue, delivery: Delivery, way: Way) -> None:
        WAY.set(way)
        try:
            async with queue:
                self.sqs.to_receive = letter
                (received,) = await queue.receive(1)
                await delivery.process(received)
        except (Killed, asyncio.CancelledError):
            # A dead worker's message stays hidden until its time is up; a cancelled one's was given back.
            return

    def _delivery(self, component: Component, identity: Worker, queue: Queue, store: Store, leases: Leases) -> Delivery:
        metrics = QuietMetrics(component.name, identity.version)
        kitchen = GatedKitchen(self.handlers[component.name], self.troubles)

        def make_context(run: Run, claim: Claim, held: Held) -> Context:
            nothing: Any = None
            return Context(
                run_id=claim.key.run_id,
                component=component.name,
                item=claim.key.item,
                version=identity.version,
                attempt=claim.attempt,
                log=step_log(claim.key, claim.attempt, run.trace_id),
                files=nothing,
                connect=nothing,
                find_earlier=nothing,
                beat=held.beat,
                forecasting=nothing,
            )

        attempt = Attempt(component, self.pool, store, kitchen, None, metrics, make_context)
        return Delivery(component, identity, queue, self.pool, store, self.outgoing, leases, attempt, metrics, RWLock())

    async def sweep(self, url: str) -> None:
        component, version = self.places[url]
        queue = Queue(self._fake(self.sqs), url, f"{url}/dead", component.policy.lease)
        metrics = QuietMetrics(component.name, version)
        sweep = Sweep(self.pool, Store(self.pool), queue, self._fake(self.stepfunctions), metrics)
        await sweep.once(component.name, version)

    async def renew(self, course: Course) -> None:
        """What `Leases.keep` does when a lease is due."""
        await course.leases._renew(list(course.leases._held))

    async def sweep_late(self, pick: int) -> None:
        """A sweep after so long a silence that whatever could have run looks forgotten."""
        await self.let_time_pass()
        await self.sweep(list(self.places)[pick % len(self.places)])

    async def let_time_pass(self) -> None:
        for column in ("ready_at", "lease_until", "ended_at"):
            await self.rows(f"UPDATE steps SET {column} = now() - interval '5 minutes' WHERE {column} < now()")

    async def stir(self, order: Random, times: int) -> None:
        """So many things happen, any of those that can."""
        for _ in range(times):
            visible, hidden = self.sqs.visible(), self.sqs.hidden()
            fate: Fate = order.choice(("finish", "finish", "finish", "pause", "kill", "kill", "fail", "cancel"))
            chance = order.random()
            if visible and chance < 0.6:
                # By queue first, so that fan-outs do not crowd out the rest.
                url = order.choice(sorted({letter.url for letter in visible}))
                letter = order.choice([letter for letter in visible if letter.url == url])
                await self.deliver(letter, order.choice(("one", "two")), order.randrange(25), fate)
            elif self.under_way and chance < 0.75:
                await self.resume(order.choice(self.under_way), order.randrange(25), fate)
            elif hidden and chance < 0.9:
                order.choice(hidden).visible = True
            elif chance < 0.97:
                await self.expire_leases()
            else:
                letter = order.choice([letter for letter in self.sqs.letters if not letter.url.endswith("/dead")])
                self.sqs.put(letter.url, letter.body, letter.token)

    async def drain(self, order: Random) -> None:
        """No more faults: everything is delivered, in any order, until nothing is left.

        Sweeps help only where a queue has lost messages: otherwise the messages alone must be enough.
        """
        for course in list(self.under_way):
            await self.resume(course, 0, "finish")
        self.sqs.refused_deletes = 0
        self.stepfunctions.lose_next_answer = False
        for _ in range(ROUNDS):
            await self.expire_leases()
            if hidden := self.sqs.hidden():
                order.choice(hidden).visible = True
            elif not self.sqs.visible():
                if self.stepfunctions.waiting:
                    self.stepfunctions.time_out(order.choice(list(self.stepfunctions.waiting)))
                elif not self.sqs.careless or await self.status() != "RUNNING":
                    return
                else:
                    await self.sweep_late(order.randrange(len(self.places)))
            if visible := self.sqs.visible():
                await self.deliver(order.choice(visible), "one")
        raise AssertionError(f"after {ROUNDS} rounds there is still something left")

    async def expire_leases(self) -> None:
        await self.rows("UPDATE steps SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")

    async def status(self) -> str:
        (row,) = await self.rows("SELECT status FROM runs WHERE run_id = %(run_id)s")
        return str(row["status"])

    async def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, {"run_id": self.run_id} | parameters)
            return await cursor.fetchall() if cursor.description else []

    def letter(self, url: str, wire_type: str, item: str = "") -> Letter:
        """The message of this type about this item that can be received."""
        for letter in self.sqs.visible():
            body = json.loads(letter.body)
            if letter.url == url and body["type"] == wire_type and body["id"].endswith(item):
                return letter
        raise AssertionError(f"no {wire_type} waits in {url}")

    async def states(self, component: str) -> dict[str, str]:
        """The states of a component's steps, by item."""
        query = "SELECT item, state FROM steps WHERE run_id = %(run_id)s AND component = %(component)s"
        return {row["item"]: row["state"] for row in await self.rows(query, component=component)}

    def events(self) -> dict[str, list[Any]]:
        """What was published, by local key."""
        found: dict[str, list[Any]] = {}
        for event in self.sns.published:
            found.setdefault(event["id"].removeprefix(f"{self.run_id}/"), []).append(event["data"])
        return found

    def _send_command(self, component: str, version: str, body: str, token: str) -> None:
        self.sqs.put(f"{component}/{version}", body, token)

    @staticmethod
    def _fake(client: object) -> Any:
        return client


def loads(text: str | None) -> Any:
    return json.loads(text) if text else None
