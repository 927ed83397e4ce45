"""A database for the supper, and the runs of it."""

import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from tenacity import wait_none

from contracts.pipeline import Pipeline
from orchestrator.database import Connection, connect, make_tables
from orchestrator.embedded.stack import Endpoints
from services.runtime import attempt, nested, outgoing, queue
from services.runtime.store import Pool
from tests.behaviour.runtime.dinner import UNHURRIED, bread_of_yesterday, dinner, of_dinner
from tests.behaviour.runtime.floor import Floor, open_floor
from tests.behaviour.runtime.gates import gated_pool
from tests.behaviour.runtime.squads import BILLS, Orders, handlers
from tests.behaviour.runtime.supper import HASTY, PATIENT, counted, reheated, snack, supper, two_ends
from tests.behaviour.runtime.world import World
from tests.support.collector import Collector, collecting

PIPELINES = {p.name: p for p in (supper(PATIENT), reheated(PATIENT), counted(PATIENT), two_ends(PATIENT))}
SUPPER = PIPELINES["supper"]

MakeWorld = Callable[..., World]


@pytest.fixture
def url(database_url: str) -> str:
    """A database that does not wait for the disk at each commit: it does not crash itself here."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    return database_url


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with connect(url) as connection:
        make_tables(connection)
        connection.execute(BILLS)
        for graph in (pipeline.graph for pipeline in PIPELINES.values()):
            row = (graph.digest, graph.model_dump_json())
            connection.execute("INSERT INTO graphs (digest, body) VALUES (%s, %s)", row)
        yield connection


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    async with gated_pool(url) as pool:
        yield pool


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Deletes wait for no others, the database is tried again at once, and tens of thousands of log lines stay unwritten."""
    monkeypatch.setattr(queue, "LINGER", 0)
    monkeypatch.setattr(attempt, "wait_random_exponential", lambda **_: wait_none())
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def new_world(pool: Pool, connection: Connection, quick: None) -> MakeWorld:
    """Starts a run."""

    def make(style: str = "choreographed", orders: Orders | None = None, pipeline: Pipeline = SUPPER) -> World:
        world = World(pool, pipeline, orders or Orders(), {})
        world.start(connection, style)
        return world

    return make


@contextmanager
def built(stack: Endpoints, *pipelines: Pipeline) -> Iterator[Floor]:
    """Pipelines, deployed in an account and a database of their own. The environment names them as long as it lasts."""
    name = f"{pipelines[0].name}_{uuid.uuid4().hex[:12]}"
    variables = stack.environment() | {"AWS_ACCESS_KEY_ID": f"{uuid.uuid4().int % 10**12:012}"}
    with psycopg.connect(stack.database_url, autocommit=True) as server, pytest.MonkeyPatch.context() as patch:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        for variable, value in variables.items():
            patch.setenv(variable, value)
        url = urlsplit(stack.database_url)._replace(path=f"/{name}").geturl()
        with connect(url) as connection:
            first, *others = pipelines
            yield open_floor(connection, url, first, {}, *others)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="package")
def building(stack: Endpoints) -> Iterator[Floor]:
    """The snack pipeline, deployed once."""
    with built(stack, snack(HASTY)) as floor:
        yield floor


@pytest.fixture(scope="module")
def hall(stack: Endpoints) -> Iterator[Floor]:
    """The dinner and its cellar, deployed once for a module: the environment names one deployment at a time."""
    with built(stack, *dinner(UNHURRIED)) as floor:
        yield floor


@pytest.fixture
def dinner_party(stack: Endpoints, hall: Floor, monkeypatch: pytest.MonkeyPatch) -> Floor:
    """The dinner with handlers that a test may change, no runs, and looks at nested runs in quick succession."""
    monkeypatch.setattr(nested, "LOOK", 0.1)
    hall.connection.execute("TRUNCATE runs CASCADE")
    hall.clear()
    return replace(hall, handlers=of_dinner(Orders()), fallbacks={"baker": bread_of_yesterday})


@pytest.fixture
def snack_bar(building: Floor) -> Floor:
    """The deployed pipeline with handlers that a test may change; the workers are the test's to start."""
    building.clear()
    return replace(building, handlers=handlers(Orders()))


@pytest.fixture
def no_runs(building: Floor) -> None:
    """No run is left that an earlier test did not finish."""
    building.connection.execute("TRUNCATE runs CASCADE")


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """For task tokens of executions that have ended: they could still become known."""
    monkeypatch.setattr(outgoing, "YOUNG", 0.5)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """It gets the spans of workers that are started now."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector
