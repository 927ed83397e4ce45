"""Recordings for tests, of the small pipeline of a made-up clock: what a run of it may look like in each style."""

from datetime import UTC, date, datetime

from chaos.pipeline import MEAL
from orchestrator.compare.recorded import Attempt, Clock, Head, Machine, RecordedRun, StepRun, Style, places_of

STYLES: tuple[Style, ...] = ("scheduled", "choreographed", "orchestrated")


def head(runs: int = 2, faults: str = "none") -> Head:
    return Head(
        pipeline=MEAL.name,
        graph=MEAL.graph,
        places=places_of(MEAL),
        styles=STYLES,
        runs=runs,
        seed=7,
        faults=faults,
        clock=Clock(time_scale=3600, buffer=4.0, starts={c.name: 5.0 * n for n, c in enumerate(MEAL.components)}),
        versions={"brigade": "0.1.0", "python": "3.11.7"},
        machine=Machine(system="Linux", processor="a processor", cores=2, memory_bytes=8 * 2**30),
        started_at=datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        command="brigade compare meal --runs 2 --seed 7",
    )


def step(component: str, item: str, needs: tuple[str, ...], claimed: float, ended: float) -> StepRun:
    attempt = Attempt(
        number=1,
        worker=f"{component}-1",
        claimed=claimed,
        ended=ended,
        handler_seconds=ended - claimed - 0.01,
        outcome="done",
    )
    return StepRun(component=component, item=item, state="done", needs=needs, attempts=(attempt,))


def run(number: int, style: Style, steps: tuple[StepRun, ...] = (), seconds: float = 3.0) -> RecordedRun:
    return RecordedRun(
        number=number,
        repetition=number // len(STYLES),
        style=style,
        run_id=f"2026-11-25-{style}-{number}",
        date=date(2026, 11, 25),
        status="SUCCEEDED",
        published_sha256="abc",
        expected_sha256="abc",
        seconds=seconds,
        steps=steps,
    )
