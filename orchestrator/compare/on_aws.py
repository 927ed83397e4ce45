# ruff: noqa: S311 - the draws of a simulation are to be repeatable, not secret
"""The same pipeline on AWS, simulated: published latencies, default quotas, from one run to ten thousand at once.

Every number of runs starts at one moment, the worst case. Workers are enough in all styles: only coordination differs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median

from contracts.graph import Graph
from contracts.message import Frozen
from contracts.timetable import timetable
from orchestrator.compare.facts import AwsFacts, Quota
from orchestrator.compare.latencies import Shifted, fit
from orchestrator.compare.recorded import Clock, Style
from orchestrator.compare.simulation import Plan, SimStep, simulate

CONCURRENT = (1, 10, 100, 1_000, 10_000)
DURATIONS = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 7_200.0)
"""Seconds of the longest step; the others keep their share of it."""

Grid = tuple[tuple[int, float], ...]

GRID: Grid = tuple((runs, length) for runs in CONCURRENT for length in (DURATIONS[::3] if runs > 1_000 else DURATIONS))
"""The most runs at once take a minute to simulate, so only a few lengths of them."""

SINGLES = 200
"""Runs simulated for a median, at least."""

MINUTE = 60.0
"""What clocks are set to."""


class Cell(Frozen):
    """Median wall seconds of a style with so many runs at once and a longest step of so many seconds."""

    style: Style
    concurrent: int
    duration: float
    wall: float


@dataclass
class Bucket:
    """Token bucket as virtual scheduling (ITU-T I.371, "GCRA"): when the next token is due says how long to wait."""

    quota: Quota
    due: float = 0.0

    def wait(self, now: float, tokens: float = 1.0) -> float:
        """Seconds until so many can be had; they are taken."""
        self.due = max(self.due, now) + tokens / self.quota.refill
        return max(self.due - now - self.quota.bucket / self.quota.refill, 0.0)


@dataclass
class Orchestrated:
    """A hop: the last step's answer, the state machine's transitions, the command on its queue."""

    facts: AwsFacts
    random: Random
    transitions: float
    """A step, as measured."""

    states: Shifted = field(init=False)
    sqs: Shifted = field(init=False)

    def __post_init__(self) -> None:
        quotas, latencies = self.facts.quotas, self.facts.latencies
        self.states, self.sqs = fit(latencies.states), fit(latencies.sqs)
        self.starts, self.answers = Bucket(quotas.start_execution), Bucket(quotas.send_task_success)
        self.entered = Bucket(quotas.state_transition)

    def delivery(self, step: SimStep, now: float) -> float:
        asked = self.answers if step.waits else self.starts
        waited = asked.wait(now)
        waited += self.entered.wait(now + waited, self.transitions)
        return waited + self.states.draw(self.random) + self.sqs.draw(self.random)

    def turn(self, step: SimStep) -> float:
        return 0.0

    def finish(self) -> float:
        return 0.0


@dataclass
class Choreographed:
    """A hop: the event published, delivered to the queue and received; for one of several items, a command more."""

    facts: AwsFacts
    random: Random
    fanned_out: frozenset[str]
    """Components with several items that one event makes ready."""

    def __post_init__(self) -> None:
        self.sns, self.sqs = fit(self.facts.latencies.sns), fit(self.facts.latencies.sqs)
        self.published = Bucket(self.facts.quotas.sns_publish)

    def delivery(self, step: SimStep, now: float) -> float:
        if not step.waits:
            return self.sqs.draw(self.random)
        waited = self.published.wait(now) + self.sns.draw(self.random) + self.sqs.draw(self.random)
        return waited + (self.sqs.draw(self.random) if step.component in self.fanned_out else 0.0)

    def turn(self, step: SimStep) -> float:
        return 0.0

    def finish(self) -> float:
        return 0.0


def cells(
    style: Style,
    steps: Sequence[SimStep],
    facts: AwsFacts,
    seed: int,
    transitions: float,
    clocks: tuple[Graph, Clock] | None,
    grid: Grid = GRID,
) -> list[Cell]:
    """Over the whole grid. `steps` as they were measured, with what they wait for in this style; `transitions` a step.

    Without `clocks` there is no scheduled style.
    """
    found = []
    for concurrent, duration in grid:
        scaled = scale(steps, duration)
        if style != "scheduled":
            random = Random(f"{seed}/{style}/{duration}/{concurrent}")
            wall = _median_wall(style, scaled, facts, random, transitions, concurrent)
        elif clocks:
            wall = by_clocks(scaled, *clocks)
        else:
            continue
        found.append(Cell(style=style, concurrent=concurrent, duration=duration, wall=wall))
    return found


def scale(steps: Sequence[SimStep], longest: float) -> list[SimStep]:
    """The same steps, the longest of them so many seconds."""
    factor = longest / max(step.seconds for step in steps)
    return [SimStep(step.key, step.component, step.waits, step.seconds * factor) for step in steps]


def critical(steps: Sequence[SimStep]) -> float:
    """Seconds of the longest chain."""
    ends: list[float] = []
    for step in steps:
        ends.append(max((ends[wait] for wait in step.waits), default=0.0) + step.seconds)
    return max(ends)


def by_clocks(steps: Sequence[SimStep], graph: Graph, clock: Clock) -> float:
    """Each component starts when its clock, set on full minutes, says; nobody is late."""
    longest: dict[str, float] = {}
    for step in steps:
        longest[step.component] = max(longest.get(step.component, 0.0), step.seconds)
    expected = {node.component: _full_minutes(longest.get(node.component, 0.0)) for node in graph.nodes}
    starts = timetable(graph, expected, _full_minutes(clock.buffer * clock.time_scale))
    return max(starts[component] + seconds for component, seconds in longest.items())


def _full_minutes(seconds: float) -> float:
    return math.ceil(seconds / MINUTE) * MINUTE


def _median_wall(
    style: Style, steps: Sequence[SimStep], facts: AwsFacts, random: Random, transitions: float, concurrent: int
) -> float:
    plan, walls = Plan.of(steps), list[float]()
    while len(walls) < SINGLES:
        timing = (
            Orchestrated(facts, random, transitions)
            if style == "orchestrated"
            else Choreographed(facts, random, _fanned_out(steps))
        )
        walls += simulate([plan] * concurrent, timing)
    return median(walls)


def _fanned_out(steps: Sequence[SimStep]) -> frozenset[str]:
    counts: dict[tuple[str, tuple[int, ...]], int] = {}
    for step in steps:
        counts[step.component, step.waits] = counts.get((step.component, step.waits), 0) + 1
    return frozenset(component for (component, _), count in counts.items() if count > 1)
