"""What the worker costs at saturation: SQS API calls and CPU seconds per message, beside a bare receive/delete loop.

Every contestant runs in a process of its own, on a full queue of its own. They take turns for several rounds; a ratio is of
two results of the same round, and the median of the rounds counts.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

from rich.table import Table

from bench.contestants import WITH_STEPS, Result
from bench.stacks import BenchFailed, out, own_stack, run_as_command
from bench.station import COOK, SERVICE
from contracts.envelope import StepKey, seal
from contracts.resolve import resolve
from contracts.run import RunRequest
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect
from orchestrator.deploy import Deployment, deploy
from orchestrator.embedded.home import Home

MESSAGES = 3000
WARM_UP = 200
ROUNDS = 5

MOST_CALLS = 0.25
"""SQS API calls per message."""


@dataclass(frozen=True)
class Entry:
    """A contestant, the other whose CPU time is its measure, and how many times that it may take."""

    name: str
    beside: str = ""
    bound: float = 0


ENTRIES = (
    Entry("bare"),
    Entry("stateless", "bare", 2.0),
    Entry("steps", "bare", 3.0),
    Entry("bare, publishing"),
    Entry("steps, publishing", "bare, publishing", 3.0),
)

Results = dict[str, list[Result]]


@dataclass(frozen=True)
class Contest:
    home: Home
    aws: Aws
    connection: Connection
    deployment: Deployment
    numbers: Iterator[int]

    def run(self, name: str) -> Result:
        """Fill a queue, let one contestant empty it, and check that it did its work."""
        number, count = next(self.numbers), WARM_UP + MESSAGES
        run_id = f"bench-{number}"
        # LocalStack may still serve a poll that a contestant before, now gone, left behind: a new queue has none.
        url = self.aws.sqs.create_queue(QueueName=run_id)["QueueUrl"]
        self._fill(url, run_id, count)
        if name in WITH_STEPS:
            self._insert_run(run_id, count)
        result = self._measure(name, url, number)
        if name in WITH_STEPS:
            self._check_answers(run_id, count)
        return result

    def _fill(self, url: str, run_id: str, count: int) -> None:
        for start in range(0, count, 10):
            entries: Any = [
                {"Id": str(number), "MessageBody": _command(run_id, f"o{number}")}
                for number in range(start, start + 10)
            ]
            self.aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def _insert_run(self, run_id: str, count: int) -> None:
        """A run whose orders all wait for the cook."""
        request = RunRequest(run_id=run_id, pipeline=SERVICE.name, date=date(2026, 11, 25))
        plan = {"orders": [{"key": f"o{number}"} for number in range(count)]}
        self.connection.execute(
            """
            INSERT INTO runs (run_id, pipeline, style, date, request, graph, deadline)
            VALUES (%s, %s, 'choreographed', %s, %s, %s, now() + interval '1 hour')
            """,
            (run_id, SERVICE.name, request.date, request.model_dump_json(), SERVICE.graph.digest),
        )
        with self.connection.cursor() as cursor:
            cursor.executemany(
                """
                INSERT INTO steps (run_id, component, item, version, position, state, needs)
                VALUES (%s, %s, %s, %s, 1, 'waiting', %s)
                """,
                [
                    (run_id, step.component, step.item, step.version, list(step.needs))
                    for step in resolve(SERVICE.graph, request, plan)
                ],
            )

    def _measure(self, name: str, url: str, number: int) -> Result:
        result, log = (self.home.logs / f"contestant-{number}.{suffix}" for suffix in ("json", "log"))
        environment = {
            **os.environ,
            **self.deployment.worker_environment(COOK, "v1"),
            "BRIGADE_QUEUE_URL": url,
            "BRIGADE_POLL_SECONDS": "1",  # the last poll finds nothing
        }
        argv = [sys.executable, "-m", "bench.contestants", name, str(result), str(MESSAGES), str(WARM_UP)]
        with log.open("wb") as output:
            ended = subprocess.run(argv, env=environment, stdout=output, stderr=output, timeout=300, check=False)
        if ended.returncode:
            raise BenchFailed(f"'{name}' ended with exit code {ended.returncode}: see {log}")
        return Result.model_validate_json(result.read_bytes())

    def _check_answers(self, run_id: str, count: int) -> None:
        query = "SELECT count(*) AS done FROM steps WHERE run_id = %s AND component = %s AND state = 'done'"
        row = self.connection.execute(query, (run_id, COOK.name)).fetchone()
        if row is None or row["done"] != count:
            raise BenchFailed(f"not all of {count} steps of {run_id} have an answer: see {self.home.logs}")


def _command(run_id: str, item: str) -> str:
    key = StepKey(run_id=run_id, component=COOK.name, item=item)
    data = {"kitchen": {"stoves": 4}, "order": {"key": item}}
    return seal(key, COOK.input.wire_type(), "bench", data, datetime.now(UTC))


def measure() -> bool:
    with own_stack("bench-worker") as (home, endpoints), connect(endpoints.database_url) as connection:
        aws = Aws()
        contest = Contest(home, aws, connection, deploy(aws, connection, (SERVICE,), "bench"), itertools.count())
        results: Results = {entry.name: [] for entry in ENTRIES}
        for number in range(ROUNDS):
            out.print(f"round {number + 1} of {ROUNDS}: {MESSAGES} messages each")
            for name, found in results.items():
                found.append(contest.run(name))
    out.print(table(results))
    missed = misses(results)
    for miss in missed:
        out.print(f"MISSED: {miss}")
    if not missed:
        out.print("every bound is kept")
    return not missed


def cpu(result: Result) -> float:
    """CPU seconds per 1,000 messages."""
    return result.cpu_seconds / result.messages * 1000


def times(entry: Entry, results: Results) -> float:
    """The CPU seconds of an entry as a multiple of those of the one it is measured beside."""
    rounds = zip(results[entry.name], results[entry.beside], strict=True)
    return median(cpu(mine) / cpu(other) for mine, other in rounds)


def calls(result: Result, service: str) -> float:
    """API calls per message."""
    return sum(count for name, count in result.calls.items() if name.startswith(service)) / result.received


def misses(results: Results) -> list[str]:
    """The bounds that are not kept, in words."""
    found = []
    for entry in ENTRIES:
        most = max(calls(result, "sqs.") for result in results[entry.name])
        if most > MOST_CALLS:
            found.append(f"{entry.name}: {most:.3f} SQS API calls per message, the bound is {MOST_CALLS}")
        if entry.beside and times(entry, results) > entry.bound:
            ratio = times(entry, results)
            found.append(f"{entry.name}: {ratio:.2f} times the CPU of '{entry.beside}', the bound is {entry.bound}")
    return found


def table(results: Results) -> Table:
    shown = Table(title="Per message at saturation (medians)", title_justify="left")
    shown.add_column("contestant")
    headings = ("CPU s per 1,000", "times", "bound", "SQS calls", "receives", "deletes", "SNS calls", "messages/s")
    for heading in headings:
        shown.add_column(heading, justify="right")
    for entry in ENTRIES:
        found = results[entry.name]
        shown.add_row(
            entry.name,
            f"{median(map(cpu, found)):.2f}",
            f"{times(entry, results):.2f}" if entry.beside else "",
            f"{entry.bound:.1f}" if entry.beside else "",
            *(
                f"{median(calls(result, prefix) for result in found):.3f}"
                for prefix in ("sqs.", "sqs.ReceiveMessage", "sqs.DeleteMessageBatch", "sns.")
            ),
            f"{median(result.messages / result.wall_seconds for result in found):.0f}",
        )
    return shown


if __name__ == "__main__":
    run_as_command(measure)
