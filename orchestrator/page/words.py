"""Times, marks and values as people read them."""

import json
from datetime import UTC, datetime
from typing import Any

MARKS = {
    "done": "\N{CHECK MARK}",
    "failed": "\N{BALLOT X}",
    "running": "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}",
    "replaced": "\N{ALMOST EQUAL TO}",
    "reused": "\N{RIGHTWARDS ARROW WITH HOOK}",
    "ready": "\N{WHITE CIRCLE}",
    "waiting": "\N{WHITE CIRCLE}",
    "not run": "\N{EN DASH}",
}
"""A status is never told by colour alone."""

_LINE = 100
"""Characters of a list or an object that is written on one line."""


def seconds(value: float) -> str:
    """0.34 s, 12.0 s, 3 min 5 s."""
    if value < 100:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def clock(when: datetime) -> str:
    """12:03:59.123, in UTC."""
    return f"{when.astimezone(UTC):%H:%M:%S.%f}"[:-3]


def moment(when: datetime) -> str:
    """2026-11-25 12:03:59 UTC."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def pretty(value: Any, indent: int = 0) -> str:
    """JSON with short lists and objects on one line, so that forty recipes do not take forty."""
    short = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(short) + indent <= _LINE:
        return short
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return short
    space = " " * (indent + 2)
    if isinstance(value, dict):
        inside = [f"{json.dumps(key, ensure_ascii=False)}: {pretty(item, indent + 2)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        inside = [pretty(item, indent + 2) for item in value]
        opening, closing = "[", "]"
    lines = ",\n".join(f"{space}{line}" for line in inside)
    return f"{opening}\n{lines}\n{' ' * indent}{closing}"
