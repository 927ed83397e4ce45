"""The fixture pipeline on a stack of its own, with everything a fault needs in between."""

import asyncio
import operator
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from chaos.api import Api
from chaos.background import background
from chaos.faults import Faults
from chaos.fleet import PLACES, Fleet
from chaos.pipeline import MEAL, MEALS
from chaos.proxy import Line
from contracts.errors import BrigadeError
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import Deployment, deploy
from orchestrator.embedded import localstack, stack
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import find_record, stop_process
from orchestrator.embedded.stack import Endpoints
from orchestrator.start import start_run

Row = dict[str, Any]

PREFIX = "chaos"

TODAY = date(2026, 11, 25)

PATIENCE = 60.0
"""Seconds after which what is waited for does not happen any more."""

STYLES = ("orchestrated", "choreographed")

QUEUE_COUNTS: Any = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class NeverHappened(BrigadeError):
    """Something was waited for as long as it could take, and a little longer."""


@dataclass
class Stage:
    """`network` and `api` lie between workers and LocalStack, `database` between workers and PostgreSQL; `aws` and
    `connection` are the driver's own and pass none of them.
    """

    home: Home
    endpoints: Endpoints
    aws: Aws
    connection: Connection
    deployment: Deployment
    faults: Faults
    network: Line
    api: Api
    database: Line
    fleet: Fleet
    right_hash: str = ""
    """What every run publishes that is not degraded."""

    def learn_the_right_hash(self) -> None:
        """From a run in each style without any fault. Raises NeverHappened when they do not agree."""
        runs = [self.start(style) for style in STYLES]
        statuses = {self.ended(run_id)["status"] for run_id in runs}
        hashes = {sha256 for run_id in runs for sha256 in self.published(run_id)}
        if statuses != {"SUCCEEDED"} or len(hashes) != 1:
            raise NeverHappened(f"two runs without a fault ended {statuses} and published {hashes}: look at their logs")
        (self.right_hash,) = hashes

    def start(self, style: str, day: date = TODAY) -> str:
        """Start a run; gives its id, which begins with `day` and the style."""
        return start_run(self.aws, self.connection, self.deployment, MEAL, style, day, {}).run_id

    def restore(self) -> None:
        """As at first: no fault waits, every line passes, every place has a live worker."""
        self.faults.clear()
        self.api.restore()
        self.network.restore()
        self.database.restore()
        stopped = [place for place in PLACES if place not in self.fleet.running]
        self.fleet.start(*stopped, *self.fleet.dead())

    def until(self, what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Look until the condition gives something, and give that. Raises NeverHappened naming `what`."""
        every = Retrying(retry=retry_if_result(operator.not_), wait=wait_fixed(0.05), stop=stop_after_delay(seconds))
        try:
            return every(condition)
        except RetryError as error:
            raise NeverHappened(f"{what}: not within {seconds:g} s") from error

    def rows(self, query: str, **parameters: Any) -> list[Row]:
        return [dict(row) for row in fetch_all(self.connection, query, parameters)]

    def run(self, run_id: str) -> Row:
        """The run's row."""
        return self.rows("SELECT * FROM runs WHERE run_id = %(run_id)s", run_id=run_id)[0]

    def ended(self, run_id: str, seconds: float = PATIENCE) -> Row:
        """The run's row, when it has ended."""
        query = "SELECT * FROM runs WHERE run_id = %(run_id)s AND status <> 'RUNNING'"
        row: Row = self.until(f"the end of {run_id}", lambda: self.rows(query, run_id=run_id), seconds)[0]
        return row

    def published(self, run_id: str) -> list[str]:
        """The hash of each publication of the run."""
        return [
            row["sha256"] for row in self.rows("SELECT * FROM chaos_meals WHERE run_id = %(run_id)s", run_id=run_id)
        ]

    def attempts(self, run_id: str, component: str) -> list[tuple[str, int, str | None, str | None]]:
        """Item, attempt, outcome and error of every attempt at a component's steps."""
        rows = self.rows(
            "SELECT * FROM attempts WHERE run_id = %(run_id)s AND component = %(component)s ORDER BY item, fence",
            run_id=run_id,
            component=component,
        )
        return [(row["item"], row["attempt"], row["outcome"], row["error"]) for row in rows]

    def waiting(self) -> dict[str, int]:
        """Messages in each queue that has any: visible, delayed and in flight."""
        counts = {c.name: self._count(self.deployment.queue_url(c, c.versions[0])) for c in MEAL.components}
        return {name: count for name, count in counts.items() if count}

    def settled(self, seconds: float = PATIENCE) -> None:
        """Wait until no message is in any queue, and none in flight."""
        self.until("every queue empty and nothing in flight", lambda: not self.waiting(), seconds)

    def lose_localstack(self) -> None:
        """Kill LocalStack and start another, which knows nothing. Workers' calls go to the new one."""
        record = find_record(self.home, localstack.NAME)
        assert record is not None
        stop_process(record, grace=0)
        with environment():
            self.endpoints = stack.start(self.home)
        os.environ.update(self.endpoints.environment())
        self.aws = Aws()
        self.api.move(self.endpoints.aws_endpoint_url)

    def deploy(self) -> None:
        """Again, as after `lose_localstack`. Workers keep the queues they were started with: stop and start them."""
        self.deployment = self.fleet.deployment = deploy(self.aws, self.connection, (MEAL,), PREFIX)

    def execution(self, run_id: str) -> Row:
        return dict(self.aws.stepfunctions.describe_execution(executionArn=self.run(run_id)["execution"]))

    def _count(self, url: str) -> int:
        attributes = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=QUEUE_COUNTS)["Attributes"]
        return sum(int(value) for value in attributes.values())


@contextmanager
def open_stage(home: Home, seed: int = 1) -> Iterator[Stage]:
    """A stack in this home, the pipeline deployed; no worker is started yet. The environment names the stack meanwhile."""
    with ExitStack() as exits:
        exits.enter_context(environment())
        exits.callback(stack.stop, home)
        endpoints = stack.start(home)
        os.environ.update(endpoints.environment())
        connection = exits.enter_context(connect(endpoints.database_url))
        aws = Aws()
        deployment = deploy(aws, connection, (MEAL,), PREFIX)
        connection.execute(MEALS)
        faults = Faults(home.path / "faults")
        faults.create()
        behind = exits.enter_context(background())
        api = exits.enter_context(Api(behind, endpoints.aws_endpoint_url, Random(seed)).listening())
        network = exits.enter_context(Line(behind, lambda: asyncio.open_connection("127.0.0.1", api.port)).listening())
        socket = str(home.postgres / ".s.PGSQL.5432")
        database = exits.enter_context(Line(behind, lambda: asyncio.open_unix_connection(socket)).listening())
        seen = Endpoints(
            aws_endpoint_url=f"http://127.0.0.1:{network.port}",
            database_url=f"postgresql://postgres@127.0.0.1:{database.port}/postgres?sslmode=disable&connect_timeout=5",
        )
        fleet = Fleet(home, connection, seen, deployment, faults)
        exits.callback(fleet.stop)
        yield Stage(home, endpoints, aws, connection, deployment, faults, network, api, database, fleet)


@contextmanager
def environment() -> Iterator[None]:
    """Whatever names another stack is forgotten meanwhile."""
    before = dict(os.environ)
    for name in ("AWS_ENDPOINT_URL", "DATABASE_URL"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
