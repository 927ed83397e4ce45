"""History and logs: what happened in a run, in one form for both styles."""

import hashlib
import json
import os
from datetime import UTC
from pathlib import Path

import pytest

from contracts.errors import BadRequest
from contracts.pipelines import ORDER_SIMULATION, workers
from orchestrator.database import fetch_all
from orchestrator.fleet import missing_workers
from orchestrator.history import list_runs, read_history
from orchestrator.logs import run_lines
from orchestrator.start import STYLES
from tests.behaviour.cli.typed import error_line, spawned
from tests.behaviour.pipeline.conftest import Fleet, Story, brigade, brigade_json

ITEMS = {
    "configurator": 1,
    "data-extractor": 6,
    "order-volume": 1,
    "recipe-popularity": 1,
    "network-configuration": 2,
    "order-simulator": 4,
    "site-forecast": 4,
    "publisher": 1,
}


@pytest.mark.parametrize("style", STYLES)
def test_history_has_every_field(story: Story, style: str) -> None:
    run = story.wednesday[style]
    printed = brigade_json("history", run.run_id)
    assert {
        name: printed[name] for name in ("run_id", "pipeline", "style", "date", "status", "cause", "generation")
    } == {
        "run_id": run.run_id,
        "pipeline": "order-simulation",
        "style": style,
        "date": "2026-11-25",
        "status": "SUCCEEDED",
        "cause": None,
        "generation": 1,
    }
    assert printed["versions"] == ["order-simulator=v1", "order-volume=direct"]
    assert printed["degraded"] == []
    assert printed["published"] == json.loads(run.model_dump_json())["published"]
    assert (printed["execution"] is None) == (style == "choreographed")
    assert printed["duration"] == pytest.approx(run.seconds)
    assert [step["component"] for step in printed["steps"]] == [name for name, n in ITEMS.items() for _ in range(n)]
    for step in printed["steps"]:
        assert set(step) == {
            "component",
            "version",
            "item",
            "attempt",
            "mode",
            "status",
            "start",
            "duration",
            "input",
            "output",
            "error",
            "worker",
            "log",
        }
        assert step["start"] >= printed["start"]
        assert 0 <= step["duration"] <= printed["duration"]
        assert step["input"]["plan" if step["component"] != "configurator" else "request"]
        assert step["output"]
        assert step["error"] is None


def test_a_log_is_where_history_says(fleet: Fleet, story: Story) -> None:
    run = story.wednesday["choreographed"]
    for step in fleet.history(run).steps:
        assert step.log
        lines = [
            json.loads(line) for line in Path(step.log).read_text(encoding="utf-8").splitlines() if line[:1] == "{"
        ]
        assert any(
            (line.get("run"), line.get("component"), line.get("item")) == (run.run_id, step.component, step.item)
            for line in lines
        )


@pytest.mark.parametrize("style", STYLES)
def test_logs_merge_the_lines_of_all_components_in_time(story: Story, style: str) -> None:
    run = story.wednesday[style]
    lines = brigade_json("logs", run.run_id)
    assert {line["component"] for line in lines} == set(ITEMS)
    assert {line["run"] for line in lines} == {run.run_id}
    times = [line["timestamp"] for line in lines]
    assert times == sorted(times)
    merged = [line["component"] for line in lines]
    assert merged != sorted(merged)


def test_logs_of_one_component(story: Story) -> None:
    run = story.wednesday["orchestrated"]
    lines = brigade_json("logs", run.run_id, "--component", "order-volume")
    assert {line["component"] for line in lines} == {"order-volume"}


def test_logs_as_text_have_one_line_each(story: Story) -> None:
    run = story.wednesday["orchestrated"]
    done = brigade("logs", run.run_id)
    assert done.returncode == 0
    printed = done.stdout.splitlines()
    assert len(printed) == len(brigade_json("logs", run.run_id))
    assert any("publisher/- #1 " in line for line in printed)


def test_a_line_that_is_being_written_is_left_out(fleet: Fleet, story: Story) -> None:
    """A worker that is killed may leave half a line, and a reader may come in the middle of one."""
    run = story.wednesday["orchestrated"]
    before = run_lines(fleet.connection, run.run_id)
    log = next(step.log for step in fleet.history(run).steps if step.component == "publisher")
    assert log
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f'{{"timestamp":"2026-11-25T12:00:00.000Z","run":"{run.run_id}","mess')
        file.flush()
        assert run_lines(fleet.connection, run.run_id) == before
        file.write('{"timestamp":"2026-11-25T12:00:01.000Z"}\n')  # the next worker's first line, after half of another
        file.flush()
        assert run_lines(fleet.connection, run.run_id) == before


def test_history_as_a_table(story: Story) -> None:
    run = story.friday["orchestrated"]
    done = spawned("history", run.run_id, env=os.environ | {"COLUMNS": "300"})
    assert done.returncode == 0
    assert f"{run.run_id}  orchestrated  SUCCEEDED" in done.stdout
    (reused,) = (line for line in done.stdout.splitlines() if "reused" in line)
    assert "network-configuration" in reused
    assert run.published
    assert run.published.sha256 in done.stdout


def test_runs_are_listed_newest_first(fleet: Fleet, story: Story) -> None:
    listed = [row["run_id"] for row in list_runs(fleet.connection, 1000)]
    ours = [run.run_id for run in story.all]
    assert [run_id for run_id in listed if run_id in ours] == ours[::-1]
    printed = brigade_json("runs", "--limit", "2")
    assert [row["run_id"] for row in printed] == listed[:2]
    assert set(printed[0]) == {
        "run_id",
        "pipeline",
        "style",
        "date",
        "status",
        "degraded",
        "cause",
        "started_at",
        "seconds",
        "versions",
    }


def test_a_run_that_is_not_there(fleet: Fleet) -> None:
    for look in (read_history, run_lines):
        with pytest.raises(BadRequest, match="there is no run 'yesterday': `brigade runs` lists them"):
            look(fleet.connection, "yesterday")


def test_logs_that_are_elsewhere_are_said_to_be(fleet: Fleet, story: Story, tmp_path: Path) -> None:
    """On another machine the files that rows name are not there."""
    run = story.monday
    with fleet.connection.transaction(force_rollback=True):
        fleet.connection.execute("UPDATE attempts SET log = %s || log", (f"{tmp_path}",))
        fleet.connection.execute("UPDATE workers SET log = %s || log", (f"{tmp_path}",))
        with pytest.raises(
            BadRequest, match=f"the log lines of {run.run_id} are not in files of this machine: look in "
        ):
            run_lines(fleet.connection, run.run_id)


def test_only_the_places_of_what_was_asked_for_are_named(fleet: Fleet, story: Story, tmp_path: Path) -> None:
    """Compose's, say: one for each service, and none of versions that the run did not use."""
    run = story.monday
    with fleet.connection.transaction(force_rollback=True):
        for table in ("attempts", "workers"):
            fleet.connection.execute(f"UPDATE {table} SET log = 'logs of ' || component".encode())
        fleet.connection.execute("UPDATE workers SET log = 'logs of the other version' WHERE version = 'v2'")
        with pytest.raises(BadRequest, match=r"of this machine: look in logs of order-volume$"):
            run_lines(fleet.connection, run.run_id, "order-volume")
        with pytest.raises(BadRequest, match=r"look in logs of configurator, .*, logs of site-forecast$"):
            run_lines(fleet.connection, run.run_id)


def test_runs_are_listed_with_their_start_and_versions(fleet: Fleet, story: Story) -> None:
    shown = spawned("runs", "--limit", "1000", env={**os.environ, "COLUMNS": "200"}).stdout
    (line,) = [line for line in shown.splitlines() if story.monday.run_id in line]
    started = read_history(fleet.connection, story.monday.run_id).start
    assert f"{started.astimezone(UTC):%Y-%m-%d %H:%M:%S}" in line
    assert "order-simulator=v1" in line


def test_workers_that_are_missing_are_named(fleet: Fleet) -> None:
    wanted = {(component.name, version) for component, version in workers((ORDER_SIMULATION,))}
    assert missing_workers(fleet.connection, wanted) == []
    assert missing_workers(fleet.connection, wanted | {("order-simulator", "v9")}) == ["order-simulator v9"]
    with fleet.connection.transaction(force_rollback=True):
        fleet.connection.execute("UPDATE workers SET seen_at = now() - interval '1 minute' WHERE version = 'v2'")
        assert missing_workers(fleet.connection, wanted) == ["order-simulator v2"]


def test_a_published_forecast_is_written_to_files(story: Story, tmp_path: Path) -> None:
    run = story.wednesday["orchestrated"]
    assert run.published
    page, table = tmp_path / "forecast.html", tmp_path / "forecast.csv"
    done = brigade("forecast", run.run_id, "--html", str(page), "--csv", str(table))
    assert (done.returncode, done.stdout) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert hashlib.sha256(table.read_bytes()).hexdigest() == run.published.sha256
    found = brigade_json("forecast", run.run_id)
    assert (found["run_id"], found["csv_uri"]) == (run.run_id, run.published.csv_uri)
    assert found["sha256"] == run.published.sha256


def test_the_current_forecast_is_the_default(fleet: Fleet, story: Story) -> None:
    (current,) = fetch_all(fleet.connection, "SELECT run_id FROM current_publication")
    assert brigade_json("forecast")["run_id"] == current["run_id"]
    done = brigade("forecast", "yesterday")
    assert (done.returncode, error_line(done)) == (
        2,
        "run 'yesterday' has published nothing: `brigade runs` lists those that succeeded",
    )
