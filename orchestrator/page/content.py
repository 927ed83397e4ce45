"""Everything the run page says: read from the run's rows, its graph and its workers' log files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from contracts.errors import BadRequest
from contracts.graph import Graph
from orchestrator.database import Connection, fetch_all
from orchestrator.history import AttemptAtStep, RunHistory, read_history
from orchestrator.logs import Line, run_lines

_GRAPH = "SELECT g.body, now() AS now FROM runs r JOIN graphs g ON g.digest = r.graph WHERE r.run_id = %(run_id)s"

_STEPS = "SELECT component, item, state, needs FROM steps WHERE run_id = %(run_id)s ORDER BY position"

STATUSES = ("failed", "running", "ready", "waiting", "not run", "replaced", "reused", "done")
"""What a step can be, the most urgent first. `replaced` is done, but by a fallback or in part."""

ENDED_WELL = {"done", "reused", "replaced"}

_OF_STATE = {"claimed": "running"}


@dataclass(frozen=True)
class StepOnPage:
    """One step: where it stands, its attempts by time, its log lines. `needs` are local keys, `component/item`."""

    component: str
    item: str
    version: str
    status: str
    needs: tuple[str, ...]
    attempts: tuple[AttemptAtStep, ...]
    last: AttemptAtStep
    lines: tuple[Line, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.component}/{self.item}"


@dataclass(frozen=True)
class RunOnPage:
    """A run as it is at `now`. `other_lines` belong to no step of it; `no_lines` says why there are none."""

    history: RunHistory
    graph: Graph
    steps: tuple[StepOnPage, ...]
    now: datetime
    other_lines: tuple[Line, ...] = ()
    no_lines: str | None = None

    def of(self, component: str) -> list[StepOnPage]:
        return [step for step in self.steps if step.component == component]

    @property
    def began(self) -> datetime:
        return min([self.history.start, *(a.start for step in self.steps for a in step.attempts if a.start)])

    @property
    def ended(self) -> datetime:
        """Of a run under way, now."""
        return self.history.start + timedelta(seconds=self.history.duration)

    @property
    def seconds(self) -> float:
        """From the first moment on the page to the last."""
        ends = [(self.ended - self.began).total_seconds()]
        ends += [end for step in self.steps for _, end in self.spans(step)]
        return max(*ends, 0.001)

    def spans(self, step: StepOnPage) -> list[tuple[float, float]]:
        """Start and end of a step's attempts, in seconds since the run began. One that goes on ends with the run, or now."""
        found = []
        for attempt in step.attempts:
            assert attempt.start is not None, "an attempt has a start"
            start = (attempt.start - self.began).total_seconds()
            last = max(start, (self.ended - self.began).total_seconds())
            found.append((start, last if attempt.duration is None else start + attempt.duration))
        return found


def status_of(steps: Sequence[StepOnPage]) -> str:
    """Of several steps together: failed, running or replaced when one is, done or reused when all are."""
    found = {step.status for step in steps}
    if not found:
        return "waiting"
    if found == {"done", "reused"}:
        return "done"
    if found & ENDED_WELL and found & {"ready", "waiting"} and not found & {"failed"}:
        return "running"
    return min(found, key=_urgency)


def counts_of(steps: Sequence[StepOnPage]) -> str:
    """`4 done`, `3 done, 1 failed`."""
    counted = Counter(step.status for step in steps)
    return ", ".join(f"{counted[status]} {status}" for status in sorted(counted, key=_urgency, reverse=True))


def _urgency(status: str) -> int:
    return STATUSES.index(status) if status in STATUSES else len(STATUSES)


def read_page(connection: Connection, run_id: str) -> RunOnPage:
    """Raises BadRequest when there is no such run."""
    history = read_history(connection, run_id)
    (found,) = fetch_all(connection, _GRAPH, {"run_id": run_id})
    try:
        lines, no_lines = run_lines(connection, run_id), None
    except BadRequest as error:
        lines, no_lines = [], str(error)
    rows = fetch_all(connection, _STEPS, {"run_id": run_id})
    states = {(row["component"], row["item"]): (row["state"], tuple(row["needs"])) for row in rows}
    steps = steps_of(history, states, lines)
    placed = {(step.component, step.item) for step in steps}
    others = tuple(line for line in lines if _place(line) not in placed)
    graph = Graph.model_validate_json(found["body"])
    return RunOnPage(history, graph, steps, found["now"], others, no_lines)


def steps_of(
    history: RunHistory, states: dict[tuple[str, str], tuple[str, tuple[str, ...]]], lines: Sequence[Line]
) -> tuple[StepOnPage, ...]:
    """The steps in the order of the pipeline. `states` are the states and needs of the steps' rows."""
    made = []
    replaced = {(one.component, one.item) for one in history.degraded}
    for place, group in groupby(history.steps, key=lambda attempt: (attempt.component, attempt.item)):
        rows = tuple(group)
        state, needs = states.get(place, (rows[-1].status, ()))
        status = _OF_STATE.get(state, state)
        if history.status != "RUNNING" and status in ("ready", "waiting", "running"):
            status = "not run"
        if place in replaced and status == "done":
            status = "replaced"
        attempts = tuple(row for row in rows if row.attempt)
        own = tuple(line for line in lines if _place(line) == place)
        made.append(StepOnPage(*place, rows[-1].version, status, needs, attempts, rows[-1], own))
    return tuple(made)


def _place(line: Line) -> tuple[str, str]:
    return str(line.get("component")), str(line.get("item"))
