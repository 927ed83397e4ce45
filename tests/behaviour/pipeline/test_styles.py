"""Both styles, on the same workers: the same forecast, each made by its own handlers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from contracts.pipelines import ORDER_SIMULATION
from orchestrator.database import fetch_all
from orchestrator.execute import Outcome
from orchestrator.start import STYLES
from tests.behaviour.pipeline.conftest import LAST_FRIDAY, WEDNESDAY, Fleet, Story, brigade_json


def sha256(run: Outcome) -> str:
    assert run.status == "SUCCEEDED", run.cause
    assert run.published
    return run.published.sha256


def test_both_styles_publish_the_same(story: Story) -> None:
    for runs in (story.wednesday, story.friday):
        assert set(runs) == set(STYLES)
        assert len({sha256(run) for run in runs.values()}) == 1
        assert len({run.run_id for run in runs.values()}) == 2
        assert len({run.published and run.published.uri for run in runs.values()}) == 2


def test_another_history_is_another_forecast(story: Story) -> None:
    """The Friday before saw a week less and planned for other weeks."""
    assert sha256(story.first_friday) != sha256(next(iter(story.wednesday.values())))


def test_each_run_is_made_by_its_own_handlers(fleet: Fleet, story: Story) -> None:
    """Every step computed once, at the first attempt, with outputs of this run and no other."""
    for run in story.wednesday.values():
        history = fleet.history(run)
        assert len(history.steps) == run.steps == 20
        assert {step.component for step in history.steps} == {c.name for c in ORDER_SIMULATION.components}
        for step in history.steps:
            assert (step.status, step.attempt, step.error) == ("done", 1, None)
            assert step.worker
            assert f"/{step.component}/{run.run_id}/{step.item}/" in str(step.output)
        assert history.execution is None or run.style == "orchestrated"


def test_attempts_are_counted_apart(fleet: Fleet, story: Story) -> None:
    query = "SELECT run_id, count(*) AS attempts FROM attempts GROUP BY run_id"
    attempts = {row["run_id"]: row["attempts"] for row in fetch_all(fleet.connection, query)}
    for run in story.wednesday.values():
        assert attempts[run.run_id] == 20


def test_a_flag_chooses_a_version_without_deploying(fleet: Fleet, story: Story) -> None:
    flags = {"order-simulator": "v2"}
    versions = {"order-volume": "direct", **flags}
    chosen = fleet.both(WEDNESDAY, flags)
    assert len({sha256(run) for run in chosen.values()}) == 1
    assert sha256(chosen["orchestrated"]) != sha256(story.wednesday["orchestrated"])
    for run in chosen.values():
        history = fleet.history(run)
        assert history.versions == ("order-simulator=v2", "order-volume=direct")
        for step in history.steps:
            assert step.version == versions.get(step.component, "v1")
            assert step.worker
            assert step.worker.startswith(f"{step.component}-{step.version}-")


@contextmanager
def one_order_row_changed(fleet: Fleet) -> Iterator[None]:
    change = """
        UPDATE orders SET orders = orders + %s
        WHERE (starts, centre, recipe) = (SELECT starts, centre, recipe FROM orders ORDER BY 1 DESC, 2, 3 LIMIT 1)
    """
    assert fleet.connection.execute(change, (100,)).rowcount == 1
    yield
    assert fleet.connection.execute(change, (-100,)).rowcount == 1


def test_one_order_row_changes_the_forecast(fleet: Fleet, story: Story) -> None:
    with one_order_row_changed(fleet):
        changed = fleet.both(WEDNESDAY)
    assert len({sha256(run) for run in changed.values()}) == 1
    assert sha256(changed["orchestrated"]) != sha256(story.wednesday["orchestrated"])
    assert sha256(fleet.run("choreographed", WEDNESDAY)) == sha256(story.wednesday["orchestrated"])


def test_what_is_published_is_current(fleet: Fleet, story: Story) -> None:
    """The latest date counts, whatever ran last."""
    query = """
        SELECT run_id, p.date, (SELECT max(date) FROM publications) AS latest
        FROM current_publication c JOIN publications p USING (run_id) WHERE c.pipeline = 'order-simulation'
    """
    before = fetch_all(fleet.connection, query)
    fleet.run("choreographed", LAST_FRIDAY)
    (current,) = fetch_all(fleet.connection, query)
    assert [current] == before
    assert current["date"] == current["latest"] > LAST_FRIDAY
    for run in story.all:
        query = "SELECT count(*) AS found FROM published_forecasts WHERE run_id = %(run_id)s"
        (rows,) = fetch_all(fleet.connection, query, {"run_id": run.run_id})
        assert run.published
        assert rows["found"] == run.published.rows > 0


@pytest.mark.parametrize("style", STYLES)
def test_the_command_line_prints_a_run_as_json(fleet: Fleet, story: Story, style: str) -> None:
    printed = brigade_json("run", "order-simulation", "--date", f"{WEDNESDAY}", "--style", style)
    assert printed["status"] == "SUCCEEDED"
    assert printed["style"] == style
    assert printed["date"] == "2026-11-25"
    assert printed["published"]["sha256"] == sha256(story.wednesday[style])
    assert printed["published"]["uri"].startswith(f"s3://{fleet.deployment.bucket}/publisher/{printed['run_id']}/")
    assert printed["steps"] == 20
    assert printed["api_calls"]["sqs"]["ReceiveMessage"] > 0
    assert (printed["state_transitions"] > 0) == (style == "orchestrated")


def test_a_run_id_says_date_and_style(story: Story) -> None:
    for run in story.all:
        assert run.run_id.startswith(f"{run.date}-{run.style}-")
        assert date.fromisoformat(run.run_id[:10]) == run.date
