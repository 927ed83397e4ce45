"""A step that is a whole run: started once, however often the step is tried, and waited for.

The run's id follows from the step's, its rows are written in one transaction, and what sets it going may be sent again: a
repeated command is answered from its row, and an execution of the same name is not started twice. What the parent has
answered already, and the nested run would answer alike, is taken over.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from contracts.envelope import StepKey, seal
from contracts.errors import BadRequest, BrigadeError
from contracts.graph import WHOLE, Graph
from contracts.nesting import nested_request, steps_of_nested, taken_over
from contracts.resolve import assemble
from contracts.run import RunRequest
from services.runtime import sql
from services.runtime.attempt import AWAY
from services.runtime.commit import insert_steps
from services.runtime.context import Log
from services.runtime.store import Pool, Run

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_stepfunctions import SFNClient

Json = dict[str, Any]

LOOK = 1.0
"""Seconds between two looks at a nested run."""

AT_ONCE = 50
"""Nested runs that one worker waits for: that costs it next to nothing."""


class NestedRunFailed(BrigadeError):
    """The run that is this step has failed. It is redriven together with the run that it is part of."""


class _UnderWay(Exception):
    """Not an answer yet."""


@dataclass(frozen=True)
class Way:
    """How runs of the pipeline are started here: by the ARN of its state machine, or through its first component's queue."""

    graph: Graph
    machine: str
    queue_url: str


@dataclass(frozen=True)
class NestedRuns:
    way: Way
    pool: Pool
    sqs: "SQSClient"
    stepfunctions: "SFNClient"

    async def answer(self, parent: Run, key: StepKey, beat: Callable[[], None], log: Log) -> Json:
        """Run the pipeline as this step, and give what its last step answers.

        Raises NestedRunFailed, and BadRequest when the pipeline is not deployed as it is here.
        """
        request = nested_request(parent.request, key.component, key.item, self.way.graph.pipeline)
        log.info("is run %s of %s", request.run_id, request.pipeline)
        await self._start(parent, request)
        # A database that is away for a while is nothing to fail for: whether this attempt still counts, `beat` says.
        again = AsyncRetrying(retry=retry_if_exception_type((_UnderWay, *AWAY)), wait=wait_fixed(LOOK), reraise=True)
        answer: Json = await again(self._look, parent.request.run_id, request.run_id, beat)
        return answer

    async def _start(self, parent: Run, request: RunRequest) -> None:
        graph = self.way.graph
        version = await self._published_version()
        style = "orchestrated" if parent.style == "orchestrated" else "choreographed"
        name = f"{self.way.machine.replace(':stateMachine:', ':execution:')}:{request.run_id}-1"
        row = {
            "run_id": request.run_id,
            "parent": parent.request.run_id,
            "pipeline": graph.pipeline,
            "style": style,
            "date": request.date,
            "request": request.model_dump_json(),
            "graph": graph.digest,
            "execution": name if style == "orchestrated" else None,
            "traceparent": parent.traceparent,
            "deadline": graph.deadline,
        }
        async with self.pool.connection() as connection, connection.transaction():
            inserted = await connection.execute(sql.INSERT_RUN, row)
            if inserted.rowcount:
                answers = await self._answers(connection, parent)
                steps = steps_of_nested(graph, request, parent.request, answers)
                await insert_steps(connection, request.run_id, graph, steps)
                await connection.execute(
                    sql.READY_FIRST, {"run_id": request.run_id, "component": graph.planner.component}
                )
            found = await (await connection.execute(sql.LOOK_AT_RUN, {"run_id": request.run_id})).fetchone()
        if found["status"] == "RUNNING":  # also of an earlier attempt, which may have sent nothing
            await self._set_going(request, found["style"], found["execution"], version, parent.traceparent)

    async def _published_version(self) -> str:
        asked = {"machine": self.way.machine, "graph": self.way.graph.digest}
        async with self.pool.connection() as connection:
            row = await (await connection.execute(sql.PUBLISHED_VERSION, asked)).fetchone()
        if row is None:
            raise BadRequest(f"pipeline {self.way.graph.pipeline} is not deployed as it is here: run `brigade deploy`")
        return str(row["version"])

    async def _answers(self, connection: Any, parent: Run) -> dict[str, Json]:
        """The parent's, of the components that the nested run takes over."""
        asked = {
            "run_id": parent.request.run_id,
            "components": list(taken_over(parent.graph, self.way.graph)),
        }
        cursor = await connection.execute(sql.ANSWERS_OF, asked)
        return {f"{row['component']}/{row['item']}": json.loads(row["answer"]) for row in await cursor.fetchall()}

    async def _set_going(
        self, request: RunRequest, style: str, execution: str | None, version: str, trace: str | None
    ) -> None:
        if style == "orchestrated" and execution:
            data = {"run_id": request.run_id, "request": request.model_dump(mode="json"), "traceparent": trace}
            name = execution.rpartition(":")[2]
            try:
                await self.stepfunctions.start_execution(stateMachineArn=version, name=name, input=json.dumps(data))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                    raise
            return
        node = self.way.graph.planner
        key = StepKey(run_id=request.run_id, component=node.component, item=WHOLE)
        data = assemble(self.way.graph, node, WHOLE, request, {})
        body = seal(key, node.command, "start", data, datetime.now(UTC), trace)
        await self.sqs.send_message(QueueUrl=self.way.queue_url, MessageBody=body)

    async def _look(self, parent: str, run_id: str, beat: Callable[[], None]) -> Json:
        """The answer of the last step. A parent that has ended takes its nested run along."""
        beat()
        asked = {"parent": parent, "run_id": run_id, "last": self.way.graph.nodes[-1].component, "whole": WHOLE}
        async with self.pool.connection() as connection:
            await connection.execute(sql.END_WITH_PARENT, asked)
            row = await (await connection.execute(sql.LOOK_AT_NESTED, asked)).fetchone()
        if row["status"] == "RUNNING":
            raise _UnderWay
        if row["status"] == "FAILED":
            raise NestedRunFailed(f"{run_id}: {row['cause']} (`brigade history {run_id}`)")
        answer: Json = json.loads(row["answer"])
        return answer
