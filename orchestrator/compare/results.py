"""`results.json`: every number of the report as one row with an id, and what its plots draw. Its JSON Schema is rendered."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from contracts.message import Frozen
from orchestrator.compare.measures import Measured
from orchestrator.compare.outcomes import Repetition
from orchestrator.compare.recorded import Clock, Machine, Style

FILE = "results.json"


class Estimate(Frozen):
    """Of `n` values. `low` and `high` bound its 95 % interval; both are None where there is one value, or it is a count."""

    n: int = Field(ge=1)
    value: float
    low: float | None = None
    high: float | None = None


class Row(Estimate):
    """One number. `id` is `measure/style/...`; `unit` is s, runs, a count a run, USD or a share of one."""

    id: str
    unit: str


class Bar(Frozen):
    """An attempt in the timeline of a run: seconds since its start. `waited_from` is when its last input was there."""

    style: Style
    component: str
    item: str
    waited_from: float | None
    claimed: float
    ended: float
    outcome: str


class Hop(Frozen):
    """From the commit of a step's last input to its claim, in an undisturbed run."""

    style: Style
    seconds: float


class Source(Frozen):
    """Where figures that were not measured come from."""

    what: str
    region: str
    as_of: str
    source: str


class About(Frozen):
    """What was measured, with what."""

    pipeline: str
    styles: tuple[Style, ...]
    components: tuple[str, ...]
    runs: int
    seed: int
    faults: str
    clock: Clock | None
    versions: dict[str, str]
    machine: Machine
    started_at: datetime
    command: str


class Results(Frozen):
    """In sentences (`verdict`, `break_evens`, `checked`) `[[id]]` stands for a row's number.

    `definitions` are of measures; what is no measure, as `calm`, the undisturbed runs, counts runs.
    """

    about: About
    definitions: dict[str, str]
    verdict: tuple[str, ...]
    break_evens: tuple[str, ...]
    checked: str
    rows: tuple[Row, ...]
    outcomes: tuple[Repetition, ...]
    runs: tuple[Measured, ...]
    hops: tuple[Hop, ...]
    bars: tuple[Bar, ...]
    sources: tuple[Source, ...]


def json_schema() -> dict[str, Any]:
    """Of `results.json`, as it is published."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Results.model_json_schema(mode="serialization"),
    }


def write_results(folder: Path, results: Results) -> Path:
    path = folder / FILE
    path.write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path
