"""Step Functions in memory: follows the graph, sends commands with task tokens, and retries as the rendered ASL does."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from contracts.component import LOST_CALLBACKS
from contracts.envelope import StepKey, seal
from contracts.graph import Graph
from contracts.resolve import Step, assemble, first_step, resolve
from contracts.run import RunRequest
from tests.behaviour.runtime.gates import gate

Json = dict[str, Any]
Send = Callable[[str, str, str, str], None]
"""Component, version, body, task token."""


class FakeStepFunctions:
    def __init__(self, graph: Graph, send: Send) -> None:
        self._graph = graph
        self._send = send
        self._numbers = count(1)
        self._steps: dict[str, Step] = {}
        self._asked: set[str] = set()
        self._failures: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.request: RunRequest | None = None
        self.status = "RUNNING"
        self.error: tuple[str, str] | None = None
        self.outputs: dict[str, Json] = {}
        self.waiting: dict[str, str] = {}
        """Local key of the step, by the token whose answer is waited for."""
        self.tokens: dict[str, str] = {}
        """The same of every token there ever was."""
        self.lose_next_answer = False

    def start_execution(self, **asked: Any) -> None:
        self.request = RunRequest.model_validate(json.loads(asked["input"])["request"])
        step = first_step(self._graph, self.request)
        self._steps = {step.key: step}
        self._go_on()

    def time_out(self, token: str) -> None:
        """The callback's time is up."""
        self._fail(token, "States.Timeout", "no heartbeat")

    async def describe_execution(self, **asked: Any) -> Json:
        error, cause = self.error or ("", "")
        return {"status": self.status, "error": error, "cause": cause}

    async def send_task_heartbeat(self, **asked: Any) -> None:
        await gate("beating")
        self._check(asked["taskToken"])

    async def send_task_success(self, **asked: Any) -> None:
        await gate("answering")
        self._check(asked["taskToken"])
        if self.lose_next_answer:
            self.lose_next_answer = False
        else:
            self._succeed(self.waiting.pop(asked["taskToken"]), json.loads(asked["output"]))
        await gate("answering")

    async def send_task_failure(self, **asked: Any) -> None:
        await gate("refusing")
        self._check(asked["taskToken"])
        self._fail(asked["taskToken"], asked["error"], asked["cause"])
        await gate("refusing")

    def _check(self, token: str) -> None:
        if token not in self.waiting:
            raise ClientError({"Error": {"Code": "TaskTimedOut", "Message": token}}, "SendTask")

    def _succeed(self, key: str, output: Json) -> None:
        assert self.request is not None
        self.outputs[key] = output
        if key == f"{self._graph.planner.component}/-":
            self._steps |= {step.key: step for step in resolve(self._graph, self.request, output)}
            self.outputs |= {s.key: s.reused.output for s in self._steps.values() if s.reused}
        self._go_on()
        if self._steps.keys() == self.outputs.keys():
            self.status = "SUCCEEDED"

    def _go_on(self) -> None:
        for key, step in self._steps.items():
            if key not in self._asked and key not in self.outputs and self.outputs.keys() >= set(step.needs):
                self._asked.add(key)
                self._ask(step)

    def _ask(self, step: Step) -> None:
        assert self.request is not None
        node = self._graph.node(step.component)
        token = f"token-{next(self._numbers)}-{step.key}"
        self.waiting[token] = self.tokens[token] = step.key
        data = assemble(self._graph, node, step.item, self.request, self.outputs)
        key = StepKey(run_id=self.request.run_id, component=step.component, item=step.item)
        body = seal(key, node.command, "step-functions", data, datetime.now(UTC))
        self._send(step.component, step.version, body, token)

    def _fail(self, token: str, error: str, cause: str) -> None:
        step = self._steps[self.waiting.pop(token)]
        policy = self._graph.node(step.component).policy
        limit = policy.limit_for("WorkerLost" if error in LOST_CALLBACKS else error)
        if limit is not None:
            self._failures[step.key, limit.errors] += 1
            if self._failures[step.key, limit.errors] < limit.attempts:
                self._ask(step)
                return
        self.status, self.error = "FAILED", (error, cause)
        self.waiting.clear()
