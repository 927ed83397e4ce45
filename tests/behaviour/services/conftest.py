"""Real PostgreSQL for the handlers: a database with Brigade's empty tables for each test."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

CONTRACTS = Path(__file__).parents[3] / "contracts"
TABLES = ("order_history.sql", "runs.sql", "publications.sql")


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection that commits every statement, to the database at `database_url`."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in TABLES:
            connection.execute((CONTRACTS / name).read_bytes())
        yield connection
