"""`brigade compare`: a pipeline's name measures, `report` reports, and whoever measures is another process."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.cli import compare
from orchestrator.cli.app import app
from orchestrator.compare.outcomes import outcomes
from orchestrator.compare.recorded import Planted, Recording
from tests.unit.compare.recordings import STYLES, head, run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is run; it fails at once."""
    calls: list[list[str]] = []

    def fail(argv: list[str], **_: Any) -> SimpleNamespace:
        calls.append(argv)
        return SimpleNamespace(returncode=3)

    monkeypatch.setattr(subprocess, "run", fail)
    return calls


def test_a_pipeline_is_measured_by_a_process_of_its_own(asked: list[list[str]], tmp_path: Path) -> None:
    options = [
        "--runs",
        "2",
        "--faults",
        "outage",
        "--seed",
        "7",
        "--out",
        str(tmp_path),
        "--subject",
        "examples.two_stations",
    ]
    done = CliRunner().invoke(app, ["compare", "two-stations", *options])
    assert done.exit_code == 3, done.output
    assert asked[0][:4] == [sys.executable, "-m", "chaos.compare", "two-stations"]
    given = dict(zip(asked[0][4::2], asked[0][5::2], strict=True))
    assert given == {
        "--runs": "2",
        "--seed": "7",
        "--faults": "outage",
        "--styles": "scheduled,choreographed,orchestrated",
        "--time-scale": "90",
        "--out": str(tmp_path),
        "--subject": "examples.two_stations",
    }


@pytest.mark.parametrize("typed", [["compare", "order-simulation"], ["compare", "measure", "order-simulation"]])
def test_the_command_s_name_may_be_left_out(asked: list[list[str]], tmp_path: Path, typed: list[str]) -> None:
    CliRunner().invoke(app, [*typed, "--out", str(tmp_path)])
    assert asked[0][3] == "order-simulation"


def test_report_is_no_pipeline(asked: list[list[str]], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", "report", str(tmp_path)])
    assert "holds no recording" in str(done.exception)
    assert asked == []


def test_nothing_is_measured_whose_report_cannot_be_made(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "EXTRA", ("jinja2", "a_library_of_nobody"))
    done = CliRunner().invoke(app, ["compare", "order-simulation", "--out", str(tmp_path)])
    assert str(done.exception) == "a_library_of_nobody is not installed: install brigade with its extra `compare`"
    assert asked == []


def test_the_table_has_what_became_of_each_repetition_in_each_style() -> None:
    runs = [run(number, STYLES[number % 3]) for number in range(6)]
    fault = Planted(kind="database down for a moment", component="chaos-cook", planted=1.0)
    hit = [one.model_copy(update={"fault": fault}) for one in runs[3:]]
    failed = hit[1].model_copy(update={"status": "FAILED", "published_sha256": None})
    beside = [run(6, "orchestrated").model_copy(update=role) for role in ({"control": True}, {"warm_up": True})]
    first, second = outcomes(Recording(head=head(), runs=(*runs[:3], hit[0], failed, hit[2], *beside)))
    assert (first.fault, first.component, set(first.outcomes.values())) == ("nothing", None, {"succeeded"})
    assert (second.fault, second.component) == ("database down for a moment", "chaos-cook")
    assert second.outcomes == {"scheduled": "succeeded", "choreographed": "failed", "orchestrated": "succeeded"}
