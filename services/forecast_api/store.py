"""Resources in PostgreSQL. Every statement is of one caller's resources; jobs see those of all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from services.forecast_api.arns import Caller
from services.forecast_api.errors import AlreadyExists, NotFound, Unavailable

Json = dict[str, Any]
Connection = psycopg.Connection[DictRow]
Pool = ConnectionPool[Connection]

ACTIVE, CREATE_FAILED = "ACTIVE", "CREATE_FAILED"
CREATE_PENDING, CREATE_IN_PROGRESS = "CREATE_PENDING", "CREATE_IN_PROGRESS"
DELETE_PENDING, DELETE_IN_PROGRESS = "DELETE_PENDING", "DELETE_IN_PROGRESS"

CONNECTIONS = 10
"""A request that finds none free within `PATIENCE` seconds is answered 503."""

PATIENCE = 5.0

_COLUMNS = (
    "arn, kind, account, region, name, request, details, parents, status, message, attempts, created_at, changed_at"
)


@dataclass(frozen=True)
class Resource:
    """A row without its content. `request` is what it was made by, `details` what its job found."""

    arn: str
    kind: str
    account: str
    region: str
    name: str
    request: Json
    parents: Sequence[str]
    status: str
    details: Json = field(default_factory=dict)
    message: str | None = None
    attempts: int = 0
    created_at: datetime | None = None
    changed_at: datetime | None = None


def open_pool(database_url: str) -> Pool:
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


def make_tables(connection: Connection) -> None:
    """Make what is missing. Safe to repeat."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7064311)")
        connection.execute(files(__package__).joinpath("resources.sql").read_bytes())


class Store:
    """What one request, or one job, does in the database. `connection` is in a transaction of its own for a request."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, resource: Resource) -> None:
        """Raises AlreadyExists when there is one of this kind and name."""
        row = self._connection.execute(
            "INSERT INTO forecast_resources (arn, kind, account, region, name, request, details, parents, status)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING arn",
            (
                *(resource.arn, resource.kind, resource.account, resource.region, resource.name),
                *(json.dumps(resource.request), json.dumps(resource.details), list(resource.parents), resource.status),
            ),
        ).fetchone()
        if row is None:
            raise AlreadyExists(
                f"there is a {resource.kind} called {resource.name}: describe it, or choose another name"
            )

    def find(self, caller: Caller, arn: str, *kinds: str, lock: str = "") -> Resource:
        """`lock` is FOR SHARE or FOR UPDATE. Raises NotFound when the caller has no such resource of these kinds."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM forecast_resources"  # noqa: S608 - both are our own words
            f" WHERE arn = %s AND account = %s AND region = %s AND kind = ANY(%s) {lock}".encode(),
            (arn, caller.account, caller.region, list(kinds)),
        ).fetchone()
        if row is None:
            raise NotFound(f"no {' or '.join(kinds)} has the ARN {arn[:256]}")
        return Resource(**row)

    def get(self, arn: str) -> Resource:
        """Whosever it is. Raises NotFound."""
        query = f"SELECT {_COLUMNS} FROM forecast_resources WHERE arn = %s"  # noqa: S608 - our own words
        row = self._connection.execute(query.encode(), (arn,)).fetchone()
        if row is None:
            raise NotFound(f"{arn} is not there any more")
        return Resource(**row)

    def made_from(self, arn: str) -> list[Resource]:
        """What names it as its parent, the latest first."""
        query = f"SELECT {_COLUMNS} FROM forecast_resources WHERE %s = ANY(parents) ORDER BY created_at DESC, arn"  # noqa: S608
        return [Resource(**row) for row in self._connection.execute(query.encode(), (arn,))]

    def all_of(self, caller: Caller, *kinds: str) -> list[Resource]:
        """The latest first."""
        query = (
            f"SELECT {_COLUMNS} FROM forecast_resources"  # noqa: S608
            " WHERE account = %s AND region = %s AND kind = ANY(%s) ORDER BY created_at DESC, arn DESC"
        )
        found = self._connection.execute(query.encode(), (caller.account, caller.region, list(kinds)))
        return [Resource(**row) for row in found]

    def count(self, caller: Caller, kind: str, statuses: Sequence[str] | None = None) -> int:
        row = self._connection.execute(
            "SELECT count(*) AS found FROM forecast_resources"
            " WHERE account = %s AND region = %s AND kind = %s AND (%s::text[] IS NULL OR status = ANY(%s))",
            (caller.account, caller.region, kind, statuses, statuses),
        ).fetchone()
        return int(row["found"]) if row else 0

    def lock_account(self, caller: Caller) -> None:
        """Until the transaction ends: whoever makes something counts what is there first."""
        self._connection.execute(
            "SELECT pg_advisory_xact_lock(7064312, hashtext(%s))", (f"{caller.account}/{caller.region}",)
        )

    def content(self, arn: str) -> bytes | None:
        row = self._connection.execute("SELECT content FROM forecast_resources WHERE arn = %s", (arn,)).fetchone()
        return bytes(row["content"]) if row and row["content"] is not None else None

    def change(self, arn: str, status: str, request: Json | None = None, parents: Sequence[str] | None = None) -> None:
        self._connection.execute(
            "UPDATE forecast_resources SET status = %s, changed_at = clock_timestamp(),"
            " request = coalesce(%s::jsonb, request), parents = coalesce(%s::text[], parents) WHERE arn = %s",
            (status, json.dumps(request) if request is not None else None, parents, arn),
        )


@contextmanager
def transaction(pool: Pool) -> Iterator[Store]:
    """Raises Unavailable when the database cannot be asked."""
    try:
        with pool.connection() as connection, connection.transaction():
            yield Store(connection)
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise Unavailable("the database does not answer: ask again in a moment") from error


def view(resource: Resource, id_member: str) -> Mapping[str, Any]:
    """A resource in the members of the API's answers. What an operation's output has not is left out later."""
    return {
        **resource.request,
        **resource.details,
        id_member: resource.arn,
        "Status": resource.status,
        "Message": resource.message,
        "CreationTime": resource.created_at,
        "LastModificationTime": resource.changed_at,
    }
