"""The health check of a worker's container, and the file a worker keeps fresh for it."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from contracts.errors import TransientError
from services.runtime import health, worker
from services.runtime.telemetry import ApiCalls
from services.runtime.worker import WorkerProcess


def check(file: Path | None) -> tuple[int, str]:
    """As the image's HEALTHCHECK runs it: isolated, without site-packages."""
    environment = {"BRIGADE_ALIVE_FILE": str(file)} if file else {}
    argv = [sys.executable, "-IS", health.__file__]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_fresh_file_is_a_living_worker(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    file.touch()
    assert check(file) == (0, "")


def test_a_worker_that_has_not_reported_yet(tmp_path: Path) -> None:
    assert check(tmp_path / "alive") == (1, "the worker has not reported to the database yet\n")


def test_a_worker_that_is_silent_for_too_long(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    file.touch()
    then = time.time() - 2 * health.STALE_AFTER
    os.utime(file, (then, then))
    code, said = check(file)
    assert code == 1
    assert said.startswith("the worker's event loop has been silent for 3")


def test_without_a_file_to_look_at_nothing_is_well() -> None:
    code, said = check(None)
    assert code == 1
    assert "BRIGADE_ALIVE_FILE is not set" in said


class Delivery:
    """Reports once, then the database is away; at the third report the file is made old."""

    def __init__(self, file: Path) -> None:
        self.leases = SimpleNamespace(keep=asyncio.Event().wait)
        self.metrics = SimpleNamespace(flush=lambda: None)
        self.queue = SimpleNamespace(receive=self.receive)
        self.file = file
        self.reports = 0
        self.fresh_again = asyncio.Event()

    async def receive(self, most: int, wait: int) -> list[Any]:
        await asyncio.sleep(0.01)
        if self.reports > 2 and self.file.stat().st_mtime > 0:
            self.fresh_again.set()
        return []

    async def report(self, pid: int, calls: Any) -> None:
        self.reports += 1
        if self.reports == 3:
            os.utime(self.file, (0, 0))
        if self.reports > 1:
            raise TransientError("the database is away")


async def test_the_file_stays_fresh_while_the_database_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "REPORT_EVERY", 0.01)
    delivery = Delivery(tmp_path / "alive")
    process = WorkerProcess(cast(Any, delivery), None, ApiCalls(), 1, 1, 1, 1, delivery.file)
    running = asyncio.create_task(process.run())
    async with asyncio.timeout(10):
        await delivery.fresh_again.wait()
        process.stopping.set()
        with pytest.raises(TransientError):
            await running
