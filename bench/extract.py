"""Eight batches with ten seconds of database latency each, through the pipeline's Map: side by side against one by one.

The real pipeline and workers run; only the data-extractor's connections find a slow view in place of the table `orders`.
The time is the Map's own, from the rows: from the plan's commit to the last batch's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.table import Table

from bench.stacks import BenchFailed, out, own_stack, run_as_command
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.pipelines import ORDER_SIMULATION, PIPELINES, workers
from orchestrator.aws import Aws
from orchestrator.data import OrderHistory, sample, store
from orchestrator.database import Connection, connect
from orchestrator.deploy import Deployment, deploy
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import start_process, wait_until_ready
from orchestrator.embedded.stack import Endpoints
from orchestrator.fleet import reports, start_fleet, worker_argv, worker_environment
from orchestrator.history import RunHistory
from orchestrator.start import STYLES, start_run
from orchestrator.watch import follow

BATCHES = 8
LATENCY = 10.0
"""Seconds each batch's query sleeps in the database."""

LEAST_GAIN = 6.8
"""Times faster than one batch after another; eight would be perfect."""

HISTORY_ENDS = date(2026, 11, 20)
DAY = date(2026, 11, 25)

SLOW_ORDERS = """
CREATE SCHEMA slow;
CREATE TABLE slow.latency AS SELECT 0::float8 AS seconds;
CREATE VIEW slow.orders AS
    WITH nap AS MATERIALIZED (SELECT pg_sleep(seconds) FROM slow.latency) SELECT o.* FROM nap, public.orders o;
"""

MapSeconds = Callable[[str], float]


@dataclass(frozen=True)
class Course:
    """A stack with a worker for every component."""

    home: Home
    endpoints: Endpoints
    aws: Aws
    connection: Connection
    deployment: Deployment

    def start_workers(self, at_once: int) -> None:
        """The data-extractor's only worker handles so many batches at a time."""
        others = [(each, version) for each, version in workers((ORDER_SIMULATION,)) if each is not DATA_EXTRACTOR]
        start_fleet(self.home, self.connection, self.endpoints, self.deployment, others, lambda line: None)
        version = DATA_EXTRACTOR.versions[0]
        environment = worker_environment(self.endpoints, self.deployment, DATA_EXTRACTOR, version) | {
            "BRIGADE_CONCURRENCY": str(at_once),
            "DATABASE_URL": make_conninfo(self.endpoints.database_url, options="-csearch_path=slow,public"),
        }
        worker = start_process(self.home, DATA_EXTRACTOR.name, worker_argv(DATA_EXTRACTOR, version), environment)
        wait_until_ready(worker, reports(self.connection, worker.pid))

    def map_seconds(self, style: str) -> float:
        """Run the pipeline and take the time of its Map over the batches."""
        run = start_run(self.aws, self.connection, self.deployment, ORDER_SIMULATION, style, DAY, {})
        history = follow(self.connection, run.run_id, Console(quiet=True))
        batches = _ends(history, DATA_EXTRACTOR.name)
        if history.status != "SUCCEEDED" or len(batches) != BATCHES:
            raise BenchFailed(
                f"{run.run_id} {history.status} with {len(batches)} attempts at {BATCHES} batches: "
                f"{history.cause or 'none may fail here'}; see {self.home.logs}"
            )
        return (max(batches) - max(_ends(history, ORDER_SIMULATION.components[0].name))).total_seconds()


def _ends(history: RunHistory, component: str) -> list[datetime]:
    """When each attempt of a component ended."""
    attempts = [step for step in history.steps if step.component == component]
    return [step.start + timedelta(seconds=step.duration) for step in attempts if step.start and step.duration]


@contextmanager
def slow_pipeline(at_once: int) -> Iterator[MapSeconds]:
    """A stack of its own, warm: LocalStack may still serve a poll of a worker that was stopped, and lose its messages."""
    with own_stack("bench-extract") as (home, endpoints), connect(endpoints.database_url) as connection:
        aws = Aws()
        course = Course(home, endpoints, aws, connection, deploy(aws, connection, PIPELINES, "brigade"))
        store(endpoints.database_url, twelve_centres())
        connection.execute(SLOW_ORDERS)
        out.print("starting workers, and a first run without latency")
        course.start_workers(at_once)
        course.map_seconds("orchestrated")
        connection.execute("UPDATE slow.latency SET seconds = %s", (LATENCY,))
        yield course.map_seconds


def twelve_centres() -> OrderHistory:
    """The sample with every centre twice: enough for eight batches."""
    history = sample(20, seed=1, ending=HISTORY_ENDS)
    centres = tuple(row._replace(centre=f"{row.centre} II") for row in history.centres)
    orders = tuple(row._replace(centre=f"{row.centre} II") for row in history.orders)
    caps = tuple(row._replace(weekly_cap=2 * row.weekly_cap) for row in history.factories)
    return replace(history, factories=caps, centres=(*history.centres, *centres), orders=(*history.orders, *orders))


def measure() -> bool:
    with slow_pipeline(at_once=1) as map_seconds:
        out.print(f"{BATCHES} batches of {LATENCY:g} s, one after another")
        one_by_one = map_seconds("choreographed")
    with slow_pipeline(at_once=BATCHES) as map_seconds:
        out.print(f"{BATCHES} batches of {LATENCY:g} s, side by side, in each style")
        side_by_side = {style: map_seconds(style) for style in STYLES}
    out.print(table(one_by_one, side_by_side))
    kept = all(one_by_one / seconds >= LEAST_GAIN for seconds in side_by_side.values())
    out.print(f"{'at least' if kept else 'MISSED: not in both styles at least'} {LEAST_GAIN} times faster")
    return kept


def table(one_by_one: float, side_by_side: dict[str, float]) -> Table:
    shown = Table(title=f"The Map over {BATCHES} batches", title_justify="left")
    shown.add_column("batches")
    shown.add_column("seconds", justify="right")
    shown.add_column("times faster", justify="right")
    shown.add_row("one after another", f"{one_by_one:.1f}", "1.0")
    for style, seconds in side_by_side.items():
        shown.add_row(f"side by side, {style}", f"{seconds:.1f}", f"{one_by_one / seconds:.1f}")
    return shown


if __name__ == "__main__":
    run_as_command(measure)
