"""The small sweep every worker helps with: nothing that was promised in a row is forgotten.

It sends commands of steps that could have run for too long, fails runs past their deadline naming what is missing, and
fails orchestrated runs whose execution has ended without them. `FOR UPDATE SKIP LOCKED` keeps workers out of each other's way.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contracts.component import LOST_CALLBACKS
from contracts.envelope import StepKey
from contracts.resolve import assemble
from services.runtime import sql
from services.runtime.outgoing import command_body
from services.runtime.queue import Queue
from services.runtime.store import Pool, Store
from services.runtime.telemetry import Metrics

if TYPE_CHECKING:
    from types_aiobotocore_stepfunctions import SFNClient

STALE = 60
"""Seconds after which a step that could run is taken for forgotten: longer than any back-off."""

log = logging.getLogger("brigade.sweep")


@dataclass(frozen=True)
class _End:
    """Of an execution; `in_silence` when nobody has said why. `counted` is the metric's word for it."""

    cause: str
    in_silence: bool = False
    counted: str = "FAILED"


class Sweep:
    def __init__(self, pool: Pool, store: Store, queue: Queue, stepfunctions: "SFNClient", metrics: Metrics) -> None:
        self._pool = pool
        self._store = store
        self._queue = queue
        self._stepfunctions = stepfunctions
        self._metrics = metrics

    async def once(self, component: str, version: str) -> None:
        await self.resend_forgotten(component, version)
        await self.fail_overdue()
        await self.reconcile()

    async def resend_forgotten(self, component: str, version: str) -> int:
        """Send the command of each choreographed step that could have run for too long: its message may be lost."""
        rows = await self._all(sql.FORGOTTEN, {"component": component, "version": version, "stale": STALE})
        bodies = []
        for row in rows:
            key = StepKey(run_id=row["run_id"], component=component, item=row["item"])
            run = await self._store.run(key.run_id)
            if run is None:
                continue
            node = run.graph.node(component)
            planner = run.graph.planner.component
            answers = await self._store.answers(key.run_id, component, key.item, planner)
            bodies.append(command_body(run, node, key, assemble(run.graph, node, key.item, run.request, answers)))
        if bodies:
            log.warning("%d steps could have run for over %d s: sending their commands again", len(bodies), STALE)
            await self._queue.send(bodies)
        return len(bodies)

    async def fail_overdue(self) -> int:
        """Fail runs past their deadline."""
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(sql.OVERDUE)
            rows = await cursor.fetchall()
            for row in rows:
                cause = f"the deadline has passed; missing: {await self._missing(connection, row['run_id'])}"
                await self._fail(connection, row["run_id"], cause, "TIMED_OUT")
        return len(rows)

    async def reconcile(self) -> int:
        """Fail orchestrated runs whose execution failed, timed out or was aborted."""
        rows = await self._all(sql.UNCHECKED_EXECUTIONS, {})
        for row in rows:
            end = await self._end_of(row["execution"])
            if end is None:
                continue
            async with self._pool.connection() as connection, connection.transaction():
                # A redrive may have come in between: the run then has another execution.
                if not (await connection.execute(sql.LOCK_EXECUTION, row)).rowcount:
                    continue
                missing = f"; missing: {await self._missing(connection, row['run_id'])}" if end.in_silence else ""
                await self._fail(connection, row["run_id"], end.cause + missing, end.counted)
        return len(rows)

    async def _end_of(self, execution: str) -> _End | None:
        try:
            found = await self._stepfunctions.describe_execution(executionArn=execution)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return _End("its execution does not exist any more: redrive the run")
        if found["status"] in ("RUNNING", "SUCCEEDED"):
            return None
        end = f"its execution is {found['status']}: {found.get('error', 'no error')}"
        if found["status"] == "TIMED_OUT" or found.get("error") in LOST_CALLBACKS:  # which has no cause
            counted = "TIMED_OUT" if found["status"] == "TIMED_OUT" else "FAILED"
            return _End(f"{end}: no answer in time", in_silence=True, counted=counted)
        return _End(f"{end}: {found.get('cause', 'no cause')}")

    async def _missing(self, connection: Any, run_id: str) -> str:
        cursor = await connection.execute(sql.MISSING, {"run_id": run_id})
        return str((await cursor.fetchone())["missing"])

    async def _fail(self, connection: Any, run_id: str, cause: str, counted: str) -> None:
        cursor = await connection.execute(sql.FAIL_RUN, {"run_id": run_id, "cause": cause})
        row = await cursor.fetchone()
        run = await self._store.run(run_id)
        if row and run:
            log.error("run %s failed: %s", run_id, cause, extra={"run": run_id})
            self._metrics.run_ended(run.request.pipeline, run.style, counted, float(row["seconds"]))

    async def _all(self, query: str, parameters: dict[str, Any]) -> list[Any]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(query, parameters)
            return list(await cursor.fetchall())
