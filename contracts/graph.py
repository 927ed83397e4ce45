"""A built pipeline as plain data: what `deploy` stores under a digest and every worker routes by."""

import hashlib
import operator
from typing import Literal

from pydantic import Field

from contracts.component import Policy
from contracts.errors import PipelineError
from contracts.message import Frozen

WHOLE = "-"
"""The item of a step that is not part of a Map."""


class Need(Frozen):
    """An edge: one field of a component's input, and the component whose output fills it.

    `one`: the only step of a component outside any Map. `same`: the step for the same item of the same Map. `all`: the
    steps of every item, in the plan's order.
    """

    field: str
    component: str
    how: Literal["one", "same", "all"]


class Selection(Frozen):
    """Which items of a Map are computed, by the value of a field of the plan; a value without a case computes all.

    An item that is not selected is reused from its earlier result, or computed when it has none.
    """

    on: str
    cases: dict[str, tuple[str, ...]]


class Node(Frozen):
    """One component's place in a pipeline. `also` are the other versions that it gives, inside of `event`."""

    component: str
    command: str
    event: str
    also: tuple[str, ...] = Field(default=(), exclude_if=operator.not_)
    versions: tuple[str, ...]
    policy: Policy
    needs: tuple[Need, ...] = ()
    request_field: str | None = None
    over: str | None = None
    item_field: str | None = None
    selection: Selection | None = None
    announced: bool = False
    fallback: bool = False


class Graph(Frozen):
    """Nodes in an order in which each comes after all it needs. The first makes the plan."""

    pipeline: str
    deadline: int
    nodes: tuple[Node, ...]

    @property
    def planner(self) -> Node:
        return self.nodes[0]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def has(self, component: str) -> bool:
        return any(node.component == component for node in self.nodes)

    def node(self, component: str) -> Node:
        for node in self.nodes:
            if node.component == component:
                return node
        raise PipelineError(f"pipeline {self.pipeline} has no component {component}")

    def consumers(self, component: str) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if any(need.component == component for need in node.needs))
