"""The answers of earlier runs that a run may give again, in the versions that its graph names."""

import json
from datetime import date, datetime
from typing import Any

from contracts.message import EarlierResult
from contracts.versions import arranged, taken_apart
from services.runtime import sql
from services.runtime.context import Log
from services.runtime.store import Pool, Run


async def earlier_result(
    pool: Pool, run: Run, component: str, item: str, before: date, since: datetime, log: Log
) -> EarlierResult | None:
    """The latest answer that has every version the component gives in this run; none of a run that ended degraded there.

    The log says when there is none although an earlier run left one, and which version it has.
    """
    if not run.graph.has(component):
        return None
    node = run.graph.node(component)
    versions = (node.event, *node.also)
    asked = {
        "pipeline": run.request.pipeline,
        "component": component,
        "item": item,
        "before": before,
        "since": since,
    }
    row = await _latest(pool, {**asked, "versions": list(versions)})
    if row is None:
        other = await _latest(pool, {**asked, "versions": []})
        if other:
            where = f"{other['run_id']}/{component}/{item}"
            log.warning(
                "%s answered %s, this run takes %s: it is not reused", where, other["event"], " and ".join(versions)
            )
        return None
    output = json.loads(row["answer"])
    if row["event"] != node.event:
        found = taken_apart(output, row["event"])
        output = arranged({name: found[name] for name in versions}, node.event)
    return EarlierResult(run_id=row["run_id"], date=row["date"], output=output)


async def _latest(pool: Pool, asked: dict[str, Any]) -> dict[str, Any] | None:
    async with pool.connection() as connection:
        cursor = await connection.execute(sql.EARLIER_RESULT, asked)
        row: dict[str, Any] | None = await cursor.fetchone()
        return row
