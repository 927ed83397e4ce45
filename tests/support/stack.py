"""One real stack for a whole test session: LocalStack and PostgreSQL, started on first use and stopped at the end.

BRIGADE_TEST_AWS_ENDPOINT_URL and BRIGADE_TEST_DATABASE_URL name others to use instead.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest
from psycopg import sql

from orchestrator.embedded.home import Home
from orchestrator.embedded.stack import Endpoints, start, stop


@pytest.fixture
def home() -> Iterator[Home]:
    """An empty home of a test's own. Whatever the test started in it is stopped."""
    with temporary_home() as made:
        yield made


@pytest.fixture(scope="session")
def stack() -> Iterator[Endpoints]:
    """The endpoints of a running LocalStack and PostgreSQL. State in LocalStack is shared by all tests of the session."""
    with temporary_home() as made, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "DATABASE_URL"):
            given = os.environ.get(f"BRIGADE_TEST_{name}")
            if given:
                patch.setenv(name, given)
            else:
                patch.delenv(name, raising=False)
        endpoints = start(made)
        yield endpoints.model_copy(update={"embedded_aws": True})


@pytest.fixture
def database_url(stack: Endpoints) -> Iterator[str]:
    """A fresh, empty database of a test's own on the session's PostgreSQL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield urlsplit(stack.database_url)._replace(path=f"/{name}").geturl()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def aws(stack: Endpoints, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point boto3 and aiobotocore at the session's LocalStack, as an account of the test's own; gives the endpoint URL.

    LocalStack takes a twelve-digit access key for the account's number, so nothing another test made is in the way.
    """
    account = f"{uuid.uuid4().int % 10**12:012}"
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # It would remember the account of an earlier test.
    for name, value in (stack.environment() | {"AWS_ACCESS_KEY_ID": account}).items():
        if name != "DATABASE_URL":
            monkeypatch.setenv(name, value)
    return stack.aws_endpoint_url


@contextmanager
def temporary_home() -> Iterator[Home]:
    """Below /var/tmp: pytest's own folders are closed to the user PostgreSQL runs as for root, and have long paths."""
    made = Home(Path(tempfile.mkdtemp(prefix="brigade-test-", dir="/var/tmp")))
    made.path.chmod(0o711)
    try:
        yield made
    finally:
        stop(made)
        shutil.rmtree(made.path)
