"""One Compose project of the tests' own: a fresh clone, its own names, tags and ports."""

import json
import os
import secrets
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

ROOT = Path(__file__).parents[2]
BASE = "python:3.13-slim"
STYLES = ("orchestrated", "choreographed")


@dataclass(frozen=True)
class Project:
    """`environment` are the variables that docker-compose.yml reads, and the name of the project."""

    folder: Path
    name: str
    environment: dict[str, str]

    def compose(self, *arguments: str, seconds: float = 300) -> str:
        """Run `docker compose`; give what it printed. Fails with what it complained of."""
        argv = ["docker", "compose", *arguments]
        done = subprocess.run(argv, **self._process, capture_output=True, timeout=seconds, check=False)
        assert done.returncode == 0, f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return str(done.stdout)

    def brigade(self, *arguments: str, seconds: float = 300) -> str:
        return self.compose("run", "--rm", "-T", "brigade", *arguments, seconds=seconds)

    def run(self, style: str, *arguments: str) -> dict[str, Any]:
        """The outcome of one run that was followed to its end."""
        outcome: dict[str, Any] = json.loads(self.brigade(*run_of(style), *arguments))
        return outcome

    @contextmanager
    def under_way(self, *arguments: str) -> Iterator["Command"]:
        """`docker compose run` in the background."""
        argv = ["docker", "compose", "run", "--rm", "-T", *arguments]
        process = subprocess.Popen(argv, **self._process, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            yield Command(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def ask(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of the service, from the host, through the published port. With a body it is a POST."""
        headers = {"Authorization": f"Bearer {self.environment['BRIGADE_TOKEN']}", **headers}
        data = json.dumps(body).encode() if body else None
        url = f"http://127.0.0.1:{self.environment['BRIGADE_PORT']}{path}"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, json.load(answer)

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "-q", service).split()

    def states(self) -> dict[str, tuple[str, str, int]]:
        """State, health and exit code of each container's service."""
        rows = [json.loads(line) for line in self.compose("ps", "-a", "--format", "json").splitlines()]
        return {row["Service"]: (row["State"], row["Health"], row["ExitCode"]) for row in rows}

    def rows(self, query: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self.database_url, row_factory=dict_row, connect_timeout=10) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    @cached_property
    def database_url(self) -> str:
        """From the host, through the published port."""
        port, password = self.environment["BRIGADE_DB_PORT"], self.environment["BRIGADE_DB_PASSWORD"]
        return f"postgresql://brigade:{password}@127.0.0.1:{port}/brigade"

    def images(self) -> list[str]:
        return sorted(
            line for line in docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}") if self._ours(line)
        )

    def name_images_before(self) -> None:
        """Give the images names that a build does not take from them, by which they are removed with the others."""
        for image in self.images():
            docker("tag", image, image.replace(":", "-before:"))

    def _ours(self, image: str) -> bool:
        return image.startswith("brigade-") and image.endswith(f":{self.environment['BRIGADE_TAG']}")

    @property
    def _process(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": {**os.environ, **self.environment}, "text": True}


@dataclass(frozen=True)
class Command:
    process: "subprocess.Popen[str]"

    def output(self, seconds: float = 300) -> str:
        """What it printed, once it has ended well."""
        printed, complained = self.process.communicate(timeout=seconds)
        assert self.process.returncode == 0, f"ended with {self.process.returncode}:\n{printed}\n{complained}"
        return printed


def run_of(style: str) -> tuple[str, ...]:
    return ("run", "order-simulation", "--style", style, "--date", "2026-11-25", "--json")


def clone(folder: Path) -> Project:
    """What is committed, without anything that was made in the working tree."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, capture_output=True)
    name = f"brigade-test-{secrets.token_hex(3)}"
    environment = {
        "COMPOSE_PROJECT_NAME": name,
        "BRIGADE_TAG": name,
        "BRIGADE_DB_PASSWORD": secrets.token_hex(8),
        "BRIGADE_AWS_PORT": str(free_port()),
        "BRIGADE_DB_PORT": str(free_port()),
        "BRIGADE_PORT": str(free_port()),
        "BRIGADE_TOKEN": secrets.token_hex(16),
    }
    return Project(folder, name, environment)


def docker(*arguments: str) -> list[str]:
    """The lines that `docker` printed."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()


def size_of(image: str) -> float:
    """In MB, as Docker counts it."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", image)[0]) / 1e6


def left_of(project: Project) -> list[str]:
    """Containers, volumes and networks that carry the project's label."""
    label = f"label=com.docker.compose.project={project.name}"
    return [
        *docker("ps", "-aq", "--filter", label),
        *docker("volume", "ls", "-q", "--filter", label),
        *docker("network", "ls", "-q", "--filter", label),
    ]


def until(condition: Callable[[], bool], seconds: float = 60, every: float = 0.1) -> None:
    """Raises tenacity's RetryError when it does not come true in time."""
    Retrying(retry=retry_if_result(lambda true: not true), wait=wait_fixed(every), stop=stop_after_delay(seconds))(
        condition
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
