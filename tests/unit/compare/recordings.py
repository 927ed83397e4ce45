"""Recordings for tests: runs of the small fixture pipeline as each style would record them, with times drawn from a seed."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random

from chaos.pipeline import COURSES, MEAL
from contracts.resolve import first_step, resolve
from contracts.run import RunRequest
from orchestrator.compare.paths import with_barriers
from orchestrator.compare.recorded import (
    Alarm,
    Attempt,
    Clock,
    Head,
    Machine,
    Planted,
    RecordedRun,
    Recording,
    StaleInput,
    StepRun,
    Style,
    Work,
    places_of,
)

STYLES: tuple[Style, ...] = ("scheduled", "choreographed", "orchestrated")
DAY = date(2026, 11, 25)
PLAN = {"courses": [{"key": key} for key in COURSES]}
PLACES = places_of(MEAL)
BUFFER = 4.0
WORK = {component.name: 0.1 * (number + 1) for number, component in enumerate(MEAL.components)}
HOPS: dict[Style, float] = {"scheduled": 0.02, "choreographed": 0.15, "orchestrated": 0.4}
RIGHT = hashlib.sha256(b"right").hexdigest()
OLD = hashlib.sha256(b"old").hexdigest()


def head(runs: int = 8, faults: str = "mixed") -> Head:
    starts = {component.name: BUFFER * number for number, component in enumerate(MEAL.components)}
    return Head(
        pipeline=MEAL.name,
        graph=MEAL.graph,
        places=PLACES,
        styles=STYLES,
        runs=runs,
        seed=7,
        faults=faults,
        clock=Clock(time_scale=225, buffer=BUFFER, starts=starts),
        versions={"brigade": "0.1.0", "python": "3.11.7"},
        machine=Machine(system="Linux", processor="a processor", cores=2, memory_bytes=8 * 2**30),
        started_at=datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        command="brigade compare meal --runs 8 --faults mixed --seed 7",
    )


def step(component: str, item: str, needs: tuple[str, ...], claimed: float, ended: float) -> StepRun:
    """Done at its first attempt, whose handler took all of it."""
    attempt = Attempt(
        number=1,
        worker=f"{component}-1",
        claimed=claimed,
        ended=ended,
        handler_seconds=ended - claimed,
        outcome="done",
    )
    return StepRun(component=component, item=item, state="done", needs=needs, attempts=(attempt,))


def run(number: int, style: Style, steps: tuple[StepRun, ...] = (), seconds: float = 3.0) -> RecordedRun:
    return RecordedRun(
        number=number,
        repetition=number // len(STYLES),
        style=style,
        run_id=f"{DAY}-{style}-{number}",
        date=DAY,
        status="SUCCEEDED",
        published_sha256=RIGHT,
        expected_sha256=RIGHT,
        seconds=seconds,
        steps=steps,
    )


def cooked(number: int, style: Style, random: Random) -> RecordedRun:
    """A whole run: each step once what it waits for in its style is there, and a slot of its component is free."""
    request = RunRequest(run_id=f"{DAY}-{style}-{number}", pipeline=MEAL.name, date=DAY)
    planned = (first_step(MEAL.graph, request), *resolve(MEAL.graph, request, PLAN))
    bare = run(
        number, style, tuple(StepRun(component=s.component, item=s.item, state="done", needs=s.needs) for s in planned)
    )
    waits = with_barriers(bare, PLACES) if style == "orchestrated" else {s.key: s.needs for s in planned}
    starts = head().clock
    assert starts
    ends: dict[str, float] = {}
    free: dict[str, list[float]] = {name: [0.0] * place.slots for name, place in PLACES.items()}
    steps = []
    for one in planned:
        ready = max((ends[need] for need in waits[one.key]), default=0.0)
        if style == "scheduled":
            ready = starts.starts[one.component]
        slot = min(free[one.component])
        claimed = max(ready + HOPS[style] * random.uniform(0.8, 1.25), slot)
        ends[one.key] = claimed + WORK[one.component] * random.uniform(0.9, 1.1)
        free[one.component][free[one.component].index(slot)] = ends[one.key]
        steps.append(
            step(one.component, one.item, one.needs, claimed, ends[one.key]).model_copy(update={"ready": ready})
        )
    made = run(number, style, tuple(steps), seconds=max(ends.values()) + 0.01)
    return made.model_copy(update={"work": work(style)})


def work(style: Style) -> Work:
    calls: dict[str, dict[str, int]] = {
        "sqs": {"ReceiveMessage": 7, "DeleteMessageBatch": 7},
        "s3": {"PutObject": 3, "GetObject": 6},
    }
    if style == "choreographed":
        calls["sns"] = {"Publish": 5}
    if style == "orchestrated":
        calls["states"] = {"SendTaskSuccess": 7, "SendTaskHeartbeat": 7}
    return Work(
        messages=7,
        api_calls=calls,
        idle_polls=4,
        state_transitions=19 if style == "orchestrated" else 0,
        bytes={"sqs": 9_000, "logs": 21_000},
    )


def stale(made: RecordedRun) -> RecordedRun:
    """Its database was down for longer than the buffer, and nobody was told."""
    given = StaleInput(step="server/-", source="saucier", from_run="2026-11-24-scheduled-0")
    fault = Planted(kind="database down", planted=0.1, happened=0.2, undone=9.0)
    return made.model_copy(
        update={"stale": (given,), "fault": fault, "published_sha256": OLD, "places": ("a log", "a queue", "a log")}
    )


def killed(made: RecordedRun) -> RecordedRun:
    """A worker of its last component was killed, and the step tried again."""
    last = made.steps[-1]
    first = last.attempts[0]
    lost = first.model_copy(
        update={"ended": first.claimed + 5, "outcome": "failed", "error": "WorkerLost", "handler_seconds": None}
    )
    again = first.model_copy(update={"number": 2, "claimed": first.claimed + 5, "ended": first.claimed + 5.5})
    fault = Planted(kind="kill -9 in the handler", component=last.component, planted=0.0, happened=first.claimed)
    return made.model_copy(
        update={
            "steps": (*made.steps[:-1], last.model_copy(update={"attempts": (lost, again)})),
            "fault": fault,
            "seconds": made.seconds + 5,
            "places": ("the history", "a log"),
        }
    )


def failed(made: RecordedRun) -> RecordedRun:
    """Its first component's handler raised for good."""
    fault = Planted(kind="handler raises permanently", component=made.steps[0].component, planted=0.0, happened=0.5)
    changes = {
        "status": "FAILED",
        "cause": "BadData: a planted fault",
        "published_sha256": None,
        "steps": made.steps[:1],
    }
    return made.model_copy(
        update={**changes, "fault": fault, "alarm": Alarm(at=1.5, by="run failed"), "places": ("the history",)}
    )


def recording(runs: int = 8, seed: int = 7) -> Recording:
    """Of so many runs in each style three were disturbed: one by an outage, one by a kill, one by a handler that failed."""
    random = Random(seed)
    made: list[RecordedRun] = []
    for repetition in range(runs):
        for style in STYLES:
            one = cooked(len(made), style, random).model_copy(update={"repetition": repetition})
            spoil: dict[int, Callable[[RecordedRun], RecordedRun]] = {1: killed, 2: failed}
            if style == "scheduled":
                spoil[0] = stale
            made.append(spoil[repetition](one) if repetition in spoil else one)
    return Recording(head=head(runs), runs=tuple(made))
