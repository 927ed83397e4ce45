"""Runs of the order-simulation pipeline for tests of the page: done, failed at a week, under way, or barely begun."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from contracts.graph import Graph
from contracts.message import Replacement
from orchestrator.history import AttemptAtStep, RunHistory
from orchestrator.logs import Line
from orchestrator.page.content import RunOnPage, steps_of
from tests.unit.contracts.orders import ORDERS

RUN = "2026-11-25-choreographed-1a2b3c"
BEGAN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
PLAN = {"date": "2026-11-25", "weeks": [{"key": "2026-11-28"}, {"key": "2026-12-05"}]}

States = dict[tuple[str, str], tuple[str, tuple[str, ...]]]


def attempt(
    component: str, item: str = "-", number: int = 1, status: str = "done", at: float = 0.0, **other: Any
) -> Any:
    """An attempt of half a second that starts `at` seconds after the run; `number` 0 is a step without attempts."""
    running = number == 0 or status == "running"
    given = {
        "component": component,
        "version": "v1",
        "item": item,
        "attempt": number,
        "mode": "normal",
        "status": status,
        "start": BEGAN + timedelta(seconds=at) if number else None,
        "duration": None if running else 0.5,
        "input": {"plan": PLAN, "item": item} if number else None,
        "output": {"uri": f"s3://bucket/{component}/{item}"} if status == "done" else None,
        "error": None,
        "worker": f"{component}-v1" if number else None,
        "log": None,
    }
    return AttemptAtStep.model_validate(given | other)


DONE = (
    attempt("configurator", at=0.1, output=PLAN, input={"request": {}}),
    attempt("data-extractor", "b1", at=0.7),
    attempt("data-extractor", "b2", at=0.8),
    attempt("order-volume", at=1.4),
    attempt("recipe-popularity", at=1.5),
    attempt("network-configuration", "A", at=2.1),
    attempt("network-configuration", "B", 0, "reused"),
    attempt("order-simulator", "2026-11-28", 1, "failed", 2.7, error="TransientError: <b>again</b>"),
    attempt("order-simulator", "2026-11-28", 2, at=4.0),
    attempt("site-forecast", "2026-11-28", at=4.6),
    attempt("publisher", at=5.2),
)


@dataclass
class Making:
    """A run to be changed before it is on a page."""

    attempts: tuple[AttemptAtStep, ...] = DONE
    status: str = "SUCCEEDED"
    degraded: tuple[Replacement, ...] = ()
    cause: str | None = None
    states: States = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    generation: int = 1
    graph: Graph = ORDERS.graph
    run_id: str = RUN
    no_lines: str | None = None

    def page(self) -> RunOnPage:
        history = RunHistory(
            run_id=self.run_id,
            pipeline="order-simulation",
            style="choreographed",
            date=date(2026, 11, 25),
            status=self.status,
            degraded=self.degraded,
            cause=self.cause,
            generation=self.generation,
            execution=None,
            versions=("order-simulator=v1",),
            start=BEGAN,
            duration=6.0,
            published=None,
            steps=self.attempts,
        )
        steps = steps_of(history, self.states, self.lines)
        placed = {(step.component, step.item) for step in steps}
        others = tuple(line for line in self.lines if (line["component"], line["item"]) not in placed)
        return RunOnPage(history, self.graph, steps, BEGAN + timedelta(seconds=6), others, self.no_lines)


def failed() -> Making:
    """The week's simulation failed for good; what comes after it never ran."""
    attempts = (
        *DONE[:8],
        attempt("order-simulator", "2026-11-28", 2, "failed", 4.0, error="BadData: no shares"),
        attempt("site-forecast", "2026-11-28", 0, "waiting"),
        attempt("publisher", "-", 0, "waiting"),
    )
    return Making(attempts, "FAILED", cause="order-simulator/2026-11-28 failed: BadData: no shares")


def running() -> Making:
    """The second attempt at the week's simulation is under way."""
    attempts = (
        *DONE[:8],
        attempt("order-simulator", "2026-11-28", 2, "running", 4.0),
        attempt("site-forecast", "2026-11-28", 0, "waiting"),
        attempt("publisher", "-", 0, "waiting"),
    )
    needs = ("configurator/-", "order-volume/-")
    return Making(attempts, "RUNNING", states={("order-simulator", "2026-11-28"): ("claimed", needs)})


def line(component: str, item: str, message: str, **other: Any) -> Line:
    when = "2026-11-25T09:00:01.500+00:00"
    return {"timestamp": when, "level": "INFO", "message": message, "component": component, "item": item} | other
