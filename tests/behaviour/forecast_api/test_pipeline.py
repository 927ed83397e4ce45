"""The pipeline order-volume on a whole fleet: by itself and as a step, in both styles, and with its service killed."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from orchestrator.aws import Aws
from orchestrator.database import connect, fetch_all
from orchestrator.deploy import find_deployment
from orchestrator.embedded.stack import Endpoints
from orchestrator.start import STYLES
from tests.behaviour.cli.typed import BRIGADE, spawned
from tests.behaviour.pipeline.conftest import WEDNESDAY, workers_up

Json = dict[str, Any]

PREFIX = "volumes"
WEEKS = 60
PATIENCE = 180.0


def brigade(*arguments: str) -> Any:
    done = spawned(*arguments, "--json", env=os.environ, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(pipeline: str, style: str, *flags: str) -> Json:
    chosen = [part for flag in flags for part in ("--flag", flag)]
    outcome: Json = brigade("run", pipeline, "--date", WEDNESDAY.isoformat(), "--style", style, *chosen)
    assert outcome["status"] == "SUCCEEDED", outcome["cause"]
    return outcome


@retry(retry=retry_if_result(lambda found: not found), wait=wait_fixed(0.05), stop=stop_after_delay(PATIENCE))
def until(condition: Callable[[], Any]) -> Any:
    return condition()


@pytest.fixture(scope="module")
def database(stack: Endpoints) -> Iterator[str]:
    """Of a fleet with workers of both pipelines."""
    with workers_up(stack, PREFIX, WEEKS) as url:
        yield url


@pytest.fixture(scope="module")
def alone(database: str) -> dict[str, Json]:
    """The pipeline by itself, in each style."""
    return {style: run("order-volume", style) for style in STYLES}


def states(database: str, run_id: str) -> dict[str, set[str]]:
    with connect(database) as connection:
        query = "SELECT component, state FROM steps WHERE run_id = %(run_id)s"
        found: dict[str, set[str]] = {}
        for row in fetch_all(connection, query, {"run_id": run_id}):
            found.setdefault(row["component"], set()).add(row["state"])
    return found


def test_both_styles_publish_the_same(alone: dict[str, Json]) -> None:
    first, second = (alone[style]["published"] for style in STYLES)
    assert first["sha256"] == second["sha256"]
    assert first["rows"] == 24  # four weeks of six regions


def test_the_state_machine_looks_again_each_second_a_hundred_times(alone: dict[str, Json]) -> None:
    aws = Aws()
    machine = find_deployment(aws, PREFIX).state_machine_arn("order-volume")
    states = json.loads(aws.stepfunctions.describe_state_machine(stateMachineArn=machine)["definition"])["States"]
    (retrier,) = [each for each in states["predictor"]["Retry"] if each["ErrorEquals"] == ["ResourcePending"]]
    assert (retrier["IntervalSeconds"], retrier["BackoffRate"], retrier["MaxAttempts"]) == (1, 1.0, 100)


def test_waiting_within_an_attempt_publishes_the_same(alone: dict[str, Json], database: str) -> None:
    waited = run("order-volume", "orchestrated", "dataset-group=callback")
    assert waited["published"]["sha256"] == alone["orchestrated"]["published"]["sha256"]
    with connect(database) as connection:
        query = "SELECT count(*) AS tried FROM attempts WHERE run_id = %(run_id)s AND component = 'predictor'"
        assert fetch_all(connection, query, {"run_id": waited["run_id"]}) == [{"tried": 1}]


def test_as_a_step_it_gives_the_same_and_does_not_repeat_what_was_done(alone: dict[str, Json], database: str) -> None:
    outer = {style: run("order-simulation", style, "order-volume=nested") for style in STYLES}
    assert len({each["published"]["sha256"] for each in outer.values()}) == 1
    for each in outer.values():
        assert each["degraded"] == []
        inner = brigade("history", f"{each['run_id']}-order-volume")
        assert (inner["status"], inner["style"]) == ("SUCCEEDED", each["style"])
        assert inner["published"]["sha256"] == alone["orchestrated"]["published"]["sha256"]
        found = states(database, inner["run_id"])
        assert (found["configurator"], found["data-extractor"]) == ({"reused"}, {"reused"})
        assert {each for component, made in found.items() for each in made if "extractor" not in component} == {
            *("done", "reused")
        }


@pytest.mark.parametrize("style", STYLES)
def test_a_run_whose_service_is_killed_in_the_middle_of_its_training(
    style: str, alone: dict[str, Json], database: str
) -> None:
    command = [BRIGADE, "run", "order-volume", "--date", WEDNESDAY.isoformat(), "--style", style, "--json"]
    with (
        subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running,
        connect(database) as connection,
    ):
        training = "SELECT 1 AS found FROM forecast_resources WHERE status = 'CREATE_IN_PROGRESS' AND arn LIKE %(like)s"
        until(lambda: fetch_all(connection, training, {"like": "%:predictor/%"}))
        (pid,) = [each["pid"] for each in brigade_status() if each["name"] == "forecast-api"]
        os.kill(pid, signal.SIGKILL)
        mended = spawned("up", env=os.environ, timeout=PATIENCE)
        assert mended.returncode == 0, mended.stderr
        assert "restarting" not in mended.stderr  # it is where the workers know it
        out, err = running.communicate(timeout=PATIENCE)
        assert running.returncode == 0, err
        query = "SELECT DISTINCT status FROM forecast_resources"
        assert {row["status"] for row in fetch_all(connection, query)} == {"ACTIVE"}
    assert json.loads(out)["published"]["sha256"] == alone["orchestrated"]["published"]["sha256"]


def brigade_status() -> list[Json]:
    """Also when something has ended."""
    processes: list[Json] = json.loads(spawned("status", "--json", env=os.environ).stdout)["processes"]
    return processes
