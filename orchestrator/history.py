"""What happened in a run, from its rows: one form for both styles."""

import json
from datetime import date, datetime
from typing import Any

from contracts.errors import BadRequest
from contracts.message import Frozen, Replacement
from orchestrator.database import Connection, fetch_all

_RUN = """
SELECT run_id, pipeline, style, date, generation, status, degraded, cause, execution, graph, request, started_at, ended_at,
       extract(epoch FROM coalesce(ended_at, now()) - started_at)::float8 AS seconds
FROM runs WHERE run_id = %(run_id)s
"""

_STEPS = """
SELECT s.component, s.version, s.item, s.state, s.input, s.answer, a.attempt, a.mode, a.outcome, a.started_at, a.ended_at,
       extract(epoch FROM a.ended_at - a.started_at)::float8 AS seconds, a.error, a.cause, a.worker, a.log
FROM steps s LEFT JOIN attempts a USING (run_id, component, item)
WHERE s.run_id = %(run_id)s
ORDER BY s.position, a.started_at
"""

_REPLACED = """
SELECT replaced FROM steps, jsonb_array_elements(answer::jsonb -> 'degraded') AS replaced
WHERE run_id = %(run_id)s GROUP BY replaced ORDER BY min(position), replaced
"""

_PUBLICATION = """
SELECT p.sha256, p.rows, p.uri, p.csv_uri, EXISTS (
    SELECT 1 FROM steps s WHERE s.run_id = p.run_id AND s.answer::jsonb ? 'page_uri'
) AS page
FROM publications p WHERE p.run_id = %(run_id)s
"""


class NoSuchRun(BadRequest):
    """No run has this id."""


class HasEnded(BadRequest):
    """The run has ended in a way that leaves nothing to do."""


class AttemptAtStep(Frozen):
    """One attempt at a step, or a step that has had none: `attempt` is 0 then. Times are UTC, durations in seconds.

    `mode` is normal, or fallback for an attempt of the component's fallback.
    """

    component: str
    version: str
    item: str
    attempt: int
    mode: str
    status: str
    start: datetime | None
    duration: float | None
    input: Any
    output: Any
    error: str | None
    worker: str | None
    log: str | None


class Publication(Frozen):
    """`page` says whether there is a page for planners, too."""

    sha256: str
    rows: int
    uri: str
    csv_uri: str
    page: bool = False


class RunHistory(Frozen):
    """`degraded` lists what was replaced in the run, by what, and why."""

    run_id: str
    pipeline: str
    style: str
    date: date
    status: str
    degraded: tuple[Replacement, ...]
    cause: str | None
    generation: int
    execution: str | None
    versions: tuple[str, ...]
    start: datetime
    duration: float
    published: Publication | None
    steps: tuple[AttemptAtStep, ...]


def read_history(connection: Connection, run_id: str) -> RunHistory:
    """Raises NoSuchRun when there is none."""
    runs = fetch_all(connection, _RUN, {"run_id": run_id})
    if not runs:
        raise NoSuchRun(f"there is no run '{run_id}': `brigade runs` lists them")
    run = runs[0]
    published = fetch_all(connection, _PUBLICATION, {"run_id": run_id})
    return RunHistory(
        run_id=run_id,
        pipeline=run["pipeline"],
        style=run["style"],
        date=run["date"],
        status=run["status"],
        degraded=tuple(
            Replacement.model_validate(row["replaced"]) for row in fetch_all(connection, _REPLACED, {"run_id": run_id})
        ),
        cause=run["cause"],
        generation=run["generation"],
        execution=run["execution"],
        versions=tuple(json.loads(run["request"])["versions"]),
        start=run["started_at"],
        duration=run["seconds"],
        published=Publication(**published[0]) if published else None,
        steps=tuple(_attempt(row) for row in fetch_all(connection, _STEPS, {"run_id": run_id})),
    )


def _attempt(row: dict[str, Any]) -> AttemptAtStep:
    finished = row["outcome"] != "failed"
    return AttemptAtStep(
        component=row["component"],
        version=row["version"],
        item=row["item"],
        attempt=row["attempt"] or 0,
        mode=row["mode"] or "normal",
        status=row["outcome"] or ("running" if row["attempt"] else row["state"]),
        start=row["started_at"],
        duration=row["seconds"],
        input=json.loads(row["input"]) if row["input"] else None,
        output=json.loads(row["answer"]) if row["answer"] and finished else None,
        error=f"{row['error']}: {row['cause']}" if row["error"] else None,
        worker=row["worker"],
        log=row["log"],
    )


def in_words(status: str, degraded: object) -> str:
    """A run's status as people read it."""
    return f"{status}, degraded" if degraded else status


def list_runs(connection: Connection, limit: int = 20) -> list[dict[str, Any]]:
    """The latest runs, newest first."""
    query = """
        SELECT run_id, pipeline, style, date, status, degraded, cause, started_at,
               ARRAY(SELECT jsonb_array_elements_text(request::jsonb -> 'versions')) AS versions,
               extract(epoch FROM coalesce(ended_at, now()) - started_at)::float8 AS seconds
        FROM runs ORDER BY started_at DESC LIMIT %(limit)s
    """
    return list(fetch_all(connection, query, {"limit": limit}))
