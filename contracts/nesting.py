"""Versions of components that are runs of pipelines: whether they can be that, and what such a run takes over. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

from contracts.component import Component, Nested
from contracts.errors import PipelineError
from contracts.graph import Graph
from contracts.message import EarlierResult
from contracts.pipeline import Pipeline
from contracts.resolve import Step, first_step, resolve
from contracts.run import RunRequest

Json = dict[str, Any]

LONGEST = 64
"""Characters of a run's id."""


def checked(*pipelines: Pipeline) -> tuple[Pipeline, ...]:
    """Pipelines together. Raises PipelineError for a version that is a run of none of them, or of one that cannot be it."""
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
    if any(each.nested for each in inner.components):
        raise PipelineError(f"{where}, which has nested runs itself: put its steps into one of the two")


def nested_request(parent: RunRequest, component: str, item: str, pipeline: str) -> RunRequest:
    """What a step's nested run is asked: the same, under an id that follows from the step's."""
    name = f"{parent.run_id}-{component}" + ("" if item == "-" else f"-{item}")
    if len(name) > LONGEST or not all(character.isalnum() or character in "-_" for character in name):
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        name = f"{parent.run_id[: LONGEST - 13]}-{digest}"
    return parent.model_copy(update={"run_id": name, "pipeline": pipeline})


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
