"""From a graph, a request and a plan to the steps of one run. Pure."""

from collections.abc import Mapping
from typing import Any

from contracts.errors import BadRequest
from contracts.graph import WHOLE, Graph, Node
from contracts.message import EarlierResult, Frozen
from contracts.run import RunRequest

Json = dict[str, Any]


class Step(Frozen):
    """One step of a run. `needs` are local keys, `component/item`, of the steps whose answers fill its input."""

    component: str
    item: str
    version: str
    needs: tuple[str, ...] = ()
    reused: EarlierResult | None = None

    @property
    def key(self) -> str:
        return f"{self.component}/{self.item}"


def first_step(graph: Graph, request: RunRequest) -> Step:
    """The step that makes the plan: the only one that is known before there is a plan."""
    planner = graph.planner
    version = request.version_of(planner.component, planner.versions[0])
    return Step(component=planner.component, item=WHOLE, version=version)


def resolve(graph: Graph, request: RunRequest, plan: Json) -> tuple[Step, ...]:
    """Every step of the run but the planner's own, with the steps it needs.

    Raises BadRequest when a Map has nothing to iterate over: its consumers would wait for ever.
    """
    return tuple(
        Step(
            component=node.component,
            item=item,
            version=request.version_of(node.component, node.versions[0]),
            needs=needs_of(graph, node, item, plan),
            reused=_reused(node, item, plan),
        )
        for node in graph.nodes[1:]
        for item in items_of(node, plan)
    )


def items_of(node: Node, plan: Json) -> tuple[str, ...]:
    """The Map keys a component works on, in the plan's order; one placeholder outside a Map."""
    if node.over is None:
        return (WHOLE,)
    keys = tuple(str(item["key"]) for item in plan[node.over])
    if not keys:
        raise BadRequest(f"the plan lists no {node.over}, so {node.component} has nothing to do")
    if len(set(keys)) < len(keys):
        raise BadRequest(f"the plan lists {node.over} with the same key twice: {', '.join(keys)}")
    return keys


def needs_of(graph: Graph, node: Node, item: str, plan: Json) -> tuple[str, ...]:
    keys: list[str] = []
    for need in node.needs:
        keys.extend(f"{need.component}/{key}" for key in _needed_items(graph, need.component, need.how, item, plan))
    return tuple(dict.fromkeys(keys))


def assemble(graph: Graph, node: Node, item: str, request: RunRequest, answers: Mapping[str, Json]) -> Json:
    """The data of the command for one step, from the answers of the steps it needs, by local key.

    The state machine assembles the same data from its own state; a Map's results arrive there in the same order.
    """
    data: Json = {}
    if node.request_field:
        data[node.request_field] = request.model_dump(mode="json")
    if node is graph.planner:
        return data
    plan = answers[f"{graph.planner.component}/{WHOLE}"]
    if node.over and node.item_field:
        data[node.item_field] = next(entry for entry in plan[node.over] if entry["key"] == item)
    for need in node.needs:
        found = [answers[f"{need.component}/{k}"] for k in _needed_items(graph, need.component, need.how, item, plan)]
        data[need.field] = found if need.how == "all" else found[0]
    return data


def _needed_items(graph: Graph, component: str, how: str, item: str, plan: Json) -> tuple[str, ...]:
    if how == "same":
        return (item,)
    return items_of(graph.node(component), plan)


def _reused(node: Node, item: str, plan: Json) -> EarlierResult | None:
    if node.selection is None or node.over is None:
        return None
    selected = node.selection.cases.get(str(plan[node.selection.on]))
    if selected is None or item in selected:
        return None
    entry = next(entry for entry in plan[node.over] if entry["key"] == item)
    return EarlierResult.model_validate(entry["last"]) if entry.get("last") else None
