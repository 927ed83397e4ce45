"""The database of runs, order history and publications: connecting, and making its tables."""

import re
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from contracts.errors import BadRequest
from contracts.redaction import redacted

Connection = psycopg.Connection[DictRow]

SCHEMAS = ("order_history.sql", "runs.sql", "starts.sql", "publications.sql")


class NotDeployed(BadRequest):
    """What a run needs is not there yet: `brigade deploy` makes it."""


def connect(database_url: str) -> Connection:
    """Rows come as dicts. Raises BadRequest when there is no database to talk to."""
    try:
        return psycopg.connect(database_url, row_factory=dict_row, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise BadRequest(
            f"no connection to the database: {reason_of(error)}; check DATABASE_URL, or run `brigade up`"
        ) from error


def reason_of(error: psycopg.Error) -> str:
    """On one line, without the questions libpq asks back and without passwords."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = " ".join(line for line in lines if line and not line.endswith("?"))
    return redacted(told.rstrip(".;")) or type(error).__name__


_MISSING = """
SELECT 1 FROM unnest(%(names)s::text[]) AS name WHERE to_regclass(name) IS NULL
UNION ALL
SELECT 1 FROM unnest(%(tables)s::text[], %(columns)s::text[]) AS later (table_name, column_name)
WHERE NOT EXISTS (
    SELECT 1 FROM pg_attribute
    WHERE attrelid = to_regclass(table_name) AND attname = column_name AND NOT attisdropped
)
LIMIT 1
"""


def make_tables(connection: Connection) -> None:
    """Make what is missing. Safe to repeat, for several at once, and while runs are under way.

    Where nothing is missing nothing is executed: CREATE INDEX would lock out the workers, even to find its index there.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7064310)")
        for name in SCHEMAS:
            schema = files("contracts").joinpath(name).read_text(encoding="utf-8")
            names = re.findall(r"^CREATE .* IF NOT EXISTS (\w+)", schema, re.MULTILINE)
            columns = re.findall(r"^ALTER TABLE (\w+) ADD COLUMN IF NOT EXISTS (\w+)", schema, re.MULTILINE)
            asked = {"names": names, "tables": [t for t, _ in columns], "columns": [c for _, c in columns]}
            if connection.execute(_MISSING, asked).fetchone():
                connection.execute(schema.encode())


def fetch_all(connection: Connection, query: str, parameters: dict[str, Any] | None = None) -> list[DictRow]:
    """Raises NotDeployed when the tables are not there yet."""
    try:
        return connection.execute(query.encode(), parameters).fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise NotDeployed("the database has no tables yet: run `brigade deploy` (or `brigade up`) first") from error
