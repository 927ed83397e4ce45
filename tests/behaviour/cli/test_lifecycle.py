"""`up`, `status`, `down` with everything embedded, as on a fresh machine."""

import json
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from contracts.pipelines import all_components
from orchestrator.embedded.home import Home
from orchestrator.embedded.processes import read_records
from orchestrator.embedded.stack import Endpoints
from orchestrator.template import queue_name
from tests.behaviour.cli.conftest import environment
from tests.behaviour.cli.typed import BRIGADE, Done, error_line, spawned
from tests.support.processes import has_ended
from tests.support.stack import temporary_home

ROOT = Path(__file__).parents[3]
WORKERS = {queue_name(component, version) for component in all_components() for version in component.versions}


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    with temporary_home() as made:
        yield made


def start(home: Home, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [BRIGADE, *arguments],
        env=environment(BRIGADE_HOME=str(home.path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def brigade(home: Home, *arguments: str, **variables: str) -> Done:
    return spawned(*arguments, env=environment(BRIGADE_HOME=str(home.path)) | variables)


@retry(retry=retry_if_result(lambda found: not found), wait=wait_fixed(0.05), stop=stop_after_delay(30))
def until(condition: Callable[[], bool]) -> bool:
    return condition()


def status(home: Home) -> dict[str, Any]:
    """The processes by name, and the exit code."""
    done = brigade(home, "status", "--json")
    return {p["name"]: p for p in json.loads(done.stdout)["processes"]} | {"code": done.returncode}


def test_a_stack_from_up_to_down(home: Home) -> None:
    """One story, since each part takes its time."""
    first = start(home, "up", "--json")
    until(lambda: (home.path / "lock").exists() and (home.path / "lock").read_text(encoding="utf-8") == "up\n")
    for second in ("up", "down"):
        refused = brigade(home, second)
        assert refused.returncode == 2
        line = f"another `brigade up` is at work in {home.path}: wait until it ends, then try again"
        assert error_line(refused) == line
    out, err = first.communicate(timeout=180)
    assert first.returncode == 0, err
    assert json.loads(out)["home"] == str(home.path)

    running = status(home)
    assert running.pop("code") == 0
    assert running.keys() == WORKERS | {"localstack", "postgres", "forecast-api"}
    assert all(process["alive"] and Path(process["log"]).exists() for process in running.values())

    again = brigade(home, "up")
    assert again.returncode == 0, again.stderr
    assert status(home) == running | {"code": 0}

    os.kill(running["publisher"]["pid"], signal.SIGKILL)
    until(lambda: has_ended(psutil.Process(running["publisher"]["pid"])))
    broken = status(home)
    assert broken["code"] == 1
    assert [name for name in running if not broken[name]["alive"]] == ["publisher"]
    mended = brigade(home, "up")
    assert mended.returncode == 0, mended.stderr
    assert [line for line in mended.stderr.splitlines() if "is ready" in line] == ["  publisher is ready"]
    after = status(home)
    assert after["code"] == 0
    assert {name for name in running if after[name]["pid"] != running[name]["pid"]} == {"publisher"}

    os.kill(after["localstack"]["pid"], signal.SIGKILL)
    until(lambda: has_ended(psutil.Process(after["localstack"]["pid"])))
    elsewhere = brigade(home, "up")
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert {name for name in running if status(home)[name]["pid"] == after[name]["pid"]} == {"postgres"}

    processes = [psutil.Process(record.pid) for record in read_records(home)]
    stopped = brigade(home, "down")
    assert stopped.returncode == 0, stopped.stderr
    assert all(has_ended(process) for process in processes)
    assert status(home) == {"code": 0}
    assert no_process_of(home)
    for text in (err, again.stderr, mended.stderr, stopped.stderr):
        assert "Traceback" not in text


def test_up_restarts_the_workers_whose_code_has_changed(tmp_path: Path) -> None:
    """In a copy of the code, which is what both the command line and the workers import."""
    for package in ("contracts", "services", "orchestrator"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    handler = tmp_path / "services" / "publisher" / "handler.py"
    with temporary_home() as home:
        first = brigade(home, "up", "--pipeline", "order-simulation", PYTHONPATH=str(tmp_path))
        assert first.returncode == 0, first.stderr
        running = status(home)

        handler.write_text(handler.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
        second = brigade(home, "up", "--pipeline", "order-simulation", PYTHONPATH=str(tmp_path))
        assert second.returncode == 0, second.stderr
        after = status(home)
        told = [line for line in second.stderr.splitlines() if line.startswith("  ")]
        assert told == ["  restarting publisher: its code or its stack has changed", "  publisher is ready"]
        assert {name for name in running if after[name] != running[name]} == {"publisher"}

        handler.write_text("this is no Python\n", encoding="utf-8")
        broken = brigade(home, "up", "--pipeline", "order-simulation", PYTHONPATH=str(tmp_path))
        assert broken.returncode == 1
        assert "error: publisher ended while it started" in broken.stderr
        assert "SyntaxError" in broken.stderr
        assert {name for name, process in status(home).items() if name != "code" and not process["alive"]} == {
            "publisher"
        }


def no_process_of(home: Home) -> bool:
    """Whether nothing that runs names this home."""
    named = [p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if str(home.path) in str(p.info["cmdline"])]
    return named == []


def test_an_up_that_fails_leaves_nothing_behind(home: Home, stack: Endpoints) -> None:
    """A worker cannot start; what `up` had started by then is stopped."""
    variables = {name: value for name, value in stack.environment().items() if name != "DATABASE_URL"}
    variables |= {"AWS_ACCESS_KEY_ID": f"{uuid.uuid4().int % 10**12:012}", "BRIGADE_CONCURRENCY": "many"}
    failed = brigade(home, "up", **variables)
    assert failed.returncode == 1
    assert "error: configurator ended while it started" in failed.stderr
    assert "BRIGADE_CONCURRENCY: Input should be a valid integer" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert read_records(home) == ()
    assert no_process_of(home)
