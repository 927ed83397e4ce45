"""One run from start to end, with what it cost."""

from collections.abc import Callable
from datetime import date

from contracts.message import Frozen, Replacement
from contracts.pipeline import Pipeline
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.history import Publication, RunHistory
from orchestrator.measure import cost_of, settle, snapshot, state_transitions
from orchestrator.start import start_run

_EXECUTIONS = "SELECT execution FROM runs WHERE %(run_id)s IN (run_id, parent)"
"""Of a run, and of those that are steps of it."""


class Result(Frozen):
    """How a run ended."""

    run_id: str
    status: str
    style: str
    date: date
    seconds: float
    degraded: tuple[Replacement, ...]
    cause: str | None
    published: Publication | None
    steps: int


class Outcome(Result):
    """With what it cost. Counts are of the whole fleet while the run was under way: its own only when it was `alone`."""

    messages: int
    api_calls: dict[str, dict[str, int]]
    idle_polls: int
    state_transitions: int
    alone: bool


def execute(
    aws: Aws,
    connection: Connection,
    deployment: Deployment,
    pipeline: Pipeline,
    style: str,
    day: date,
    flags: dict[str, str],
    seed: int,
    started: Callable[[str], None],
    follow: Callable[[str], RunHistory],
) -> Outcome:
    """Start a run, let `follow` wait for its end, and count."""
    before = snapshot(connection)
    run = start_run(aws, connection, deployment, pipeline, style, day, flags, seed)
    started(run.run_id)
    history = follow(run.run_id)
    alone = _ran_alone(connection, run.run_id) and settle(aws, connection, deployment.queue_urls(pipeline))
    executions = fetch_all(connection, _EXECUTIONS, {"run_id": run.run_id})
    transitions = sum(state_transitions(aws, row["execution"]) for row in executions)
    cost = cost_of(before, snapshot(connection), transitions)
    return Outcome(**dict(result_of(history)), alone=alone, **cost.model_dump())


def result_of(history: RunHistory) -> Result:
    return Result(
        run_id=history.run_id,
        status=history.status,
        style=history.style,
        date=history.date,
        seconds=history.duration,
        degraded=history.degraded,
        cause=history.cause,
        published=history.published,
        steps=len({(step.component, step.item) for step in history.steps}),
    )


def _ran_alone(connection: Connection, run_id: str) -> bool:
    query = """
        SELECT count(*) AS others FROM runs other, runs mine
        WHERE mine.run_id = %(run_id)s AND other.run_id <> mine.run_id AND other.parent IS DISTINCT FROM mine.run_id
          AND (other.ended_at IS NULL OR other.ended_at > mine.started_at)
    """
    return bool(fetch_all(connection, query, {"run_id": run_id})[0]["others"] == 0)
