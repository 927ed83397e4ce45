"""The command line through a service: a whole run, and the same words as without one."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.service.serve import Settings, app_of, pool_of
from tests.behaviour.cli.typed import Done, typed
from tests.behaviour.pipeline.conftest import PREFIX, WEDNESDAY, Fleet, brigade
from tests.support.server import serving

TOKEN = "a-token-of-32-characters-at-least"


@pytest.fixture(scope="module")
def url(fleet: Fleet) -> Iterator[str]:
    settings = Settings(fleet.database_url, PREFIX, "127.0.0.1", 0, TOKEN, scheduled_style=None)
    with pool_of(fleet.database_url) as pool, serving(app_of(settings, pool)) as found:
        yield found


def through(url: str, *arguments: str) -> Done:
    """With nothing but the service and its token."""
    known = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return typed("--url", url, *arguments, env=known | {"BRIGADE_TOKEN": TOKEN, "BRIGADE_HOME": "/nowhere"})


def told(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_run_from_start_to_end(fleet: Fleet, url: str) -> None:
    asked = ("run", "order-simulation", "--date", f"{WEDNESDAY}", "--style", "choreographed")
    done = through(url, *asked, "--json")
    run = told(done)
    assert run["status"] == "SUCCEEDED"
    assert done.stderr.startswith(f"started {run['run_id']}\n")
    assert f"{run['run_id']} publisher/- attempt 1 done in " in done.stderr
    assert "counting what it cost" not in done.stderr
    assert "messages" not in run
    for command in (("history", run["run_id"], "--json"), ("logs", run["run_id"], "--json")):
        assert told(through(url, *command)) == told(brigade(*command))
    listed = ("runs", "--limit", "1", "--json")
    assert told(through(url, *listed)) == told(brigade(*listed))
    again = through(url, "redrive", run["run_id"])
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == f"error: run {run['run_id']} has succeeded: start a new one with `brigade run`\n"


def test_a_run_that_fails_ends_as_it_does_without_a_service(fleet: Fleet, url: str) -> None:
    asked = ("run", "order-simulation", "--date", "2027-03-03", "--style", "choreographed")
    here, there = brigade(*asked), through(url, *asked)
    assert there.returncode == here.returncode == 1
    assert there.stderr.splitlines()[-1] == here.stderr.splitlines()[-1]
    assert "the history ends" in there.stderr.splitlines()[-1]
