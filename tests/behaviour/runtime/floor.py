"""A deployed pipeline on LocalStack and PostgreSQL, and real workers in this process."""

import asyncio
import json
import operator
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import component_named, pipeline_named, workers
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment, deploy
from orchestrator.start import start_run
from services.runtime.__main__ import compose
from services.runtime.settings import Settings
from services.runtime.store import Worker
from services.runtime.worker import WorkerProcess
from tests.behaviour.runtime.squads import TODAY, Handle

Json = dict[str, Any]

PATIENCE = 30.0
"""Seconds after which what a test waits for does not happen any more."""


@dataclass
class Floor:
    aws: Aws
    connection: Connection
    database_url: str
    pipeline: Pipeline
    deployment: Deployment
    handlers: dict[str, Handle]
    fallbacks: dict[str, Handle] = field(default_factory=dict)
    others: tuple[Pipeline, ...] = ()
    """Deployed beside it, perhaps for runs that are steps of it."""
    workers: int = 0

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        return (self.pipeline, *self.others)

    @property
    def places(self) -> tuple[tuple[Component, str], ...]:
        return workers(self.pipelines)

    def component(self, name: str) -> Component:
        return component_named(name, self.pipelines)

    def start(self, style: str, **flags: str) -> str:
        asked = (self.aws, self.connection, self.deployment, self.pipeline, style, TODAY, flags)
        return start_run(*asked, pipelines=self.pipelines).run_id

    @asynccontextmanager
    async def working(
        self, *places: str, drain_seconds: float = 25.0, concurrency: int = 1
    ) -> AsyncIterator[list[WorkerProcess]]:
        """A worker for each of these places, `component` or `component/version`; for all when there is none."""
        chosen = places or tuple(f"{component.name}/{version}" for component, version in self.places)
        async with AsyncExitStack() as stack:
            started = [await self._compose(stack, place, drain_seconds, concurrency) for place in chosen]
            tasks = [asyncio.create_task(worker.run()) for worker in started]
            try:
                yield started
            finally:
                for worker in started:
                    worker.stopping.set()
                await asyncio.gather(*tasks)

    async def _compose(
        self, stack: AsyncExitStack, place: str, drain_seconds: float, concurrency: int
    ) -> WorkerProcess:
        name, _, given = place.partition("/")
        component = self.component(name)
        version = given or component.versions[0]
        component = component.model_copy(update={"policy": component.policy_of(version)})
        nested = self._nested(component, version)
        settings = Settings.model_validate(
            {
                "concurrency": None if nested else concurrency,
                "DATABASE_URL": self.database_url,
                "queue_url": self.deployment.queue_url(component, version),
                "dead_letter_url": self.deployment.dead_letter_url(component, version),
                "topic_arn": self.deployment.topic_arn(component),
                "bucket": self.deployment.bucket,
                "drain_seconds": drain_seconds,
                "poll_seconds": 1,
                **nested,
            }
        )
        self.workers += 1
        identity = Worker(f"{place}-{self.workers}", "here", version, component.policy.lease)
        fallback = self.fallbacks.get(name)
        return await compose(stack, component, self.handlers[name], identity, settings, fallback, self.pipelines)

    def _nested(self, component: Component, version: str) -> dict[str, str]:
        """Where the runs are that this version is."""
        nested = component.nested_in(version)
        if nested is None:
            return {}
        first = pipeline_named(nested.pipeline, self.pipelines).components[0]
        return {
            "nested_machine": self.deployment.state_machine_arn(nested.pipeline),
            "nested_queue_url": self.deployment.queue_url(first, first.versions[0]),
        }

    async def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Poll until the condition gives something, and give that."""
        every = AsyncRetrying(
            retry=retry_if_result(operator.not_), wait=wait_fixed(0.05), stop=stop_after_delay(seconds), reraise=True
        )

        async def look() -> Any:
            return condition()

        return await every(look)

    async def ended(self, run_id: str) -> Json:
        """The run's row when it has ended."""
        (run,) = await self.until(lambda: self.rows(_ENDED, run_id=run_id))
        return dict(run)

    def rows(self, query: str, **parameters: Any) -> list[Json]:
        return [dict(row) for row in fetch_all(self.connection, query, parameters)]

    def attempts(self, run_id: str, component: str) -> list[tuple[str, int, str | None, str | None]]:
        """Item, attempt, outcome and error of every attempt at a component's steps."""
        rows = self.rows(_ATTEMPTS, run_id=run_id, component=component)
        return [(row["item"], row["attempt"], row["outcome"], row["error"]) for row in rows]

    def send(self, name: str, body: str) -> None:
        component = self.component(name)
        url = self.deployment.queue_url(component, component.versions[0])
        self.aws.sqs.send_message(QueueUrl=url, MessageBody=body)

    def dead_letters(self, name: str) -> list[Json]:
        """Body and attributes of each, and takes them out."""
        component = self.component(name)
        url = self.deployment.dead_letter_url(component, component.versions[0])
        answer = self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        found = []
        for message in answer.get("Messages", []):
            self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
            found.append({"body": message["Body"], **attributes})
        return found

    def clear(self) -> None:
        """Forget what an earlier test left."""
        for place in self.places:
            self.aws.sqs.purge_queue(QueueUrl=self.deployment.queue_url(*place))
            self.aws.sqs.purge_queue(QueueUrl=self.deployment.dead_letter_url(*place))

    def take(self, name: str) -> list[str]:
        """Take the messages out of a component's queue that no worker has received yet; gives their bodies."""
        component = self.component(name)
        url = self.deployment.queue_url(component, component.versions[0])
        answer = self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        messages = answer.get("Messages", [])
        for message in messages:
            self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def rename_run(self, old: str, new: str) -> None:
        """Messages under way ask for a run that is not there any more."""
        columns = "pipeline, style, date, request, graph, execution, traceparent, deadline, started_at"
        query = f"""
            INSERT INTO runs (run_id, {columns})
            SELECT %(new)s, {columns.replace("started_at", "now() - interval '1 minute'")} FROM runs WHERE run_id = %(old)s
        """
        self.connection.execute(query.encode(), {"old": old, "new": new})
        self.connection.execute("UPDATE steps SET run_id = %s WHERE run_id = %s", (new, old))
        self.connection.execute("DELETE FROM runs WHERE run_id = %s", (old,))

    def waiting(self, name: str, version: str | None = None) -> int:
        """Messages in a component's queue, seen or unseen."""
        component = self.component(name)
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.deployment.queue_url(component, version or component.versions[0])
        attributes = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(value) for value in attributes.values())

    async def settled(self) -> None:
        """Wait until no message is left in any queue."""
        await self.until(lambda: not any(self.waiting(component.name, version) for component, version in self.places))

    def execution(self, run_id: str) -> Json:
        (run,) = self.rows("SELECT execution FROM runs WHERE run_id = %(run_id)s", run_id=run_id)
        return dict(self.aws.stepfunctions.describe_execution(executionArn=run["execution"]))

    def finished_execution(self, run_id: str) -> Json | None:
        found = self.execution(run_id)
        return found if found["status"] != "RUNNING" else None

    def failed_execution(self, run_id: str) -> Json | None:
        found = self.execution(run_id)
        return found if found["status"] == "FAILED" else None


def open_floor(
    connection: Connection, database_url: str, pipeline: Pipeline, handlers: dict[str, Handle], *others: Pipeline
) -> Floor:
    aws = Aws()
    deployment = deploy(aws, connection, (pipeline, *others), "floor")
    return Floor(aws, connection, database_url, pipeline, deployment, handlers, others=others)


_ENDED = "SELECT * FROM runs WHERE run_id = %(run_id)s AND status <> 'RUNNING'"

_ATTEMPTS = """
SELECT item, attempt, outcome, error FROM attempts
WHERE run_id = %(run_id)s AND component = %(component)s ORDER BY item, attempt
"""


def data_of(body: str) -> Json:
    return dict(json.loads(body)["data"])
