"""All runs of a comparison: warm-ups and timing first, then repetitions, in each of which the styles take turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from chaos.compare.drive import Asked, drive
from chaos.compare.faults import Drawn, Due, Faults, draw
from chaos.compare.record import record
from chaos.compare.site import Site
from contracts.errors import BrigadeError
from contracts.run import SCHEDULED
from contracts.timetable import timetable
from orchestrator.compare.recorded import Clock, RecordedRun, Style

NO_FAULT = Drawn("nothing")

TIMING: tuple[Style, ...] = ("choreographed", "orchestrated", "choreographed", "orchestrated")
"""Not counted: LocalStack loads its services when they are first used. The last of each says how long components take."""

CONTROLS: tuple[Style, ...] = ("choreographed", "orchestrated")
"""Before each repetition, and the other way round after it. The first says what is right; all say how long a run takes."""

SLACK = 1.5
"""Of what a component took in the timing runs: what is left to it. Nobody plans with the best time."""


class NotMeasurable(BrigadeError):
    """The pipeline does not even run without a fault."""


@dataclass(frozen=True)
class Wanted:
    """`buffer` is in seconds of measuring: the pipeline's own, divided by the time scale."""

    styles: tuple[Style, ...]
    runs: int
    seed: int
    faults: Faults
    time_scale: float
    buffer: float

    @property
    def total(self) -> int:
        repetition = len(self.controls) + len(self.styles) + len(self.controls_after)
        return len(TIMING) + ("scheduled" in self.styles) + self.runs * repetition

    @property
    def controls(self) -> tuple[Style, ...]:
        """Whose runs without a fault stand beside each repetition. Scheduled, one is enough: its clocks are always the same."""
        return CONTROLS[:1] if self.faults == "none" else CONTROLS

    @property
    def controls_after(self) -> tuple[Style, ...]:
        return () if self.faults == "none" else CONTROLS[::-1]


@dataclass
class Campaign:
    """`told` gets every run when it has ended; `begin` the clocks, once they are known, and then `keep` every run."""

    site: Site
    wanted: Wanted
    begin: Callable[[Clock], None]
    keep: Callable[[RecordedRun], None]
    told: Callable[[RecordedRun], None] = lambda run: None
    number: int = 0
    due: dict[Style, dict[str, float]] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Raises NotMeasurable when a run without a fault does not succeed."""
        wanted, random = self.wanted, Random(self.wanted.seed)
        faults = draw(random, wanted.runs, wanted.faults, self.site.subject.pipeline)
        timed = [self._undisturbed(style, warm_up=True) for style in TIMING]
        self._learn(timed[-2:])
        self.begin(Clock(time_scale=wanted.time_scale, buffer=wanted.buffer, starts=self.due[SCHEDULED]))
        for run in timed:
            self.keep(run)
        if SCHEDULED in wanted.styles:
            self._control("scheduled")
        for repetition, fault in enumerate(faults, start=1):
            controls = [self._control(style, repetition) for style in wanted.controls]
            for style in random.sample(wanted.styles, len(wanted.styles)):
                self.keep(self._measure(repetition, style, fault, controls[0].published_sha256))
            for style in wanted.controls_after:
                self._control(style, repetition)

    def _control(self, style: Style, repetition: int = 0) -> RecordedRun:
        run = self._undisturbed(style, repetition, control=True)
        self.keep(run)
        return run

    def _undisturbed(self, style: Style, repetition: int = 0, **role: bool) -> RecordedRun:
        run = self._measure(repetition, style, NO_FAULT, None, **role)
        if run.status != "SUCCEEDED" or run.stale:
            late = f" with stale inputs: {', '.join(one.step for one in run.stale)}" if run.stale else ""
            raise NotMeasurable(
                f"{run.run_id}, without any fault, ended {run.status}{late} ({run.cause or 'no cause'}): mend the pipeline, or "
                "give its clocks more time with a smaller --time-scale"
            )
        return run

    def _measure(self, repetition: int, style: Style, fault: Drawn, expected: str | None, **role: bool) -> RecordedRun:
        """`role` is warm_up or control."""
        due = None
        if fault.component is not None:
            name = fault.component
            due = Due(self.due[style][name], self.expected[name], self.wanted.buffer)
        starts = self.due[SCHEDULED] if style == SCHEDULED else {}
        asked = Asked(style, self.site.subject.day(repetition), fault, due, starts)
        self.number += 1
        run = record(
            self.site,
            asked,
            drive(self.site, asked),
            number=self.number,
            repetition=repetition,
            expected_sha256=expected,
            **role,
        )
        self.told(run)
        return run

    def _learn(self, timed: Sequence[RecordedRun]) -> None:
        """When components are due in each style, and how long they take."""
        graph = self.site.subject.pipeline.graph
        for run in timed:
            self.due[run.style] = {node.component: span(run, node.component)[0] for node in graph.nodes}
        for node in graph.nodes:
            spans = [span(run, node.component) for run in timed]
            self.expected[node.component] = SLACK * max(end - begin for begin, end in spans)
        self.due[SCHEDULED] = timetable(graph, self.expected, self.wanted.buffer)


def span(run: RecordedRun, component: str) -> tuple[float, float]:
    """From the first claim of a component to its last commit. Zero where all was reused."""
    attempts = [attempt for step in run.steps if step.component == component for attempt in step.attempts]
    ends = [attempt.ended for attempt in attempts if attempt.ended is not None]
    return min((attempt.claimed for attempt in attempts), default=0.0), max(ends, default=0.0)
