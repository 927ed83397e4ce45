"""How steps and log lines are shown."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from orchestrator.cli import runs
from orchestrator.cli.runs import _brief
from orchestrator.history import AttemptAtStep, RunHistory
from orchestrator.logs import text_of
from orchestrator.watch import steps_table


def attempt(component: str, item: str, number: int, status: str, seconds: float | None) -> AttemptAtStep:
    return AttemptAtStep(
        component=component,
        version="v1",
        item=item,
        attempt=number,
        mode="normal",
        status=status,
        start=None,
        duration=seconds,
        input=None,
        output=None,
        error=None,
        worker=None,
        log=None,
    )


def history(*steps: AttemptAtStep) -> RunHistory:
    return RunHistory(
        run_id="r1",
        pipeline="order-simulation",
        style="choreographed",
        date=date(2026, 11, 25),
        status="RUNNING",
        degraded=(),
        cause=None,
        generation=1,
        execution=None,
        versions=(),
        start=datetime(2026, 11, 25, tzinfo=UTC),
        duration=2.5,
        published=None,
        steps=steps,
    )


def shown(*steps: AttemptAtStep) -> list[list[str]]:
    """The table's cells."""
    console = Console(width=200, no_color=True)
    with console.capture() as capture:
        console.print(steps_table(history(*steps)))
    lines = [line for line in capture.get().splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_a_table_has_a_row_for_each_component_with_where_its_items_are() -> None:
    rows = shown(
        attempt("configurator", "-", 1, "done", 0.5),
        attempt("data-extractor", "b1", 1, "done", 0.25),
        attempt("data-extractor", "b2", 1, "running", None),
        attempt("data-extractor", "b3", 0, "waiting", None),
        attempt("publisher", "-", 0, "waiting", None),
    )
    assert rows == [
        ["configurator", "v1", "1", "1 done", "0.50 s"],
        ["data-extractor", "v1", "3", "1 done, 1 running, 1 waiting", "0.25 s"],
        ["publisher", "v1", "1", "1 waiting", ""],
    ]


def test_an_item_that_was_tried_again_counts_once_where_it_is_now() -> None:
    rows = shown(attempt("configurator", "-", 1, "failed", 3.0), attempt("configurator", "-", 2, "done", 0.5))
    assert rows == [["configurator", "v1", "1", "1 done", "0.50 s"]]


def test_a_log_line_says_when_how_bad_where_and_what() -> None:
    line = {
        "timestamp": "2026-11-25T12:00:00.000Z",
        "level": "INFO",
        "message": "[handled] in 0.1 s",
        "component": "order-volume",
        "item": "-",
        "attempt": 2,
    }
    assert text_of(line) == "2026-11-25T12:00:00.000Z INFO    order-volume/- #2 [handled] in 0.1 s"


def test_a_log_line_of_no_attempt() -> None:
    assert text_of({"timestamp": "t", "level": "WARNING", "message": "m", "component": "c"}) == "t WARNING c/- m"


def test_history_shows_references_and_short_values() -> None:
    output = {"trucks": 8, "table": {"uri": "s3://b/c/r1/-/t.parquet"}, "note": "x" * 41, "list": [1]}
    step = attempt("truck-planner", "-", 1, "done", 0.5).model_copy(update={"output": output})
    assert _brief(step, "r1") == "trucks=8\nc/-/t.parquet"
    assert _brief(step, "r2") == "trucks=8\ns3://b/c/r1/-/t.parquet"


def test_stopping_to_follow_says_that_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> RunHistory:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "say", print)
    session: Any = SimpleNamespace(follow=stopped)
    with pytest.raises(KeyboardInterrupt):
        runs._follow(session, "r1")
    assert "the run goes on: `brigade history r1`" in capsys.readouterr().out


def test_whoever_waits_after_the_end_of_a_run_is_told_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = history()
    monkeypatch.setattr(runs, "say", print)
    session: Any = SimpleNamespace(follow=lambda _: ended, url="")
    assert runs._follow(session, "r1") is ended
    assert capsys.readouterr().out == "the run has ended; counting what it cost, once every worker has reported\n"
