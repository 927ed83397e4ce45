"""The simulation held against the emulator: calibrated on half of the runs, it predicts the median wall time of the others."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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
"""Of each predicted run, at least."""


class Check(Frozen):
    """Medians in seconds, of `calibrated` and `predicted_runs` runs; `error` is a share of the measured.

    `calibrating` was measured as well: how far it is from `measured` is noise that no simulation could have foreseen.
    """

    style: Style
    calibrated: int
    predicted_runs: int
    predicted: float
    measured: float
    calibrating: float

    @property
    def apart(self) -> float:
        return abs(self.calibrating - self.measured) / self.measured

    @property
    def error(self) -> float:
        return abs(self.predicted - self.measured) / self.measured

    @property
    def holds(self) -> bool:
        return self.error <= BOUND


@dataclass
class Sample:
    """What one calibrating run took. Waits are by component, work is by step."""

    end: float
    deliveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    turns: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    work: dict[str, float] = field(default_factory=dict)

    def seconds(self, component: str, key: str) -> list[float]:
        """Of the same item where there is one, else of all of its component."""
        if key in self.work:
            return [self.work[key]]
        return [seconds for other, seconds in self.work.items() if other.startswith(f"{component}/")]


@dataclass
class Replay:
    """All its times are those of one calibrating run: what slows a machine down slows down the whole run, and what holds up one
    item of a Map holds up its neighbours. Drawn one by one, a rare delay would be in almost every run.
    """

    sample: Sample
    others: Sequence[Sample]
    random: Random

    def delivery(self, step: SimStep, now: float) -> float:
        return self._one(lambda sample: sample.deliveries[step.component])

    def turn(self, step: SimStep) -> float:
        return self._one(lambda sample: sample.turns[step.component] or sample.deliveries[step.component])

    def finish(self) -> float:
        return self.sample.end

    def seconds(self, component: str, key: str) -> float:
        return self._one(lambda sample: sample.seconds(component, key))

    def _one(self, of: Callable[[Sample], list[float]]) -> float:
        """Another run's where this one has none; 0 of what no run has seen."""
        found = of(self.sample) or [value for sample in self.others for value in of(sample)] or [0.0]
        return self.random.choice(found)


def checks(
    runs: Sequence[RecordedRun], places: Mapping[str, Place], seed: int, exchanged: bool = False
) -> tuple[Check, ...]:
    """Of each style with two undisturbed runs or more. `exchanged`: who calibrates is predicted, and the other way round."""
    found = []
    for style in CHECKED:
        ones, others = halves([run for run in runs if run.style == style and undisturbed(run)])
        if ones and others:
            found.append(check(style, *((others, ones) if exchanged else (ones, others)), places, seed))
    return tuple(found)


def halves(runs: Sequence[RecordedRun]) -> tuple[list[RecordedRun], list[RecordedRun]]:
    """ABBA ABBA: a machine that gets slower meanwhile is as slow in both."""
    return (
        [run for number, run in enumerate(runs) if number % 4 in (0, 3)],
        [run for number, run in enumerate(runs) if number % 4 in (1, 2)],
    )


def check(
    style: Style,
    calibrating: Sequence[RecordedRun],
    others: Sequence[RecordedRun],
    places: Mapping[str, Place],
    seed: int,
) -> Check:
    """Only the others' steps and needs are used for the prediction, none of their times."""
    samples, random = [calibrate(run, places) for run in calibrating], Random(seed)  # noqa: S311 - to be repeatable, not secret
    slots = {name: place.slots for name, place in places.items()}
    walls = []
    for run in others:
        for sample in samples * math.ceil(REPLAYS / len(samples)):
            replay = Replay(sample, samples, random)
            walls += simulate([Plan.of(_steps(run, places, replay))], replay, slots)
    return Check(
        style=style,
        calibrated=len(calibrating),
        predicted_runs=len(others),
        predicted=median(walls),
        measured=median(run.seconds for run in others),
        calibrating=median(run.seconds for run in calibrating),
    )


def undisturbed(run: RecordedRun) -> bool:
    """Succeeded, and no fault hit it."""
    return run.status == "SUCCEEDED" and not run.degraded and (run.fault is None or run.fault.happened is None)


def waits_of(run: RecordedRun, places: Mapping[str, Place]) -> Waits:
    """What each step waits for in the run's style, of those that were run."""
    waits = with_barriers(run, places) if run.style == "orchestrated" else needed(run)
    ran = {step.key for step in run.steps if step.answered}
    return {key: tuple(need for need in needs if need in ran) for key, needs in waits.items() if key in ran}


def calibrate(run: RecordedRun, places: Mapping[str, Place]) -> Sample:
    waits = waits_of(run, places)
    steps = {step.key: step for step in run.steps if step.answered}
    ends = {key: _end(step) for key, step in steps.items()}
    sample = Sample(end=max(run.seconds - max(ends.values()), 0.0))
    for key, step in steps.items():
        sample.work[key] = ends[key] - _claim(step)
        ready = max((ends[need] for need in waits[key]), default=0.0)
        free = _slot_free(step, steps.values(), places[step.component].slots)
        kind = sample.turns if free > ready else sample.deliveries
        kind[step.component].append(max(_claim(step) - max(ready, free), 0.0))
    return sample


def _slot_free(step: StepRun, steps: Iterable[StepRun], slots: int) -> float:
    """When a slot was free for it: the end of the step that many claims earlier, of the same component."""
    earlier = sorted(
        (other for other in steps if other.component == step.component and _claim(other) < _claim(step)),
        key=_end,
    )
    return _end(earlier[-slots]) if len(earlier) >= slots else 0.0


def _steps(run: RecordedRun, places: Mapping[str, Place], replay: Replay) -> list[SimStep]:
    waits = waits_of(run, places)
    ordered = [step for step in run.steps if step.key in waits]
    position = {step.key: number for number, step in enumerate(ordered)}
    return [
        SimStep(
            key=step.key,
            component=step.component,
            waits=tuple(position[need] for need in waits[step.key]),
            seconds=replay.seconds(step.component, step.key),
        )
        for step in ordered
    ]


def _claim(step: StepRun) -> float:
    assert step.answered
    return step.answered.claimed


def _end(step: StepRun) -> float:
    assert step.answered
    return step.answered.ended if step.answered.ended is not None else step.answered.claimed
