"""A run that failed is finished: by its dead letter or by its name, in either style, with the same forecast."""

import io
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from contracts.pipelines import ORDER_SIMULATION
from orchestrator.database import fetch_all
from orchestrator.execute import Outcome
from orchestrator.start import STYLES
from orchestrator.watch import follow
from tests.behaviour.cli.typed import error_line, spawned
from tests.behaviour.pipeline.conftest import WEDNESDAY, Fleet, Story, brigade, brigade_json

CAUSE = 'UnexpectedError: UndefinedTable: relation "published_forecasts" does not exist'


@contextmanager
def nowhere_to_publish(fleet: Fleet) -> Iterator[None]:
    """The last component fails at all its attempts, when everything else is done."""
    fleet.connection.execute("ALTER TABLE published_forecasts RENAME TO elsewhere")
    try:
        yield
    finally:
        fleet.connection.execute("ALTER TABLE elsewhere RENAME TO published_forecasts")


def attempts(fleet: Fleet, run_id: str, *, of_the_publisher: bool) -> list[tuple[int, str]]:
    query = "SELECT component, attempt, outcome FROM attempts WHERE run_id = %(run_id)s ORDER BY attempt"
    rows = fetch_all(fleet.connection, query, {"run_id": run_id})
    return [(r["attempt"], r["outcome"]) for r in rows if (r["component"] == "publisher") == of_the_publisher]


def letters(run: Outcome) -> list[dict[str, Any]]:
    """The publisher's dead letters of a run, whole."""
    return [letter for letter in brigade_json("dlq", "show", "publisher") if letter["run_id"] == run.run_id]


def finished_as_expected(fleet: Fleet, story: Story, run: Outcome, style: str) -> None:
    history = brigade_json("history", run.run_id)
    expected = story.wednesday[style].published
    assert expected
    assert (history["status"], history["style"], history["cause"], history["generation"]) == (
        "SUCCEEDED",
        style,
        None,
        2,
    )
    assert history["published"]["sha256"] == expected.sha256
    assert attempts(fleet, run.run_id, of_the_publisher=False) == [(1, "done")] * 19
    failed = [(number, "failed") for number in (1, 2, 3)]
    assert attempts(fleet, run.run_id, of_the_publisher=True) == [*failed, (4, "done")]


@pytest.fixture(scope="module")
def failed(fleet: Fleet, story: Story) -> dict[tuple[str, str], Outcome]:
    """A run of each style for each style it is to be redriven in. All fail at once."""
    pairs = [(style, again) for style in STYLES for again in STYLES]
    with nowhere_to_publish(fleet), ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(fleet.run, style, WEDNESDAY) for style, _ in pairs]
        return {pair: run.result() for pair, run in zip(pairs, runs, strict=True)}


def test_a_dead_letter_says_what_happened(failed: dict[tuple[str, str], Outcome]) -> None:
    sources = {"orchestrated": "/brigade/step-functions", "choreographed": "/brigade/site-forecast"}
    for (style, _), run in failed.items():
        assert run.status == "FAILED"
        assert run.cause
        assert run.cause.startswith(f"publisher/- failed after 3 attempts: {CAUSE}")
        (letter,) = letters(run)
        assert f"{letter['error']}: {letter['reason']}".startswith(CAUSE)
        assert (letter["component"], letter["version"], letter["step"]) == ("publisher", "v1", "publisher/-")
        assert (letter["attempts"], letter["source"]) == (3, sources[style])
        assert 0 < (datetime.now(UTC) - datetime.fromisoformat(letter["first_seen"])).total_seconds() < 600
        assert f'"runid":"{run.run_id}"' in letter["body"].replace(" ", "")
        shown = brigade("dlq", "show", "publisher", letter["message_id"]).stdout
        for text in (
            "attempts    3",
            f"run_id      {run.run_id}",
            f"source      {sources[style]}",
            "first_seen  2",
            f"body        {letter['body'][:40]}",
        ):
            assert text in shown
        listed = {one["message_id"]: one for one in brigade_json("dlq", "list", "publisher")}
        del letter["body"]
        assert listed[letter["message_id"]] == letter


def test_a_list_has_a_line_for_each(failed: dict[tuple[str, str], Outcome]) -> None:
    """In a table of the width of a wide terminal: a narrow one folds its cells."""
    printed = " ".join(spawned("dlq", "list", "publisher", env=os.environ | {"COLUMNS": "240"}).stdout.split())
    assert "UnexpectedError" in printed
    assert "publisher/-" in printed


def test_an_unknown_letter(failed: dict[tuple[str, str], Outcome]) -> None:
    done = brigade("dlq", "show", "publisher", "nothing")
    assert done.returncode == 2
    assert error_line(done) == "publisher has no dead letter nothing: `brigade dlq list publisher` lists them"


@pytest.mark.parametrize("command", ["list", "show", "redrive", "purge"])
def test_a_queue_of_nobody(fleet: Fleet, command: str) -> None:
    done = brigade("dlq", command, "oven")
    assert done.returncode == 2
    assert error_line(done).startswith("unknown component 'oven': there is configurator, ")


def test_its_letter_or_its_name_finishes_a_run(
    fleet: Fleet, story: Story, failed: dict[tuple[str, str], Outcome]
) -> None:
    """By name into the other style; then what is left goes on by its letters, in its own."""
    for (style, again), run in failed.items():
        if style != again:
            done = brigade("redrive", run.run_id, "--style", again, "--json")
            assert done.returncode == 0, done.stderr
            finished_as_expected(fleet, story, run, again)
    became = brigade_json("dlq", "redrive", "publisher")
    assert became["stay"] == {}
    own = [run for (style, again), run in failed.items() if style == again]
    assert {f"redrove run {run.run_id}" for run in own} <= set(became["gone"].values())
    assert brigade_json("dlq", "list", "publisher") == []
    for run in own:
        follow(fleet.connection, run.run_id, Console(file=sys.stderr))
        finished_as_expected(fleet, story, run, run.style)
    assert brigade_json("dlq", "list", "publisher") == []


def test_purging_asks_first(fleet: Fleet, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    url = fleet.deployment.dead_letter_url(ORDER_SIMULATION.components[0], "v1")
    brigade("dlq", "purge", "configurator", "--yes")  # other tests' letters
    for _ in range(2):
        fleet.aws.sqs.send_message(QueueUrl=url, MessageBody="[" * 65_536)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    kept = brigade("dlq", "purge", "configurator")
    assert kept.returncode == 1
    assert "delete 2 dead letters of configurator for good? [y/N]" in kept.stderr
    (letter, _) = brigade_json("dlq", "show", "configurator")
    assert letter["reason"] == "received more often than the queue allows, and no worker could say why"
    assert (letter["run_id"], letter["step"], letter["attempts"], letter["body"]) == (None, None, 0, "[" * 65_536)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert brigade("dlq", "purge", "configurator").returncode == 0
    assert brigade_json("dlq", "list", "configurator") == []
    assert brigade_json("dlq", "purge", "configurator", "--yes") == {"deleted": 0}
