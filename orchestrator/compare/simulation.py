"""A discrete-event simulation of runs: steps that wait for each other, messages on their way, workers' slots.

What coordinates them is a `Timing`: measured on the emulator (`replay.py`), or AWS by its published latencies and quotas
(`on_aws.py`).
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import simpy


@dataclass(frozen=True)
class SimStep:
    """`waits` are positions of earlier steps in the same run; `seconds` from its claim to its answer."""

    key: str
    component: str
    waits: tuple[int, ...]
    seconds: float


class Timing(Protocol):
    """How long coordination takes. All in seconds."""

    def delivery(self, step: SimStep, now: float) -> float:
        """From the moment the last step it waits for has answered, or the run has started, until a worker could claim it."""

    def turn(self, step: SimStep) -> float:
        """From the moment a slot is free until the worker claims a step that has waited for it."""

    def finish(self) -> float:
        """From the last answer to the end of the run."""


@dataclass(frozen=True)
class Plan:
    """Steps, and of each the positions of those that wait for it."""

    steps: tuple[SimStep, ...]
    feeds: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, steps: Sequence[SimStep]) -> "Plan":
        fed = [
            tuple(later for later, step in enumerate(steps) if position in step.waits) for position in range(len(steps))
        ]
        return cls(tuple(steps), tuple(fed))


class Run:
    """`ended` is None until it is."""

    __slots__ = ("ended", "missing", "open", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.open = len(plan.steps)
        self.missing = [len(step.waits) for step in plan.steps]
        self.ended: float | None = None


def simulate(runs: Sequence[Plan], timing: Timing, slots: Mapping[str, int] | None = None) -> list[float]:
    """Start all runs at once and give the wall seconds of each. Without `slots` there is a free worker for every message."""
    environment = simpy.Environment()
    workers = {name: simpy.Resource(environment, count) for name, count in (slots or {}).items()}
    kitchen = _Kitchen(environment, timing, workers)
    started = [Run(plan) for plan in runs]
    for run in started:
        for position, missing in enumerate(run.missing):
            if missing == 0:
                kitchen.let_go(run, position)
    environment.run()
    ended = [run.ended for run in started if run.ended is not None]
    assert len(ended) == len(started), "steps that wait for each other never start"
    return ended


@dataclass(frozen=True)
class _Kitchen:
    environment: simpy.Environment
    timing: Timing
    workers: Mapping[str, simpy.Resource]

    def let_go(self, run: Run, position: int) -> None:
        step = run.plan.steps[position]
        worker = self.workers.get(step.component)
        if worker is not None:
            self.environment.process(self._in_a_slot(run, position, step, worker))
            return
        seconds = self.timing.delivery(step, self.environment.now) + step.seconds
        self._after(seconds, run, position)

    def _in_a_slot(
        self, run: Run, position: int, step: SimStep, worker: simpy.Resource
    ) -> Generator[simpy.Event, Any, None]:
        yield self.environment.timeout(self.timing.delivery(step, self.environment.now))
        arrived = self.environment.now
        with worker.request() as slot:
            yield slot
            waited = self.environment.now > arrived
            yield self.environment.timeout((self.timing.turn(step) if waited else 0.0) + step.seconds)
        self._answered(run, position)

    def _answered(self, run: Run, position: int) -> None:
        run.open -= 1
        if run.open == 0:
            run.ended = self.environment.now + self.timing.finish()
        for fed in run.plan.feeds[position]:
            run.missing[fed] -= 1
            if run.missing[fed] == 0:
                self.let_go(run, fed)

    def _after(self, seconds: float, run: Run, position: int) -> None:
        event = self.environment.timeout(seconds)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._answered(run, position))
