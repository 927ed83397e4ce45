"""What the workers' log lines say of a run: how long handlers took, and how often an answer was repeated."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HANDLED = re.compile(r"handled in ([0-9.]+) s")

Attempt = tuple[str, str, int]
"""Component, item and number."""


@dataclass
class Logged:
    """`handler_seconds` by attempt; `bytes` are of all lines that were written meanwhile."""

    handler_seconds: dict[Attempt, float] = field(default_factory=dict)
    repeats_absorbed: int = 0
    bytes: int = 0


def read(folder: Path, since: Mapping[str, int], run_id: str) -> Logged:
    """From the end that each file had; a worker that was started later is read from the beginning."""
    found = Logged()
    for path in sorted(folder.glob("*.log")):
        text = path.read_bytes()[since.get(path.name, 0) :]
        found.bytes += len(text)
        for line in _objects(text):
            handled = _HANDLED.match(str(line.get("message", "")))
            if handled and line.get("run") == run_id:
                found.handler_seconds[line["component"], line["item"], line["attempt"]] = float(handled[1])
            found.repeats_absorbed += sum(map(int, line.get("Repeated", ())))
    return found


def _objects(text: bytes) -> Iterator[dict[str, Any]]:
    """Lines that are JSON: what a process says before its logging is set up is not, nor is a line that a kill cut off."""
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
