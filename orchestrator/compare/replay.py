"""The simulation held against the emulator: calibrated on half of the runs, it predicts the median wall time of the others."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from contracts.message import Frozen
from orchestrator.compare.paths import Waits, needed, with_barriers
from orchestrator.compare.recorded import Place, RecordedRun, StepRun, Style
from orchestrator.compare.simulation import Plan, SimStep, simulate

CHECKED: tuple[Style, ...] = ("choreographed", "orchestrated")
"""Styles in which one step starts another. Where clocks do, there is nothing to predict."""

BOUND = 0.15
REPLAYS = 100


class Check(Frozen):
    """Medians in seconds, of `calibrated` and `predicted_runs` runs; `error` is a share of the measured."""

    style: Style
    calibrated: int
    predicted_runs: int
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        return abs(self.predicted - self.measured) / self.measured

    @property
    def holds(self) -> bool:
        return self.error <= BOUND


@dataclass
class Measured:
    """What the calibrating runs took, to be drawn from. Waits are by component, work by step."""

    random: Random
    deliveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    turns: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    work: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ends: list[float] = field(default_factory=list)

    def delivery(self, step: SimStep, now: float) -> float:
        found = self.deliveries.get(step.component) or [0.0]
        return self.random.choice(found)

    def turn(self, step: SimStep) -> float:
        found = self.turns.get(step.component) or self.deliveries.get(step.component) or [0.0]
        return self.random.choice(found)

    def finish(self) -> float:
        return self.random.choice(self.ends)

    def seconds(self, component: str, key: str) -> float | None:
        """Of a step like it: of the same item where there is one, else of another of its component."""
        found = self.work.get(key) or [s for other, many in self.work.items() if _of(other, component) for s in many]
        return self.random.choice(found) if found else None


def checks(runs: Sequence[RecordedRun], places: Mapping[str, Place], seed: int) -> tuple[Check, ...]:
    """Of each style with two undisturbed runs or more: even repetitions calibrate, odd ones are predicted."""
    found = []
    for style in CHECKED:
        calm = [run for run in runs if run.style == style and undisturbed(run)]
        calibrating, others = calm[::2], calm[1::2]
        if calibrating and others:
            found.append(check(style, calibrating, others, places, seed))
    return tuple(found)


def check(
    style: Style,
    calibrating: Sequence[RecordedRun],
    others: Sequence[RecordedRun],
    places: Mapping[str, Place],
    seed: int,
) -> Check:
    """Only the others' steps and needs are used for the prediction, none of their times."""
    measured = calibrate(calibrating, places, Random(seed))  # noqa: S311 - to be repeatable, not secret
    slots = {name: place.slots for name, place in places.items()}
    walls = [
        wall
        for run in others
        for _ in range(REPLAYS)
        for wall in simulate([Plan.of(_steps(run, places, measured))], measured, slots)
    ]
    return Check(
        style=style,
        calibrated=len(calibrating),
        predicted_runs=len(others),
        predicted=median(walls),
        measured=median(run.seconds for run in others),
    )


def undisturbed(run: RecordedRun) -> bool:
    """Succeeded, and no fault hit it."""
    return run.status == "SUCCEEDED" and not run.degraded and (run.fault is None or run.fault.happened is None)


def waits_of(run: RecordedRun, places: Mapping[str, Place]) -> Waits:
    """What each step waits for in the run's style, of those that were run."""
    waits = with_barriers(run, places) if run.style == "orchestrated" else needed(run)
    ran = {step.key for step in run.steps if step.answered}
    return {key: tuple(need for need in needs if need in ran) for key, needs in waits.items() if key in ran}


def calibrate(runs: Sequence[RecordedRun], places: Mapping[str, Place], random: Random) -> Measured:
    measured = Measured(random)
    for run in runs:
        waits = waits_of(run, places)
        steps = {step.key: step for step in run.steps if step.answered}
        ends = {key: _end(step) for key, step in steps.items()}
        measured.ends.append(max(run.seconds - max(ends.values()), 0.0))
        for key, step in steps.items():
            measured.work[key].append(ends[key] - _claim(step))
            ready = max((ends[need] for need in waits[key]), default=0.0)
            free = _slot_free(step, steps.values(), places[step.component].slots)
            kind = measured.turns if free > ready else measured.deliveries
            kind[step.component].append(max(_claim(step) - max(ready, free), 0.0))
    return measured


def _slot_free(step: StepRun, steps: Iterable[StepRun], slots: int) -> float:
    """When a slot was free for it: the end of the step that many claims earlier, of the same component."""
    earlier = sorted(
        (other for other in steps if other.component == step.component and _claim(other) < _claim(step)),
        key=_end,
    )
    return _end(earlier[-slots]) if len(earlier) >= slots else 0.0


def _steps(run: RecordedRun, places: Mapping[str, Place], measured: Measured) -> list[SimStep]:
    waits = waits_of(run, places)
    ordered = [step for step in run.steps if step.key in waits]
    position = {step.key: number for number, step in enumerate(ordered)}
    return [
        SimStep(
            key=step.key,
            component=step.component,
            waits=tuple(position[need] for need in waits[step.key]),
            seconds=measured.seconds(step.component, step.key) or 0.0,
        )
        for step in ordered
    ]


def _claim(step: StepRun) -> float:
    assert step.answered
    return step.answered.claimed


def _end(step: StepRun) -> float:
    assert step.answered
    return step.answered.ended if step.answered.ended is not None else step.answered.claimed


def _of(key: str, component: str) -> bool:
    return key.startswith(f"{component}/")
