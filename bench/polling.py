"""Waiting for Amazon Forecast: by attempts that are tried again, or within one. What Step Functions and SQS are paid for each.

The pipeline order-volume, orchestrated, in both versions of dataset-group on the local forecast service. Transitions are
counted from the executions' histories; dollars are `orchestrator.compare.money`'s, with its dated prices.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from rich.console import Console
from rich.table import Table

from bench.stacks import BenchFailed, out, own_stack, run_as_command
from contracts.amazon_forecast import AWS, CALLBACK, POLLING, Budget, Waiting
from contracts.dataset_group import DATASET_GROUP
from contracts.pipelines import ORDER_VOLUME_PIPELINE, PIPELINES, workers
from contracts.predictor import PREDICTOR
from orchestrator.aws import Aws
from orchestrator.compare.facts import Prices, aws_facts
from orchestrator.compare.money import dollars_of
from orchestrator.compare.recorded import Work
from orchestrator.data import sample, store
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import Deployment, deploy
from orchestrator.embedded.forecast_api import start_forecast_api
from orchestrator.execute import Outcome, execute
from orchestrator.fleet import start_fleet
from orchestrator.measure import Transitions, transitions
from orchestrator.watch import follow

WEEKS = 104
HISTORY_ENDS = date(2026, 11, 20)
DAY = date(2026, 11, 25)

TRAINING = 7_200
"""Seconds that Amazon's own training may take."""

VARIANTS: tuple[Waiting, ...] = (POLLING, CALLBACK)

BILLED = ("Step Functions", "SQS")
"""Lines of the bill that waiting changes. The others are the same in both, but for log lines."""


RAN = """
SELECT r.execution, count(*) - count(DISTINCT (a.component, a.item)) AS again
FROM runs r JOIN attempts a USING (run_id) WHERE run_id = %(run_id)s GROUP BY r.execution
"""


@dataclass(frozen=True)
class Course:
    """A stack with the forecast service and a worker for every component of the pipeline."""

    aws: Aws
    connection: Connection
    deployment: Deployment

    def run(self, waiting: Waiting) -> "Waited":
        """Raises BenchFailed when it does not succeed."""
        outcome = execute(
            self.aws,
            self.connection,
            self.deployment,
            ORDER_VOLUME_PIPELINE,
            "orchestrated",
            DAY,
            {DATASET_GROUP.name: waiting},
            seed=1,
            started=lambda run_id: None,
            follow=lambda run_id: follow(self.connection, run_id, Console(quiet=True)),
        )
        if outcome.status != "SUCCEEDED" or not outcome.alone:
            raise BenchFailed(f"{outcome.run_id} {outcome.status}: {outcome.cause or 'other work was counted with it'}")
        (row,) = fetch_all(self.connection, RAN, {"run_id": outcome.run_id})
        return Waited(outcome, transitions(self.aws, row["execution"]), again=row["again"])


@dataclass(frozen=True)
class Waited:
    """A run, the transitions of its execution, and the attempts `again` at its steps that their rows know of."""

    outcome: Outcome
    transitions: Transitions
    again: int

    @property
    def sha256(self) -> str | None:
        return self.outcome.published.sha256 if self.outcome.published else None

    def dollars(self, prices: Prices) -> dict[str, float]:
        """By line of the bill."""
        cost = self.outcome.model_dump(include=set(Work.model_fields))
        bill = dollars_of(Work(**cost), prices)
        return {line: bill[line] for line in BILLED}


@dataclass(frozen=True)
class Projected:
    """A run on AWS with a training of `seconds`: what is counted of `entered` states, and of the training's own waiting.

    `requests` are those of SQS for the waiting alone.
    """

    entered: int
    retried: int
    requests: int

    def dollars(self, prices: Prices) -> dict[str, float]:
        return {
            "Step Functions": prices.of("states-transition", self.entered + self.retried),
            "SQS": prices.of("sqs-request", self.requests),
        }


def project(waiting: Waiting, entered: int, seconds: int = TRAINING, budget: Budget = AWS) -> Projected:
    """Only the training is waited for; every other step finds what it wants at its first look."""
    if waiting == POLLING:
        looks = -(-seconds // budget.interval)
        return Projected(entered, looks, looks * len(A_RETRY))
    renewals = int(seconds / (PREDICTOR.policy.lease / 3))
    return Projected(entered, 0, renewals)


A_RETRY = ("SendMessage", "ReceiveMessage", "DeleteMessage")
"""Requests of SQS for one more attempt, none shared with another message."""


@contextmanager
def course() -> Iterator[Course]:
    with own_stack("bench-polling") as (home, endpoints), connect(endpoints.database_url) as connection:
        endpoints = start_forecast_api(home, endpoints)
        os.environ.update(endpoints.environment())
        aws = Aws()
        deployment = deploy(aws, connection, PIPELINES, "brigade")
        store(endpoints.database_url, sample(WEEKS, seed=1, ending=HISTORY_ENDS))
        out.print("starting workers")
        start_fleet(home, connection, endpoints, deployment, workers((ORDER_VOLUME_PIPELINE,)), lambda line: None)
        yield Course(aws, connection, deployment)


def measure() -> bool:
    with course() as found:
        out.print("a first run, not counted")
        found.run(CALLBACK)
        out.print("a run of each variant")
        waited = {waiting: found.run(waiting) for waiting in VARIANTS}
    prices = aws_facts().prices
    out.print(table(waited, prices))
    entered = waited[CALLBACK].transitions.entered
    out.print(projection(entered, prices))
    out.print(arithmetic(entered))
    out.print(f"Prices of {prices.as_of}, {prices.region}, {prices.currency}: orchestrator/compare/aws.toml.")
    missed = misses(waited)
    for miss in missed:
        out.print(f"MISSED: {miss}")
    return not missed


def misses(waited: dict[Waiting, Waited]) -> list[str]:
    polling, callback = (waited[waiting] for waiting in VARIANTS)
    found = [
        f"{waiting}: its execution's history has {run.transitions.retried} retries, its steps' rows have {run.again}"
        for waiting, run in waited.items()
        if run.transitions.retried != run.again
    ]
    if polling.sha256 is None or polling.sha256 != callback.sha256:
        found.append("the variants published different forecasts")
    if polling.transitions.entered != callback.transitions.entered:
        found.append("the variants entered different states")
    if callback.transitions.retried:
        found.append(f"the callback variant was tried again, {callback.transitions.retried} times")
    if not polling.transitions.retried:
        found.append("the polling variant found everything at its first look, so nothing was compared")
    return found


def table(waited: dict[Waiting, Waited], prices: Prices) -> Table:
    shown = _table("Measured, on the local forecast service", "seconds")
    for waiting, run in waited.items():
        seconds = f"{run.outcome.seconds:.1f}"
        shown.add_row(waiting, seconds, *_cells(run.transitions, run.dollars(prices)))
    return shown


def projection(entered: int, prices: Prices) -> Table:
    shown = _table(f"Projected, a training of {TRAINING / 3600:g} h on AWS", "SQS requests")
    for waiting in VARIANTS:
        run = project(waiting, entered)
        cells = _cells(Transitions(run.entered, run.retried), run.dollars(prices))
        shown.add_row(waiting, f"{run.requests:,}", *cells)
    return shown


def arithmetic(entered: int) -> str:
    """Of the projection, in words."""
    polling, callback = (project(waiting, entered) for waiting in VARIANTS)
    lease = PREDICTOR.policy.lease
    return (
        f"polling: {entered} states + {TRAINING} s / {AWS.interval} s = {polling.retried} retries, each a transition and "
        f"{len(A_RETRY)} requests of SQS ({', '.join(A_RETRY)})\n"
        f"callback: {entered} states + 0 retries; the lease of {lease} s is renewed every {lease / 3:g} s, "
        f"{callback.requests} requests of SQS (heartbeats of Step Functions are free)\n"
        "Only the training is waited for here, and only the waiting's requests are counted. Polling, every other step that "
        "waits adds a retry for each interval."
    )


def _table(title: str, second: str) -> Table:
    shown = Table(title=title, title_justify="left")
    shown.add_column("waiting")
    for name in (second, "states entered", "retries", "transitions", *(f"{line}, USD" for line in BILLED)):
        shown.add_column(name, justify="right")
    shown.add_column("USD a run", justify="right")
    shown.add_column("USD for 1,000", justify="right")
    return shown


def _cells(counted: Transitions, dollars: dict[str, float]) -> list[str]:
    total = sum(dollars.values())
    counts = [str(number) for number in (counted.entered, counted.retried, counted.billed)]
    return [*counts, *(f"{dollars[line]:.6f}" for line in BILLED), f"{total:.6f}", f"{1_000 * total:.2f}"]


if __name__ == "__main__":
    run_as_command(measure)
