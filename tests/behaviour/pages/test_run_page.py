"""The run page from the rows of a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION
from contracts.run import RunRequest
from orchestrator.database import Connection
from orchestrator.page import write_page
from orchestrator.page.content import read_page
from tests.support.html import Page

RUN = "2026-11-25-orchestrated-1a2b3c"
REQUEST = RunRequest.model_validate({"run_id": RUN, "pipeline": "order-simulation", "date": "2026-11-25"})


def insert_run(database: Connection, status: str = "RUNNING") -> None:
    database.execute(
        "INSERT INTO runs (run_id, pipeline, style, date, request, graph, status, deadline, started_at)"
        " VALUES (%s, 'order-simulation', 'orchestrated', %s, %s, %s, %s, now(), now() - interval '10 seconds')",
        (RUN, REQUEST.date, REQUEST.model_dump_json(), ORDER_SIMULATION.graph.digest, status),
    )


def insert_step(database: Connection, component: str, item: str, state: str, position: int, needs: list[str]) -> None:
    database.execute(
        "INSERT INTO steps (run_id, component, item, version, position, state, needs, input, answer)"
        " VALUES (%s, %s, %s, 'v1', %s, %s, %s, %s, %s)",
        (RUN, component, item, position, state, needs, json.dumps({"n": 1}), json.dumps({"plan": 2})),
    )


def insert_attempt(database: Connection, component: str, item: str, fence: int, outcome: str | None, log: Path) -> None:
    database.execute(
        "INSERT INTO attempts (run_id, component, item, fence, generation, attempt, worker, log, started_at, ended_at, outcome)"
        " VALUES (%s, %s, %s, %s, 1, %s, 'w', %s, now() - make_interval(secs => 9 - %s),"
        " CASE WHEN %s::text IS NULL THEN NULL ELSE now() - make_interval(secs => 8.5 - %s) END, %s)",
        (RUN, component, item, fence, fence, str(log), fence, outcome, fence, outcome),
    )


def write_log(file: Path, *lines: dict[str, object]) -> None:
    about = {"timestamp": "2026-11-25T09:00:00.000+00:00", "level": "INFO", "run": RUN}
    file.write_text("".join(json.dumps(about | line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def under_way(database: Connection, log: Path) -> Connection:
    """A run whose plan is there, one of its extractions failed once and is tried again, and the other waits."""
    insert_run(database)
    insert_step(database, "configurator", "-", "done", 0, [])
    insert_step(database, "data-extractor", "b1", "claimed", 1, ["configurator/-"])
    insert_step(database, "data-extractor", "b2", "waiting", 2, ["configurator/-"])
    insert_attempt(database, "configurator", "-", 1, "done", log)
    insert_attempt(database, "data-extractor", "b1", 1, "failed", log)
    insert_attempt(database, "data-extractor", "b1", 2, None, log)
    write_log(
        log,
        {"component": "data-extractor", "item": "b1", "message": "lost the connection"},
        {"component": "data-extractor", "item": "b9", "message": "of no step"},
    )
    return database


def test_a_run_under_way_is_read_as_it_stands(under_way: Connection) -> None:
    page = read_page(under_way, RUN)
    assert page.graph == ORDER_SIMULATION.graph
    assert [(step.key, step.status, len(step.attempts)) for step in page.steps] == [
        ("configurator/-", "done", 1),
        ("data-extractor/b1", "running", 2),
        ("data-extractor/b2", "waiting", 0),
    ]
    assert page.steps[1].needs == ("configurator/-",)
    assert [line["message"] for line in page.steps[1].lines] == ["lost the connection"]
    assert [line["message"] for line in page.other_lines] == ["of no step"]
    assert page.spans(page.steps[1]) == [pytest.approx((2, 2.5), abs=0.1), pytest.approx((3, 10), abs=0.5)]


def test_steps_of_a_run_that_failed_did_not_run(under_way: Connection) -> None:
    under_way.execute("UPDATE runs SET status = 'FAILED', cause = 'the deadline passed', ended_at = now()")
    assert [step.status for step in read_page(under_way, RUN).steps] == ["done", "not run", "not run"]


def test_the_page_is_one_file(under_way: Connection, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    write_page(under_way, RUN, file)
    found = Page(file.read_text(encoding="utf-8"))
    assert found.problems == []
    assert found.headings[0] == RUN
    assert "lost the connection" in found.text


def test_a_run_whose_log_files_are_elsewhere_has_a_page(under_way: Connection, log: Path) -> None:
    log.unlink()
    page = read_page(under_way, RUN)
    assert page.no_lines
    assert str(log) in page.no_lines
    assert page.steps[1].lines == ()


def test_a_file_that_cannot_be_written_is_said_so(under_way: Connection, tmp_path: Path) -> None:
    with pytest.raises(
        BadRequest, match=r"nowhere/run\.html cannot be written: No such file or directory; choose another"
    ):
        write_page(under_way, RUN, tmp_path / "nowhere" / "run.html")


def test_an_unknown_run_is_said_so(database: Connection, tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="there is no run 'r0': `brigade runs` lists them"):
        write_page(database, "r0", tmp_path / "run.html")
    assert not (tmp_path / "run.html").exists()


def test_the_command_writes_it_beside_what_it_prints(under_way: Connection, database_url: str, tmp_path: Path) -> None:
    """It needs the database only: the endpoint is one where nobody listens."""
    file = tmp_path / "run.html"
    command = [str(Path(sys.executable).with_name("brigade")), "history", RUN, "--html", str(file), "--json"]
    environment = os.environ | {"DATABASE_URL": database_url, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run_id"] == RUN
    assert f"wrote {file}" in done.stderr
    assert Page(file.read_text(encoding="utf-8")).headings[0] == RUN
