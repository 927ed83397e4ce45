"""A whole fleet, started by `brigade up` on the session's stack, with a database and an AWS account of its own."""

import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from rich.console import Console

from contracts.pipelines import ORDER_SIMULATION
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import Deployment, find_deployment
from orchestrator.embedded.stack import Endpoints
from orchestrator.execute import Outcome, execute
from orchestrator.history import RunHistory, read_history
from orchestrator.start import STYLES
from orchestrator.watch import follow
from tests.behaviour.cli.typed import Done, spawned, typed
from tests.support.stack import temporary_home

PREFIX = "kitchen"
LAST_FRIDAY = date(2026, 11, 20)
"""The sample's last day. It has menus for the five weeks after it."""
WEEKS, SEED = 30, 1
WEDNESDAY = date(2026, 11, 25)


@dataclass(frozen=True)
class Fleet:
    aws: Aws
    connection: Connection
    deployment: Deployment
    database_url: str

    def run(self, style: str, day: date, flags: dict[str, str] | None = None) -> Outcome:
        """A run from start to end, on a connection of its own: several may be under way at once."""
        with connect(self.database_url) as connection:
            return execute(
                self.aws,
                connection,
                self.deployment,
                ORDER_SIMULATION,
                style,
                day,
                flags or {},
                seed=1,
                started=lambda run_id: None,
                follow=lambda run_id: follow(connection, run_id, Console(file=sys.stderr)),
            )

    def both(self, day: date, flags: dict[str, str] | None = None) -> dict[str, Outcome]:
        """One run of each style, one after the other."""
        return {style: self.run(style, day, flags) for style in STYLES}

    def history(self, run: Outcome) -> RunHistory:
        return read_history(self.connection, run.run_id)

    def states(self, run: Outcome, component: str) -> dict[str, str]:
        """The states of a component's steps, by item."""
        query = (
            "SELECT item, state FROM steps WHERE run_id = %(run_id)s AND component = %(component)s ORDER BY position"
        )
        rows = fetch_all(self.connection, query, {"run_id": run.run_id, "component": component})
        return {row["item"]: row["state"] for row in rows}


@dataclass(frozen=True)
class Story:
    """Runs of a week, in this order, on a database without any before. `wednesday` and `friday` are by style."""

    first_friday: Outcome
    monday: Outcome
    wednesday: dict[str, Outcome]
    friday: dict[str, Outcome]

    @property
    def all(self) -> tuple[Outcome, ...]:
        return (self.first_friday, self.monday, *self.wednesday.values(), *self.friday.values())


@pytest.fixture(scope="package")
def story(fleet: Fleet) -> Story:
    assert fetch_all(fleet.connection, "SELECT run_id FROM runs") == []
    return Story(
        first_friday=fleet.run("orchestrated", LAST_FRIDAY),
        monday=fleet.run("choreographed", LAST_FRIDAY + timedelta(days=3)),
        wednesday=fleet.both(WEDNESDAY),
        friday=fleet.both(LAST_FRIDAY + timedelta(days=7)),
    )


def brigade(*arguments: str) -> Done:
    """The command line, with the fleet's environment."""
    return typed(*arguments, env=os.environ)


def brigade_json(*arguments: str) -> Any:
    done = brigade(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def database_of_our_own(stack: Endpoints) -> Iterator[str]:
    name = f"kitchen_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlsplit(stack.database_url)._replace(path=f"/{name}").geturl()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def workers_up(stack: Endpoints, prefix: str, weeks: int, *arguments: str) -> Iterator[str]:
    """`brigade up` with these arguments, and so many weeks of the sample. Gives the database's address.

    The environment names the stack as long as it lasts.
    """
    with database_of_our_own(stack) as url, temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        variables = stack.environment() | {
            "DATABASE_URL": url,
            "AWS_ACCESS_KEY_ID": f"{uuid.uuid4().int % 10**12:012}",
            "BRIGADE_HOME": str(home.path),
            "BRIGADE_PREFIX": prefix,
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        started = spawned("up", *arguments, env=os.environ)
        assert started.returncode == 0, started.stderr
        brigade_json("sample", "--weeks", f"{weeks}", "--seed", f"{SEED}", "--ending", f"{LAST_FRIDAY}")
        yield url
        stopped = spawned("down", env=os.environ)
        assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(scope="package")
def fleet(stack: Endpoints) -> Iterator[Fleet]:
    """Workers of every component, and 30 weeks of the sample."""
    with workers_up(stack, PREFIX, WEEKS, "--pipeline", "order-simulation") as url:
        aws = Aws()
        connection = connect(url)
        yield Fleet(aws, connection, find_deployment(aws, PREFIX), url)
        connection.close()
