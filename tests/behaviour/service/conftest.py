"""Everything deployed, without workers, and services on it."""

import os
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from contracts.pipelines import PIPELINES
from orchestrator.aws import Aws
from orchestrator.database import Connection, connect, fetch_all
from orchestrator.deploy import Deployment, deploy
from orchestrator.embedded.stack import Endpoints
from tests.behaviour.cli.conftest import environment
from tests.behaviour.cli.typed import BRIGADE
from tests.behaviour.pipeline.conftest import database_of_our_own

TOKEN = "a-token-of-32-characters-at-least"
PREFIX = "served"


@dataclass(frozen=True)
class Ground:
    """What services stand on. `variables` point a process there."""

    variables: dict[str, str]
    connection: Connection
    aws: Aws
    deployment: Deployment

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in fetch_all(self.connection, query, parameters)]


@pytest.fixture(scope="package")
def ground(stack: Endpoints) -> Iterator[Ground]:
    with database_of_our_own(stack) as url, pytest.MonkeyPatch.context() as patch:
        variables = stack.environment() | {
            "DATABASE_URL": url,
            "AWS_ACCESS_KEY_ID": f"{uuid.uuid4().int % 10**12:012}",
            "BRIGADE_PREFIX": PREFIX,
            "BRIGADE_HOME": "/nowhere",
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        aws = Aws()
        with connect(url) as connection:
            yield Ground(variables, connection, aws, deploy(aws, connection, PIPELINES, PREFIX))


@dataclass(frozen=True)
class Replica:
    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def client(self, token: str | None = TOKEN) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)


Serve = Callable[..., AbstractContextManager[Replica]]


@pytest.fixture
def serve(ground: Ground, tmp_path: Path) -> Serve:
    """Starts `brigade serve` in a process of its own, and waits until it answers."""

    @contextmanager
    def start(*arguments: str, **variables: str) -> Iterator[Replica]:
        port = _free_port()
        log = tmp_path / f"serve-{port}.log"
        env = environment(**ground.variables) | {"BRIGADE_TOKEN": TOKEN} | variables
        with log.open("wb") as output:
            argv = [BRIGADE, "serve", "--port", str(port), *arguments]
            process = subprocess.Popen(argv, env=env, stdout=output, stderr=subprocess.STDOUT)
        replica = Replica(f"http://127.0.0.1:{port}", process, log)
        try:
            _answers(replica)
            yield replica
        finally:
            process.terminate()
            process.wait(30)

    return start


@retry(
    retry=retry_if_exception_type(httpx2.TransportError), wait=wait_fixed(0.1), stop=stop_after_delay(60), reraise=True
)
def _answers(replica: Replica) -> None:
    assert replica.process.poll() is None, replica.log.read_text(encoding="utf-8")
    assert httpx2.get(f"{replica.url}/health").status_code == 200


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture
def no_runs(ground: Ground) -> None:
    """None that an earlier test left."""
    ground.connection.execute("TRUNCATE runs CASCADE")


def client_environment(ground: Ground, url: str, token: str = TOKEN) -> dict[str, str]:
    """Of a command line that knows a service and nothing else."""
    _ = ground
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return inherited | {"BRIGADE_URL": url, "BRIGADE_TOKEN": token, "BRIGADE_HOME": "/nowhere"}
