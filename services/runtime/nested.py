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
from services.runtime import nested_sql as sql
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
        last = await self._start(parent, request)
        # A database that is away for a while is nothing to fail for: whether this attempt still counts, `beat` says.
        again = AsyncRetrying(retry=retry_if_exception_type((_UnderWay, *AWAY)), wait=wait_fixed(LOOK), reraise=True)
        answer: Json = await again(self._look, request.run_id, last, beat)
        return answer

    async def _start(self, parent: Run, request: RunRequest) -> str:
        """Write the run, unless an earlier attempt has, and set it going: that one may have come to no more than its rows.

        Gives the component whose answer is the run's, by the graph that the run was started with.
        """
        run = await self._find(request.run_id)
        if run is None:
            await self._write(parent, request)
            run = await self._find(request.run_id)
        graph = Graph.model_validate_json(run["graph"])
        if run["status"] == "RUNNING":
            await self._set_going(RunRequest.model_validate_json(run["request"]), graph, run)
        return graph.nodes[-1].component

    async def _find(self, run_id: str) -> Any:
        asked = {"run_id": run_id, "machine": self.way.machine}
        async with self.pool.connection() as connection:
            return await (await connection.execute(sql.FIND_NESTED, asked)).fetchone()

    async def _write(self, parent: Run, request: RunRequest) -> None:
        graph = self.way.graph
        row = {
            "run_id": request.run_id,
            "parent": parent.request.run_id,
            "pipeline": graph.pipeline,
            "request": request.model_dump_json(),
            "graph": graph.digest,
            "machine": self.way.machine,
            "deadline": graph.deadline,
        }
        async with self.pool.connection() as connection, connection.transaction():
            if not (await connection.execute(sql.IS_PUBLISHED, row)).rowcount:
                raise BadRequest(f"pipeline {graph.pipeline} is not deployed as it is here: run `brigade deploy`")
            if not (await connection.execute(sql.INSERT_NESTED, row)).rowcount:
                return  # another attempt has
            answers = await self._answers(connection, parent)
            steps = steps_of_nested(graph, request, parent.request, answers)
            await insert_steps(connection, request.run_id, graph, steps)
            await connection.execute(sql.READY_FIRST, {**row, "component": graph.planner.component})

    async def _answers(self, connection: Any, parent: Run) -> dict[str, Json]:
        """The parent's, of the components that the nested run takes over."""
        asked = {
            "run_id": parent.request.run_id,
            "components": list(taken_over(parent.graph, self.way.graph)),
        }
        cursor = await connection.execute(sql.ANSWERS_OF, asked)
        return {f"{row['component']}/{row['item']}": json.loads(row["answer"]) for row in await cursor.fetchall()}

    async def _set_going(self, request: RunRequest, graph: Graph, run: Any) -> None:
        """The row names its execution when that is there: whoever finds it named and missing takes it for lost."""
        if run["style"] == "orchestrated":
            name = f"{request.run_id}-{run['generation']}"
            await self._start_execution(request, run, name)
            execution = f"{self.way.machine.replace(':stateMachine:', ':execution:')}:{name}"
            async with self.pool.connection() as connection:
                await connection.execute(sql.NAME_EXECUTION, {"run_id": request.run_id, "execution": execution, **run})
            return
        node = graph.planner
        key = StepKey(run_id=request.run_id, component=node.component, item=WHOLE)
        data = assemble(graph, node, WHOLE, request, {})
        body = seal(key, node.command, "start", data, datetime.now(UTC), run["traceparent"])
        await self.sqs.send_message(QueueUrl=self.way.queue_url, MessageBody=body)

    async def _start_execution(self, request: RunRequest, run: Any, name: str) -> None:
        data = {"run_id": request.run_id, "request": request.model_dump(mode="json"), "traceparent": run["traceparent"]}
        if run["version"] is None:
            raise BadRequest(
                f"the state machine that {request.run_id} started with is not deployed any more: redrive it"
            )
        try:
            await self.stepfunctions.start_execution(stateMachineArn=run["version"], name=name, input=json.dumps(data))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise

    async def _look(self, run_id: str, last: str, beat: Callable[[], None]) -> Json:
        """The answer of the last step. A parent that has ended takes its nested run along."""
        beat()
        async with self.pool.connection() as connection:
            asked = {"run_id": run_id, "last": last, "whole": WHOLE}
            row = await (await connection.execute(sql.LOOK_AT_NESTED, asked)).fetchone()
            if row["status"] == "RUNNING":
                if row["parent_status"] != "RUNNING":
                    await _end_with_parent(connection, run_id, row["parent"])
                raise _UnderWay
        if row["status"] == "FAILED":
            raise NestedRunFailed(f"{run_id}: {row['cause']} (`brigade history {run_id}`)")
        answer: Json = json.loads(row["answer"])
        return answer


async def _end_with_parent(connection: Any, run_id: str, parent: str) -> None:
    """Unless somebody is redriving the parent: the nested run goes first then, and must not be taken for left over."""
    async with connection.transaction():
        cursor = await connection.execute(sql.LOCK_PARENT, {"parent": parent})
        if (await cursor.fetchone())["free"]:
            await connection.execute(sql.END_WITH_PARENT, {"run_id": run_id})
