"""Versions of components that are runs of pipelines: whether they can be that, and what such a run takes over. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from contracts.component import Component, Nested
from contracts.errors import PipelineError
from contracts.graph import WHOLE, Graph
from contracts.message import EarlierResult
from contracts.pipeline import Pipeline
from contracts.resolve import Step, first_step, resolve
from contracts.run import RunRequest

Json = dict[str, Any]

LONGEST = 64
"""Characters of a run's id."""

PLAIN = re.compile("[A-Za-z0-9_-]*")
"""Those that it may have."""


def checked(*pipelines: Pipeline) -> tuple[Pipeline, ...]:
    """Pipelines together.

    Raises PipelineError for a version that is a run of none of them, or of one that cannot be it, and for two components of
    one name: they would share a queue.
    """
    declared: dict[str, Component] = {}
    for component in (component for pipeline in pipelines for component in pipeline.components):
        if declared.setdefault(component.name, component) != component:
            raise PipelineError(f"two pipelines declare {component.name} differently: a component has one declaration")
    for component in (component for pipeline in pipelines for component in pipeline.components):
        for nested in component.nested:
            _check(component, nested, next((each for each in pipelines if each.name == nested.pipeline), None))
    return pipelines


def _check(component: Component, nested: Nested, inner: Pipeline | None) -> None:
    where = f"{component.name} {nested.version} is a run of {nested.pipeline}"
    if inner is None:
        raise PipelineError(f"{where}, which there is not")
    first = inner.components[0]
    if first.flagged:
        raise PipelineError(f"{where}, which starts with {first.name}: that may have one version only")
    if not isinstance(inner.flow.steps[-1], Component):
        raise PipelineError(
            f"{where}, which ends with several steps: let it end with one component, whose answer counts"
        )
    if any(each.nested for each in inner.components):
        raise PipelineError(f"{where}, which has nested runs itself: put its steps into one of the two")


def nested_request(parent: RunRequest, component: str, item: str, pipeline: str) -> RunRequest:
    """What a step's nested run is asked: the same, under an id that follows from the step's."""
    return parent.model_copy(update={"run_id": nested_run_id(parent.run_id, component, item), "pipeline": pipeline})


def nested_run_id(parent: str, component: str, item: str) -> str:
    """Of no other step's of the same run: a component's name has no underscore. Where that makes no id, a digest does."""
    name = f"{parent}-{component}" + ("" if item == WHOLE else f"_{item}")
    if len(name) <= LONGEST and PLAIN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"{parent[: LONGEST - 13]}-{digest}"


def taken_over(parent: Graph, graph: Graph) -> tuple[str, ...]:
    """The components whose answers hold in a nested run too: declared alike in both, on inputs that hold in both."""
    found: list[str] = []
    for node in graph.nodes:
        alike = parent.has(node.component) and parent.node(node.component) == node
        if alike and all(need.component in found for need in node.needs):
            found.append(node.component)
    return tuple(found)


def steps_of_nested(
    graph: Graph, request: RunRequest, parent: RunRequest, answers: Mapping[str, Json]
) -> tuple[Step, ...]:
    """A nested run's steps. `answers` are the parent's that it takes over, by local key; without the plan only the first."""
    first = first_step(graph, request)
    if first.key not in answers:
        return (first,)
    return tuple(
        step.model_copy(
            update={"reused": EarlierResult(run_id=parent.run_id, date=parent.date, output=answers[step.key])}
        )
        if step.key in answers
        else step
        for step in (first, *resolve(graph, request, answers[first.key]))
    )
