"""The scheduled style: a component that its own clock starts takes the latest results it finds, of whichever run.

Nobody is waited for and nothing is joined. What comes late is read by a later run; what was read instead, the step's row says.
Results are those of runs that clocks started: of the others the old system knew nothing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from contracts.envelope import StepKey
from contracts.errors import NothingToRead
from contracts.graph import WHOLE, Node
from contracts.resolve import Step, assemble, resolve
from services.runtime import sql
from services.runtime.commit import insert_steps, lock
from services.runtime.store import Ended, Exhausted, Pool, Run, Worker

Json = dict[str, Any]
Connection = AsyncConnection[Any]


@dataclass(frozen=True)
class Result:
    """An answer, and the run it is of."""

    answer: Json
    run_id: str


async def take_latest(pool: Pool, run: Run, key: StepKey, node: Node, version: str) -> dict[StepKey, Json] | Ended:
    """Make the component's steps ready, in the run that its clock started them for; gives the data of each one's command.

    Which steps there are follows from the latest plan, as the inputs follow from the latest answers. Raises NothingToRead when
    something it takes has never been answered.
    """
    async with pool.connection() as connection, connection.transaction():
        status = await lock(connection, key)
        if status != "RUNNING":
            return Ended(f"the run is {status}")
        found = await _latest(connection, run, key.run_id, node)
        planned = f"{run.graph.planner.component}/{WHOLE}"
        if planned not in found:
            raise _nothing(node, [planned])
        steps = resolve(run.graph, run.request, found[planned].answer)
        found |= {s.key: Result(s.reused.output, found[planned].run_id) for s in steps if s.reused}
        own = [step for step in steps if step.component == node.component and step.version == version]
        if missing := sorted({need for step in own for need in step.needs} - found.keys()):
            raise _nothing(node, missing)
        await insert_steps(connection, key.run_id, run.graph, own)
        return {
            StepKey(run_id=key.run_id, component=step.component, item=step.item): await _start(
                connection, run, node, key.run_id, step, found
            )
            for step in own
            if not step.reused
        }


async def not_started(pool: Pool, run: Run, key: StepKey, worker: Worker, error: NothingToRead) -> Exhausted:
    """Record that the component found nothing to start on. It is not tried again: waiting would be a join."""
    order = [node.component for node in run.graph.nodes]
    parameters = {
        **key.model_dump(),
        "version": worker.version,
        "position": order.index(key.component) * 100_000,
        "name": worker.name,
        "log": worker.log,
        "error": error.name,
        "cause": str(error),
    }
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(sql.NOT_STARTED, parameters)
        if not run.fails_with(key.component):
            return Exhausted(None)
        cause = f"{key.local} failed: {error.name}: {error}"
        cursor = await connection.execute(sql.FAIL_RUN, {"run_id": key.run_id, "cause": cause})
        ended = await cursor.fetchone()
        return Exhausted(float(ended["seconds"]) if ended else None)


async def _latest(connection: Connection, run: Run, run_id: str, node: Node) -> dict[str, Result]:
    """By local key, of every component that this one takes something from, and of the planner."""
    components = {need.component for need in node.needs} | {run.graph.planner.component}
    cursor = await connection.execute(sql.LATEST, {"run_id": run_id, "components": sorted(components)})
    return {
        f"{row['component']}/{row['item']}": Result(json.loads(row["answer"]), row["run_id"])
        for row in await cursor.fetchall()
    }


async def _start(
    connection: Connection, run: Run, node: Node, run_id: str, step: Step, found: Mapping[str, Result]
) -> Json:
    planned = f"{run.graph.planner.component}/{WHOLE}"
    inputs_from = {key: found[key].run_id for key in (planned, *step.needs)}
    parameters = {
        "run_id": run_id,
        "component": step.component,
        "item": step.item,
        "inputs_from": Jsonb(inputs_from),
    }
    await connection.execute(sql.START, parameters)
    return assemble(run.graph, node, step.item, run.request, {key: found[key].answer for key in inputs_from})


def _nothing(node: Node, missing: Iterable[str]) -> NothingToRead:
    return NothingToRead(
        f"{node.component} was started by its clock and found no result of {', '.join(missing)}, of this run or any before: "
        "let what it takes finish once, or give it more time to"
    )
