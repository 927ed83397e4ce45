"""All workers' log lines of one run, merged in the order of time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.errors import BadRequest
from orchestrator.database import Connection, fetch_all
from orchestrator.history import read_history

Line = dict[str, Any]


class LinesElsewhere(BadRequest):
    """The workers' log files are not on this machine."""


def run_lines(connection: Connection, run_id: str, component: str | None = None) -> list[Line]:
    """The run's lines by time. Raises NoSuchRun, and LinesElsewhere when they are not in files here."""
    history = read_history(connection, run_id)
    workers = fetch_all(connection, "SELECT DISTINCT component, log FROM workers WHERE log <> ''")
    attempts = [step for step in history.steps if step.log]
    places = {step.log for step in attempts if step.log} | {row["log"] for row in workers}
    files = [Path(place) for place in sorted(places) if Path(place).is_file()]
    if places and not files:
        of_run = {step.log for step in attempts if step.log and component in (None, step.component)}
        told = of_run or {row["log"] for row in workers if component in (None, row["component"])} or places
        raise LinesElsewhere(
            f"the log lines of {run_id} are not in files of this machine: look in {', '.join(sorted(told))}"
        )
    found = [line for file in files for line in _lines(file, run_id) if line.get("run") == run_id]
    wanted = [line for line in found if component in (None, line.get("component"))]
    return sorted(wanted, key=lambda line: str(line.get("timestamp", "")))


def text_of(line: Line) -> str:
    place = f"{line.get('component', '?')}/{line.get('item', '-')}"
    attempt = f" #{line['attempt']}" if "attempt" in line else ""
    return f"{line.get('timestamp', '')} {line.get('level', ''):7} {place}{attempt} {line.get('message', '')}"


def _lines(file: Path, run_id: str) -> Iterator[Line]:
    """Whole JSON objects that name the run: what else a process printed is no line of it, nor is what it had no time to end.

    The others are not parsed: a file holds the lines of many runs, and a page that keeps itself up to date reads it often.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        for text in lines:
            if text.startswith('{"timestamp"') and run_id in text:
                try:
                    line = json.loads(text)
                except json.JSONDecodeError:
                    continue
                yield line
