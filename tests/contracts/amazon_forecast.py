"""Amazon Forecast for the handlers under test: what is wanted is made at once, and what it was is part of what they do."""

from datetime import date
from pathlib import Path
from typing import Any

from services.runtime.context import Context
from services.runtime.resources import Export, Resource
from services.runtime.testing import AtOnce

REGION, WEEK = "north", date(2026, 11, 28)
"""Of the one row in each export."""

_EXPORTED = f"item_id,date,mean,p10,p50,p90\n{REGION},{WEEK}T00:00:00Z,100.0,90.0,99.0,111.0\n"


def making() -> AtOnce:
    """It has nothing yet, so all files are written that the resources are made of, and those of exports."""
    return AtOnce(_make)


def asked(ctx: Context) -> list[dict[str, Any]]:
    """What a handler wanted, in order, and how it was to be waited for. What the files hold, they say themselves."""
    assert isinstance(ctx.forecasting, AtOnce)
    return [
        {"kind": type(wanted).__name__, "waiting": waiting}
        | {name: value for name, value in vars(wanted).items() if not callable(value)}
        for wanted, waiting in ctx.forecasting.wanted
    ]


def _make(wanted: Resource) -> None:
    for value in vars(wanted).values():
        if callable(value):
            value()
    if isinstance(wanted, Export):
        folder = Path(wanted.folder.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{wanted.name}_2026-11-25T12-00-00Z_part0.csv").write_text(_EXPORTED, encoding="utf-8")
