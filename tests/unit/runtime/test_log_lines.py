"""One JSON object a line."""

import json
import logging
import sys
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from services.runtime.telemetry import JsonLines

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
