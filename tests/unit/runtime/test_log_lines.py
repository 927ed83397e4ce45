"""One JSON object a line."""

import io
import json
import logging
import sys
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from services.runtime.telemetry import JsonLines, Metrics

STEP: dict[str, Any] = {"run": "r1", "item": "onions", "attempt": 2, "trace_id": "0af7651916cd43dd8448eb211c80319c"}


def record(message: str = "peeled %d", *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("brigade.step", logging.INFO, "kitchen.py", 7, message, args or (3,), None, "peel")
    made.__dict__.update(fields)
    return made


@pytest.fixture
def formatter() -> JsonLines:
    return JsonLines("peeler", "v1", "peeler-1")


@pytest.mark.parametrize("fields", [STEP, {"run": "r1"}, {}])
@pytest.mark.parametrize("message", ["peeled %d", "geschält: %d “Zwiebeln”\n"])
def test_the_short_way_writes_what_powertools_would(formatter: JsonLines, fields: dict[str, Any], message: str) -> None:
    made = record(message, **fields)
    assert formatter.format(made) == LambdaPowertoolsFormatter.format(formatter, made)


def test_a_line_says_when_where_who_and_what_about(formatter: JsonLines) -> None:
    line = json.loads(formatter.format(record(**STEP)))
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "message": "peeled 3",
        "location": "peel:7",
        "component": "peeler",
        "version": "v1",
        "worker": "peeler-1",
        **STEP,
    }


def test_a_failure_has_its_traceback_and_its_step(formatter: JsonLines) -> None:
    made = record(**STEP)
    try:
        raise KeyError("knife")
    except KeyError:
        made.exc_info = sys.exc_info()
    line = json.loads(formatter.format(made))
    assert "KeyError: 'knife'" in line["exception"]
    assert (line["run"], line["item"], line["attempt"]) == ("r1", "onions", 2)


class Writes(io.StringIO):
    """Remembers what was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return super().write(text)


def test_metrics_are_written_with_their_line_s_end_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what another thread logs comes between the two, and neither line can be read."""
    writes = Writes()
    monkeypatch.setattr(sys, "stdout", writes)
    metrics = Metrics("peeler", "v1")
    metrics.count("Handled")
    metrics.flush()
    metrics.run_ended("dinner", "orchestrated", "SUCCEEDED", 3.5)
    gathered, ended = (json.loads(piece) for piece in writes.pieces)
    assert all(piece.endswith("\n") for piece in writes.pieces)
    assert (gathered["component"], gathered["Handled"]) == ("peeler", [1])
    assert (ended["pipeline"], ended["RunsSucceeded"]) == ("dinner", [1.0])


@pytest.mark.parametrize(
    ("status", "metric"),
    [("FAILED", "RunsFailed"), ("DEGRADED", "RunsDegraded"), ("TIMED_OUT", "RunsTimedOut")],
)
@pytest.mark.parametrize("style", ["orchestrated", "choreographed"])
def test_how_a_run_ended_is_a_metric_of_its_style(
    status: str, metric: str, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Metrics("peeler", "v1").run_ended("dinner", style, status, 3.5)
    ended = json.loads(capsys.readouterr().out)
    assert ended[metric] == [1.0]
    assert ended["RunDuration"] == [3.5]
    (about,) = ended["_aws"]["CloudWatchMetrics"]
    assert about["Namespace"] == "Brigade"
    assert [sorted(each) for each in about["Dimensions"]] == [["pipeline", "style"]]
    assert (ended["pipeline"], ended["style"]) == ("dinner", style)
