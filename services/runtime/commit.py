"""The one short transaction that makes an answer count, and everything that must happen exactly then."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from contracts.envelope import StepKey
from contracts.graph import Graph
from contracts.resolve import Step, resolve
from services.runtime import sql
from services.runtime.context import Statement
from services.runtime.store import Claim, Ended, Pool, Run, Store, Superseded, answer_parameters

Json = dict[str, Any]
Connection = AsyncConnection[Any]


@dataclass(frozen=True)
class RunEnd:
    """A run has succeeded, after so many seconds."""

    seconds: float
    degraded: bool


@dataclass(frozen=True)
class Committed:
    """The answer is stored. `token` is the newest that asked for it; `end` is set when this ended the run."""

    answer: str
    token: str | None
    end: RunEnd | None = None


async def commit(
    pool: Pool, store: Store, run: Run, claim: Claim, answer: str, data: Json, statements: Sequence[Statement] = ()
) -> Committed | Superseded | Ended:
    """Store the answer if the claim still holds.

    In the same transaction the handler's own statements run, the planner's answer becomes the run's steps, and the last
    step's answer ends the run. `data` is the answer as JSON. Raises BadRequest when the plan cannot be resolved.
    """
    graph = run.graph
    planner = claim.key.component == graph.planner.component
    # Whoever takes its answer may have been reused, every one of its steps: then this may be the last answer of all.
    last = all(consumer.selection for consumer in graph.consumers(claim.key.component))
    steps = resolve(graph, run.request, data) if planner else ()
    if not (planner or last or statements):
        stored = await store.answer(claim, answer)
        return stored if isinstance(stored, Superseded) else Committed(answer, stored.token)
    async with pool.connection() as connection, connection.transaction():
        status = await lock(connection, claim.key)
        if status != "RUNNING":
            return Ended(f"the run is {status}")
        cursor = await connection.execute(sql.STORE_ANSWERS, {"asked": json.dumps([answer_parameters(claim, answer)])})
        row = await cursor.fetchone()
        if row is None:
            return Superseded()
        for statement in statements:
            async with connection.cursor() as many:
                await many.executemany(statement.sql, statement.rows)
        await insert_steps(connection, claim.key.run_id, graph, steps)
        return Committed(answer, row["token"], await _end(connection, run, claim.key) if last else None)


async def insert_steps(connection: Connection, run_id: str, graph: Graph, steps: Sequence[Step]) -> None:
    """Every step of the run after the planner's, waiting, or reused with the earlier answer."""
    order = {node.component: number for number, node in enumerate(graph.nodes)}
    rows = [
        {
            "run_id": run_id,
            "component": step.component,
            "item": step.item,
            "version": step.version,
            "position": order[step.component] * 100_000 + number,
            "state": "reused" if step.reused else "waiting",
            "needs": list(step.needs),
            "answer": json.dumps(step.reused.output) if step.reused else None,
        }
        for number, step in enumerate(steps)
    ]
    if rows:
        async with connection.cursor() as cursor:
            await cursor.executemany(sql.INSERT_STEP, rows)


async def lock(connection: Connection, key: StepKey) -> str:
    """The run's status, kept until the transaction ends.

    Last steps that commit at the same moment must see each other; an ended run publishes nothing more.
    """
    cursor = await connection.execute(sql.LOCK_RUN, key.model_dump())
    row = await cursor.fetchone()
    return str(row["status"]) if row else "unknown"


async def _end(connection: Connection, run: Run, key: StepKey) -> RunEnd | None:
    statement = sql.SUCCEED_RUN if run.ends_with is None else sql.SUCCEED_SCHEDULED
    cursor = await connection.execute(statement, {"run_id": key.run_id, "ends_with": run.ends_with})
    row = await cursor.fetchone()
    return RunEnd(float(row["seconds"]), row["degraded"]) if row else None
