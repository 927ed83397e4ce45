"""Running the service: its connections, its chores, and its end."""

import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from contracts.errors import BadRequest
from contracts.pipelines import PIPELINES
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import find_deployment
from orchestrator.operations import LocalOperations
from orchestrator.overdue import fail_overdue
from orchestrator.scheduled import start_due
from orchestrator.service.app import create_app
from orchestrator.service.chores import Chores
from orchestrator.service.guard import is_loopback

CONNECTIONS = 10
"""To the database, of one replica; a request that finds none free within `PATIENCE` seconds is answered 503."""

PATIENCE = 5.0

Pool = ConnectionPool[Connection]

log = logging.getLogger("brigade.service")


@dataclass(frozen=True)
class Settings:
    """`scheduled_style` is that of the runs it starts by itself, and None where it starts none."""

    database_url: str
    prefix: str
    host: str
    port: int
    token: str | None
    scheduled_style: str | None


def check(settings: Settings) -> None:
    """Raises BadRequest when it would serve strangers, or has no database with tables to serve from."""
    if settings.token is None and not is_loopback(settings.host):
        raise BadRequest(
            f"{settings.host} can be reached from elsewhere: set BRIGADE_TOKEN or BRIGADE_TOKEN_FILE, or bind 127.0.0.1"
        )
    with connect(settings.database_url) as connection:
        fetch_all(connection, "SELECT 1 AS found FROM starts LIMIT 1")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT: requests that are being answered are, then it ends."""
    check(settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").addFilter(lambda record: '"GET /health ' not in record.getMessage())
    # uvicorn raises the signal again when all is done: the exit code is 0 then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with listen(settings.host, settings.port) as listening, pool_of(settings.database_url) as pool:
        config = uvicorn.Config(
            app_of(settings, pool),
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=20,
        )
        uvicorn.Server(config).run([listening])


def listen(host: str, port: int) -> socket.socket:
    """Before anything else is done. Raises BadRequest when it cannot be."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise BadRequest(f"cannot listen: {error.strerror}; choose another --port or --host") from error


def pool_of(database_url: str) -> Pool:
    """Connections as `orchestrator.database.connect` makes them; one that has died is replaced before it is handed out."""
    return ConnectionPool(
        database_url,
        connection_class=Connection,
        kwargs={"row_factory": dict_row, "autocommit": True, "connect_timeout": 10},
        min_size=1,
        max_size=CONNECTIONS,
        timeout=PATIENCE,
        check=ConnectionPool.check_connection,
        open=False,
    )


def app_of(settings: Settings, pool: Pool) -> FastAPI:
    aws = Aws()
    _ = aws.cloudformation, aws.stepfunctions, aws.sqs, aws.s3  # made here: boto3 cannot make two at once

    @contextmanager
    def operations() -> Iterator[LocalOperations]:
        with pool.connection() as connection:
            yield LocalOperations(lambda: aws, connection, lambda: find_deployment(aws, settings.prefix))

    return create_app(operations, settings.token, Chores(_chores(settings, pool, aws)))


def _chores(settings: Settings, pool: Pool, aws: Aws) -> list[tuple[str, Callable[[], object]]]:
    def overdue() -> None:
        with pool.connection() as connection:
            for run_id in fail_overdue(connection):
                log.error("run %s failed: its deadline has passed", run_id)

    def scheduled(style: str) -> None:
        with pool.connection() as connection:
            start_due(aws, connection, lambda: find_deployment(aws, settings.prefix), PIPELINES, style)

    chores: list[tuple[str, Callable[[], object]]] = [("fail overdue runs", overdue)]
    if settings.scheduled_style:
        style = settings.scheduled_style
        chores.append(("start scheduled runs", lambda: scheduled(style)))
    return chores
