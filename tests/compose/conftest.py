"""One project for all tests of this folder: cloned, built and started once, removed at the end with its images."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.project import Project, clone, docker

UP_WITHIN = 300.0
"""Seconds. A machine with nothing else to do needs a tenth of it."""


@pytest.fixture(scope="session")
def engine() -> None:
    """Ends the tests with one line where no engine answers."""
    try:
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.exit("docker is not installed: these tests need a Docker engine with Compose", returncode=2)
    if answer.returncode != 0:
        pytest.exit("no Docker engine answers: start it (`docker info` says more), then try again", returncode=2)


@pytest.fixture(scope="session")
def project(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Built, up and healthy, with the sample history that `make demo` uses."""
    made = clone(tmp_path_factory.mktemp("clone") / "brigade")
    try:
        _timed("docker compose build", made, "build", seconds=1200)
        _timed("docker compose up -d --wait", made, "up", "-d", "--wait", seconds=UP_WITHIN)
        made.brigade("sample", "--weeks", "104", "--seed", "1", "--ending", "2026-11-20")
        yield made
    except BaseException:
        _keep_logs(made, tmp_path_factory.getbasetemp())
        raise
    finally:
        made.compose("--profile", "*", "down", "-v", "--remove-orphans")
        if images := made.images():
            docker("image", "rm", *images)


def _timed(what: str, project: Project, *arguments: str, seconds: float) -> None:
    started = time.monotonic()
    project.compose(*arguments, seconds=seconds)
    print(f"\n{what}: {time.monotonic() - started:.0f} s")


def _keep_logs(project: Project, folder: Path) -> None:
    file = folder / "compose.log"
    file.write_text(project.compose("logs", "--no-color", "--timestamps"), encoding="utf-8")
    print(f"\nthe containers' log lines are in {file}")
