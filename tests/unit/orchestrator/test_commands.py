"""What commands do around what they ask for, and what they print."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from contracts.errors import BadRequest, TransientError
from orchestrator import dead_letters
from orchestrator.cli.app import app
from orchestrator.cli.recovery import _redrive_unfinished
from orchestrator.cli.runs import _print_outcome, _runs_table
from orchestrator.cli.session import Session, out
from orchestrator.execute import result_of
from orchestrator.history import Publication
from tests.unit.orchestrator.test_telling import attempt, history


class Operations:
    """Of a run r1 that was looked at, and of others that nobody asks about."""

    def history(self, run_id: str) -> Any:
        return history(attempt("configurator", "-", 1, "done", 0.5))

    def page(self, run_id: str) -> bytes:
        return b"<!doctype html>"

    def unfinished(self) -> list[str]:
        return ["r1", "r2"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Operations:
    operations = Operations()
    monkeypatch.setattr(Session, "operations", operations)
    return operations


@pytest.mark.parametrize("answer", ["", "n\n"], ids=["closed", "no"])
def test_dead_letters_that_are_not_deleted_can_be_seen_again_at_once(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, released = [SimpleNamespace(dead_letter_url="dead", receipt="r")], []
    sqs = SimpleNamespace(change_message_visibility=lambda **asked: released.append(asked["ReceiptHandle"]))
    monkeypatch.setattr(Session, "aws", SimpleNamespace(sqs=sqs))
    monkeypatch.setattr(Session, "deployment", None)
    monkeypatch.setattr(dead_letters, "dead_letters", lambda *_: held)
    done = CliRunner().invoke(app, ["dlq", "purge", "order-volume"], input=answer)
    assert (done.exit_code, released) == (1, ["r"])


def test_a_run_that_cannot_be_redriven_holds_no_other_up(
    asked: Operations, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def redrive(run_id: str, style: str | None) -> None:
        if run_id == "r1":
            raise TransientError(
                "the run could not be started: connection lost; check the endpoint, then redrive it again"
            )

    monkeypatch.setattr(asked, "redrive", redrive, raising=False)
    assert _redrive_unfinished(Session(), None) == (["r2"], True)
    said = capsys.readouterr().err
    assert "r1: the run could not be started: connection lost" in " ".join(said.split())


@pytest.mark.usefixtures("asked")
def test_a_page_is_written_without_a_table_behind_it(tmp_path: Path) -> None:
    """It may go to standard output, which is the only way out of a container without a mount."""
    file = tmp_path / "run.html"
    done = CliRunner().invoke(app, ["history", "r1", "--html", str(file)])
    assert (done.exit_code, done.stdout, file.read_bytes()) == (0, "", b"<!doctype html>")
    assert "configurator" in CliRunner().invoke(app, ["history", "r1"]).stdout


@pytest.mark.usefixtures("asked")
def test_what_would_be_redriven_can_be_listed_first() -> None:
    done = CliRunner().invoke(app, ["redrive", "--unfinished", "--dry-run"])
    assert (done.exit_code, done.stdout) == (0, "r1\nr2\n")
    error = CliRunner().invoke(app, ["redrive", "r1", "--dry-run"]).exception
    assert isinstance(error, BadRequest)
    assert str(error).startswith("--dry-run lists what --unfinished would redrive")


def test_a_listed_run_shows_when_it_started_and_which_versions_it_chose() -> None:
    row = {
        "run_id": "r1",
        "style": "choreographed",
        "date": "2026-11-25",
        "status": "RUNNING",
        "degraded": False,
        "cause": None,
        "started_at": datetime(2026, 11, 25, 4, tzinfo=UTC),
        "seconds": 2.5,
        "versions": ("order-simulator=v2",),
    }
    wide = Console(width=200)
    with wide.capture() as capture:
        wide.print(_runs_table([row]))
    shown = capture.get()
    for cell in ("started (UTC)", "2026-11-25 04:00:00", "versions", "order-simulator=v2"):
        assert cell in shown


def test_a_run_through_a_service_names_no_command_that_does_not_go_through_it() -> None:
    published = Publication(sha256="0" * 64, rows=1, uri="s3://b/p", csv_uri="s3://b/p.csv")
    with out.capture() as capture:
        _print_outcome(result_of(history().model_copy(update={"published": published})))
    assert "published s3://b/p" in capture.get()
    assert "brigade forecast" not in capture.get()


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_what_compose_started_is_for_compose_to_start_stop_and_show(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIGADE_COMPOSED", "1")
    error = CliRunner().invoke(app, [command]).exception
    assert isinstance(error, BadRequest)
    assert str(error).startswith("the stack is Compose's: ")
