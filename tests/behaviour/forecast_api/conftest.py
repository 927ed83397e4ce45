"""The forecast service: its application on a real PostgreSQL, and as a process with a real S3 beside it."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from starlette.testclient import TestClient

from services.forecast_api.app import create_app
from services.forecast_api.jobs import Jobs
from services.forecast_api.store import Pool, make_tables, open_pool
from tests.support.postgres import postgres

ROLE = "arn:aws:iam::000000000000:role/forecast"


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def error(self) -> str:
        """The error type, or nothing."""
        return str(self.body.get("__type", ""))


class Api:
    """Requests of one account, as boto3 writes them but for their signature."""

    def __init__(self, client: TestClient, account: str) -> None:
        self._client = client
        self._scope = f"AWS4-HMAC-SHA256 Credential={account}/20261130/us-east-1/forecast/aws4_request"

    def __call__(self, operation: str, request: Any = None, **members: Any) -> Answer:
        """`request` is a body of any kind; members make one."""
        service = "AmazonForecastRuntime" if operation.startswith("Query") else "AmazonForecast"
        body = request if isinstance(request, bytes) else json.dumps(members if request is None else request).encode()
        headers = {"X-Amz-Target": f"{service}.{operation}", "Authorization": self._scope}
        answer = self._client.post("/", content=body, headers=headers)
        return Answer(answer.status_code, answer.json())


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    """PostgreSQL alone: most of this needs no S3."""
    with postgres() as url:
        yield url


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    name = sql.Identifier(f"test_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield urlsplit(server)._replace(path=f"/{name._obj[0]}").geturl()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="package")
def resources(server: str) -> Iterator[str]:
    """The URL of a database with the service's tables."""
    with empty_database(server) as url:
        yield url


@pytest.fixture(scope="package")
def pool(resources: str) -> Iterator[Pool]:
    with open_pool(resources) as opened:
        with opened.connection() as connection:
            make_tables(connection)
        yield opened


@pytest.fixture(scope="package")
def client(pool: Pool, resources: str) -> Iterator[TestClient]:
    """Without anybody who does jobs: what was created stays pending."""
    with TestClient(create_app(pool, Jobs(resources, 1))) as opened:
        yield opened


@pytest.fixture
def api(client: TestClient) -> Api:
    """Of an account that has nothing."""
    return Api(client, f"{uuid.uuid4().int % 10**12:012}")


def attributes(**types: str) -> dict[str, Any]:
    return {"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]}


def target(name: str = "orders", **members: Any) -> dict[str, Any]:
    """A request for a dataset of weekly orders."""
    schema = attributes(item_id="string", timestamp="timestamp", demand="float")
    return {
        "DatasetName": name,
        "Domain": "RETAIL",
        "DatasetType": "TARGET_TIME_SERIES",
        "DataFrequency": "W",
        "Schema": schema,
        **members,
    }
