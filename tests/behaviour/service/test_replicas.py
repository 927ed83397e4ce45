"""`brigade serve` in processes of its own: two of them on one database, and how one begins and ends."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from orchestrator.embedded.stack import Endpoints
from tests.behaviour.cli.conftest import environment
from tests.behaviour.cli.typed import error_line, spawned, typed
from tests.behaviour.pipeline.conftest import database_of_our_own
from tests.behaviour.service.conftest import TOKEN, Ground, Replica, Serve, client_environment

pytestmark = pytest.mark.usefixtures("no_runs")

START = {"pipeline": "order-simulation", "date": "2026-11-25", "style": "choreographed"}


def post(replica: Replica, key: str) -> tuple[int, str]:
    with replica.client() as client:
        answer = client.post("/runs", json=START, headers={"Idempotency-Key": key})
        return answer.status_code, answer.json()["run_id"]


def test_two_replicas_start_one_run_for_one_key(ground: Ground, serve: Serve) -> None:
    with serve() as one, serve() as other, ThreadPoolExecutor(8) as callers:
        found = list(callers.map(lambda number: post((one, other)[number % 2], "k1"), range(8)))
    (run,) = ground.rows("SELECT run_id FROM runs")
    assert {run_id for _, run_id in found} == {run["run_id"]}
    assert sorted(status for status, _ in found) == [200] * 7 + [201]
    for replica in (one, other):
        assert TOKEN not in replica.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("style", ["orchestrated", "choreographed"])
def test_a_run_is_started_read_stopped_and_redriven(ground: Ground, serve: Serve, style: str) -> None:
    with serve() as replica, replica.client() as client:
        begun = client.post("/runs", json=START | {"style": style}).json()
        run = f"/runs/{begun['run_id']}"
        assert len(begun["waits_for"]) == 8
        other = client.post("/runs", json=START | {"seed": 2}, headers={"Idempotency-Key": "k1"})
        assert client.post("/runs", json=START, headers={"Idempotency-Key": "k1"}).status_code == 422
        assert [run["run_id"] for run in client.get("/runs").json()] == [other.json()["run_id"], begun["run_id"]]
        assert client.get(run).json()["status"] == "RUNNING"
        assert client.post(f"{run}/redrive").status_code == (409 if style == "orchestrated" else 200)
        assert client.post(f"{run}/stop").json()["status"] == "FAILED"
        assert client.get(run).json()["cause"] == "stopped by request"
        assert client.post(f"{run}/stop").status_code == 409
        assert client.post(f"{run}/redrive", json={"style": "choreographed"}).json()["status"] == "RUNNING"
        assert client.get(run).json() | {"start": "", "duration": 0, "steps": []} == {
            "run_id": begun["run_id"],
            "pipeline": "order-simulation",
            "style": "choreographed",
            "date": "2026-11-25",
            "status": "RUNNING",
            "degraded": [],
            "cause": None,
            "generation": 2,
            "execution": None,
            "versions": ["order-simulator=v1", "order-volume=direct"],
            "start": "",
            "duration": 0,
            "published": None,
            "steps": [],
        }
        client.post(f"{run}/stop")


def test_sigterm_ends_it_well_and_its_command_line_tells_no_secret(serve: Serve) -> None:
    with serve("--host", "0.0.0.0") as replica:
        told = " ".join(psutil.Process(replica.process.pid).cmdline())
        assert "--port" in told
        assert TOKEN not in told
        with replica.client(None) as client:
            assert (client.get("/health").status_code, client.get("/runs").status_code) == (200, 401)
        replica.process.send_signal(signal.SIGTERM)
        assert replica.process.wait(30) == 0
        assert "Traceback" not in replica.log.read_text(encoding="utf-8")


def test_connections_that_have_died_are_replaced(ground: Ground, serve: Serve) -> None:
    with serve() as replica, replica.client() as client:
        assert client.get("/runs").status_code == 200
        ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
        ground.connection.execute(f"{ours} pg_backend_pid()".encode())
        assert client.get("/runs").status_code == 200


def test_a_port_that_is_taken_is_said_so(ground: Ground, serve: Serve) -> None:
    with serve() as replica:
        port = replica.url.rpartition(":")[2]
        done = typed("serve", "--port", port, env=environment(**ground.variables) | {"BRIGADE_TOKEN": TOKEN})
    assert done.returncode == 2
    assert error_line(done).startswith("cannot listen: Address already in use")
    assert error_line(done).endswith("; choose another --port or --host")


@pytest.mark.parametrize(
    ("arguments", "variables", "reason"),
    [
        (("--host", "0.0.0.0"), {}, "0.0.0.0 can be reached from elsewhere: set BRIGADE_TOKEN or BRIGADE_TOKEN_FILE"),
        ((), {"BRIGADE_TOKEN": "hunter2"}, "the token has less than 16 characters"),
        ((), {"BRIGADE_TOKEN_FILE": "/nowhere/token"}, "BRIGADE_TOKEN_FILE cannot be read"),
        ((), {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "no connection to the database"),
    ],
)
def test_what_it_refuses_to_begin_with(
    ground: Ground, arguments: tuple[str, ...], variables: dict[str, str], reason: str
) -> None:
    done = typed("serve", "--port", "1", *arguments, env=environment(**ground.variables) | variables)
    assert done.returncode == 2
    assert error_line(done).startswith(reason)
    assert "hunter2" not in done.stderr


def test_it_does_not_begin_before_anything_is_deployed(ground: Ground, stack: Endpoints) -> None:
    with database_of_our_own(stack) as url:
        done = typed("serve", env=environment(**ground.variables) | {"DATABASE_URL": url})
    assert (done.returncode, error_line(done)) == (
        2,
        "the database has no tables yet: run `brigade deploy` (or `brigade up`) first",
    )


def test_the_command_line_asks_a_service(ground: Ground, serve: Serve, tmp_path: Path) -> None:
    """It knows neither the database nor AWS."""
    with serve() as replica:
        env = client_environment(ground, replica.url)

        def brigade(*arguments: str, **variables: str) -> tuple[int, str, str]:
            done = spawned(*arguments, env=env | variables)
            return done.returncode, done.stdout, done.stderr

        with replica.client() as client:
            run_id = client.post("/runs", json=START).json()["run_id"]
        code, listed, _ = brigade("runs", "--json")
        (row,) = json.loads(listed)
        assert (code, row["run_id"], row["date"], row["status"]) == (0, run_id, "2026-11-25", "RUNNING")
        local = typed("runs", "--json", env=environment(**ground.variables))
        assert json.loads(local.stdout)[0] | {"seconds": 0} == row | {"seconds": 0}
        page = tmp_path / "run.html"
        code, shown, _ = brigade("history", run_id, "--html", str(page), "--json")
        assert (code, json.loads(shown)["run_id"]) == (0, run_id)
        assert run_id in page.read_text(encoding="utf-8")
        assert brigade("logs", run_id) == (0, "", "")
        assert brigade("stop", run_id)[0] == 0
        code, _, said = brigade("stop", run_id)
        assert (code, said) == (2, f"error: run {run_id} has FAILED already: there is nothing to stop\n")
        code, _, said = brigade("redrive", "r0")
        assert (code, said) == (2, "error: there is no run 'r0': `brigade runs` lists them\n")
        code, _, said = brigade("runs", BRIGADE_TOKEN="not-the-token-it-was")
        assert code == 2
        assert "the token is wrong" in said
    code, _, said = brigade("runs")
    assert code == 1
    assert said.startswith(f"error: no answer from {replica.url}: ")
