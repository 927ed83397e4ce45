"""Runs that start by themselves, at their pipeline's schedule. Times are the database's, so replicas agree."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.pipeline import Pipeline
from orchestrator.aws import Aws
from orchestrator.database import Connection, fetch_all
from orchestrator.deploy import Deployment
from orchestrator.once import Asked, start_once

CATCH_UP = timedelta(hours=6)
"""How late the latest time is still made up for, after nobody was there to start it. Earlier ones are not."""

_SEEN = "INSERT INTO schedules (pipeline, expression) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_SINCE = """
SELECT since, now() AS now FROM schedules WHERE pipeline = %(pipeline)s AND expression = %(expression)s
"""
_STARTED = "SELECT 1 AS found FROM starts WHERE cause = %(cause)s AND sent_at IS NOT NULL"

log = logging.getLogger("brigade.schedule")


def due(connection: Connection, pipeline: Pipeline) -> datetime | None:
    """The latest time of the pipeline's schedule for which no run has been started, if it is not too long ago."""
    if pipeline.schedule is None:
        return None
    asked = {"pipeline": pipeline.name, "expression": pipeline.schedule.expression}
    rows = fetch_all(connection, _SINCE, asked)
    if not rows:
        connection.execute(_SEEN, (asked["pipeline"], asked["expression"]))
        return None
    since, now = rows[0]["since"], rows[0]["now"]
    time = pipeline.schedule.latest(now, max(since, now - CATCH_UP))
    return time if time and not fetch_all(connection, _STARTED, {"cause": _cause(pipeline, time)}) else None


def start_due(
    aws: Aws,
    connection: Connection,
    deployment: Callable[[], Deployment],
    pipelines: tuple[Pipeline, ...],
    style: str,
) -> list[str]:
    """Start the runs that are due, each for the date of its time; gives their ids.

    Raises what `start_once` raises: what was not started is due as before.
    """
    started = []
    for pipeline in pipelines:
        time = due(connection, pipeline)
        if time:
            asked = Asked(pipeline, style, time.date(), {})
            once = start_once(aws, connection, deployment(), _cause(pipeline, time), asked)
            if not once.repeated:
                log.info("started %s, scheduled for %s", once.run_id, f"{time:%Y-%m-%d %H:%M} UTC")
                started.append(once.run_id)
    return started


def _cause(pipeline: Pipeline, time: datetime) -> str:
    return f"schedule {pipeline.name} {time:%Y-%m-%dT%H:%MZ}"
