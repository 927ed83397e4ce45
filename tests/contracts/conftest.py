"""Fixtures of the contract tests."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

DATABASE_URL = "BRIGADE_TEST_DATABASE_URL"
TABLES = Path(__file__).parents[2] / "contracts" / "order_history.sql"


@pytest.fixture(autouse=True)
def _pact_reports_no_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pact's verifier would send statistics of its use."""
    monkeypatch.setenv("PACT_DO_NOT_TRACK", "true")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    if given := os.environ.get(DATABASE_URL):
        yield given
        return
    from tests.support.postgres import postgres  # Only here: a squad that is alone cannot import what it needs.

    with postgres() as url:
        yield url


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """A database of a test's own with the empty tables of the order history."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(TABLES.read_bytes())
        yield url
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
