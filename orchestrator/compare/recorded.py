"""What is recorded while the styles are compared: one head, and one line for each run. No measure is computed here.

Times are seconds since the run's start (`runs.started_at`) by the database's clock, if nothing else is said. They may be
negative for what was there before the run.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from contracts.errors import BadRequest
from contracts.graph import Graph
from contracts.message import Frozen
from contracts.pipeline import Pipeline
from orchestrator.measure import Cost

HEAD = "head.json"
RUNS = "runs.jsonl"

Style = Literal["scheduled", "choreographed", "orchestrated"]


class Place(Frozen):
    """A component's place in the measured system.

    `before` are the components that the state machine waits for in front of it, needed or not; of those, `inside` are in the
    same Map, where an item waits for its own item only. `max_concurrency` bounds the items of its Map there, and is None
    outside a Map. `slots` is how many of its handlers the whole fleet runs at a time.
    """

    before: tuple[str, ...]
    inside: tuple[str, ...] = ()
    max_concurrency: int | None = None
    slots: int = Field(ge=1)


def places_of(pipeline: Pipeline, workers: int = 1) -> dict[str, Place]:
    """By component, with so many workers of each."""
    return {
        place.component.name: Place(
            before=tuple(component.name for component in place.before),
            inside=tuple(c.name for c in place.map.steps if c in place.before) if place.map else (),
            max_concurrency=place.map.max_concurrency if place.map else None,
            slots=place.component.concurrency * workers,
        )
        for place in pipeline.places
    }


class Clock(Frozen):
    """The scheduled style's clocks. A day of the schedule passes in a day / `time_scale` of measuring.

    `buffer` and `starts` are measured seconds, scaled already: `starts` by component, since the start of the first.
    """

    time_scale: float = Field(gt=0)
    buffer: float = Field(ge=0)
    starts: dict[str, float]


class Machine(Frozen):
    system: str
    processor: str
    cores: int = Field(ge=1)
    memory_bytes: int = Field(ge=1)


class Head(Frozen):
    """What all runs have in common. `runs` is how many each style was measured for, warm-ups and controls not counted.

    `versions` are those of the software, by name; `seed` is of the faults. `command` makes it again.
    """

    pipeline: str
    graph: Graph
    places: dict[str, Place]
    styles: tuple[Style, ...]
    runs: int = Field(ge=1)
    seed: int
    faults: str
    clock: Clock | None
    versions: dict[str, str]
    machine: Machine
    started_at: datetime
    command: str


class Planted(Frozen):
    """The fault a run was given. `kind` is as chaos names it, `component` is None for one of the surroundings.

    `happened` is None when it never hit anything; `undone` is when the surroundings were mended.
    """

    kind: str
    component: str | None = None
    planted: float
    happened: float | None = None
    undone: float | None = None


class Attempt(Frozen):
    """From the claim to the commit. `ended` is None when nobody has seen its end.

    `handler_seconds` is the handler's own part of it, None when it did not return.
    """

    number: int = Field(ge=1)
    mode: Literal["normal", "fallback"] = "normal"
    worker: str
    claimed: float
    ended: float | None
    handler_seconds: float | None = None
    outcome: Literal["done", "failed"] | None
    error: str | None = None


class StepRun(Frozen):
    """`needs` are local keys, `component/item`. `ready` is when the style let it go: a join's commit, the entry of its
    state, its clock; None where that was not seen. A `reused` step has no attempt.
    """

    component: str
    item: str
    state: Literal["waiting", "ready", "claimed", "done", "reused", "failed"]
    needs: tuple[str, ...] = ()
    ready: float | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.component}/{self.item}"

    @property
    def answered(self) -> Attempt | None:
        """The attempt whose answer counts."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.outcome == "done"), None)


class StaleInput(Frozen):
    """A step that took the answer of `source`, a component, from an earlier run."""

    step: str
    source: str
    from_run: str


class Alarm(Frozen):
    """The first thing an operator is woken by: a run that failed, a degraded one, a dead letter, an overdue run."""

    at: float
    by: str


class Work(Cost):
    """What the run cost while nothing else was under way. `bytes` by service: sqs, sns, states, s3, logs.

    Of messages and payloads they are the data of commands and answers, each once and without its envelope; of s3 the bytes
    written, of logs the bytes of the workers' lines.
    """

    bytes: dict[str, int] = Field(default_factory=dict)
    repeats_absorbed: int = 0


class RecordedRun(Frozen):
    """One line. `number` counts all runs in the order they were made in; `repetition` pairs those with the same inputs.

    A `control` is given no fault, whatever the others of its repetition are given: it tells what is right and how long a run
    takes, and is none of those whose outcomes are counted. A `warm_up` counts for nothing.

    `status` is LOST when the run had no end after all patience. `expected_sha256` is what a run without a fault publishes
    for the same request. `places` are where somebody looks, in order, from the symptom to the root cause: log streams,
    queues, histories; empty when there was none to find. `seconds` is from the start to the end.
    """

    number: int
    repetition: int
    style: Style
    run_id: str
    date: date
    warm_up: bool = False
    control: bool = False
    fault: Planted | None = None
    status: Literal["SUCCEEDED", "FAILED", "LOST"]
    degraded: bool = False
    cause: str | None = None
    published_sha256: str | None = None
    expected_sha256: str | None = None
    stale: tuple[StaleInput, ...] = ()
    seconds: float = Field(ge=0)
    steps: tuple[StepRun, ...] = ()
    work: Work | None = None
    alarm: Alarm | None = None
    places: tuple[str, ...] = ()


class Recording(Frozen):
    head: Head
    runs: tuple[RecordedRun, ...]

    @property
    def measured(self) -> tuple[RecordedRun, ...]:
        """Without warm-ups. Controls are among them."""
        return tuple(run for run in self.runs if not run.warm_up)


def write_head(folder: Path, head: Head) -> None:
    """Begin a recording: a folder that has one is begun again."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEAD).write_text(head.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / RUNS).write_text("", encoding="utf-8")


def append_run(folder: Path, run: RecordedRun) -> None:
    """Added as soon as it is measured, so that what was measured is there whatever becomes of the rest."""
    with (folder / RUNS).open("a", encoding="utf-8") as file:
        file.write(run.model_dump_json() + "\n")


def read_recording(folder: Path) -> Recording:
    """Raises BadRequest when the folder holds none, or one that cannot be read, naming the line."""
    try:
        head = Head.model_validate_json((folder / HEAD).read_bytes())
        lines = (folder / RUNS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadRequest(f"{folder} holds no recording ({error}): `brigade compare` makes one") from error
    except ValidationError as error:
        raise BadRequest(f"{folder / HEAD} is none of this version: {_first(error)}") from error
    return Recording(head=head, runs=tuple(_run(folder, number, line) for number, line in enumerate(lines, start=1)))


def _run(folder: Path, number: int, line: str) -> RecordedRun:
    try:
        return RecordedRun.model_validate_json(line)
    except ValidationError as error:
        raise BadRequest(f"line {number} of {folder / RUNS} is no run of this version: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    return f"{'.'.join(map(str, found['loc'])) or 'the whole'}: {found['msg']}"
