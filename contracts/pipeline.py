"""Declaring a pipeline. Edges come from the types of the components' inputs; only their arrangement is written down."""

import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args, get_origin

from contracts.component import Component
from contracts.errors import PipelineError
from contracts.graph import Graph, Need, Node, Selection
from contracts.message import Event, Item, Plan, class_of, classes_of
from contracts.run import RunRequest
from contracts.schedule import Schedule
from contracts.versions import stem


@dataclass(frozen=True)
class Sequence:
    """One after the other."""

    steps: tuple["Flow", ...]


@dataclass(frozen=True)
class Map:
    """The same components, in sequence, for every item of a list in the plan: `over="plan.weeks"`.

    `only`, in a case of a Choice, names the items to compute; the others are reused from their earlier result, or computed
    when they have none. Outside the Map only the last component's results can be used.
    """

    steps: tuple[Component, ...]
    over: str
    only: tuple[str, ...] = ()
    max_concurrency: int = 40

    @property
    def field(self) -> str:
        return self.over.removeprefix("plan.")


@dataclass(frozen=True)
class Parallel:
    """Branches side by side. Outside a branch only its last component's results can be used."""

    branches: tuple["Flow", ...]


@dataclass(frozen=True)
class Choice:
    """The same Map over different items, by a field of the plan: `on="plan.weekday"`."""

    on: str
    cases: dict[str, Map]
    otherwise: Map

    @property
    def field(self) -> str:
        return self.on.removeprefix("plan.")

    @property
    def maps(self) -> tuple[Map, ...]:
        return (*self.cases.values(), self.otherwise)


Flow = Component | Sequence | Map | Parallel | Choice


@dataclass(frozen=True)
class Place:
    """Where a component stands in a flow: its Map, its Choice, and what has run before it."""

    component: Component
    before: tuple[Component, ...]
    map: Map | None = None
    choice: Choice | None = None


@dataclass(frozen=True)
class Pipeline:
    """A declared pipeline, checked when it is built. `deadline` bounds a run, in seconds; `schedule` starts runs.

    `buffer` is how many seconds a clock waits beyond what is expected, where each component runs on its own.

    Raises PipelineError, naming both ends, for an input that nothing upstream produces, a cycle, and a condition or a Map
    that depends on anything but the plan.
    """

    name: str
    flow: Sequence
    deadline: int = 4 * 3600
    schedule: Schedule | None = None
    buffer: int = 15 * 60

    def __post_init__(self) -> None:
        _check_start(self)
        _check_choices(self)
        _check_cycles(self)
        _check_visibility(self)
        _ = self.graph

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(_places(self.flow, ()))

    @property
    def components(self) -> tuple[Component, ...]:
        return tuple(place.component for place in self.places)

    @property
    def graph(self) -> Graph:
        plan = self.components[0].output
        return Graph(
            pipeline=self.name, deadline=self.deadline, nodes=tuple(_node(place, self, plan) for place in self.places)
        )


def _places(flow: Flow, before: tuple[Component, ...]) -> Iterator[Place]:
    if isinstance(flow, Component):
        yield Place(flow, before)
    elif isinstance(flow, Sequence):
        for step in flow.steps:
            found = tuple(_places(step, before))
            before = (*before, *(place.component for place in found))
            yield from found
    elif isinstance(flow, Parallel):
        for branch in flow.branches:
            yield from _places(branch, before)
    else:
        chosen = flow.otherwise if isinstance(flow, Choice) else flow
        for number, component in enumerate(chosen.steps):
            earlier = (*before, *chosen.steps[:number])
            yield Place(component, earlier, chosen, flow if isinstance(flow, Choice) else None)


def _node(place: Place, pipeline: Pipeline, plan: type[Event]) -> Node:
    component = place.component
    needs, request_field, item_field = [], None, None
    for name, many, wanted in classes_of(component.input):
        where = f"{component.name} takes `{name}: {wanted.__name__}`"
        if issubclass(wanted, RunRequest):
            request_field = name
        elif issubclass(wanted, Item):
            _check_item(where, wanted, place, plan)
            item_field = name
        elif issubclass(wanted, Event):
            needs.append(_need(where, name, wanted, many, place, pipeline))
        else:
            raise PipelineError(f"{where}, which is no output, item or request: type it by what fills it")
    if place.before and not needs:
        raise PipelineError(f"{component.name} takes no output, so nothing would trigger it: let it take the plan")
    return Node(
        component=component.name,
        command=component.input.wire_type(),
        event=component.output.wire_type(),
        also=tuple(version.wire_type() for version in component.also),
        versions=component.versions,
        policy=component.policy,
        needs=tuple(needs),
        request_field=request_field,
        over=place.map.field if place.map else None,
        item_field=item_field,
        selection=_selection(place.choice),
        announced=component.announced,
        fallback=component.fallback,
    )


def _need(where: str, field: str, wanted: type[Event], many: bool, place: Place, pipeline: Pipeline) -> Need:
    producer = next((c for c in place.before if wanted in c.gives), None)
    if producer is None:
        why = _why_missing(wanted, place.component, pipeline)
        raise PipelineError(f"{where} in pipeline {pipeline.name}, but {why}")
    home = next(p.map for p in pipeline.places if p.component is producer)
    how = "one" if home is None else "same" if home is place.map else "all"
    if many != (how == "all"):
        hint = f"tuple[{wanted.__name__}, ...]" if how == "all" else wanted.__name__
        raise PipelineError(f"{where}, but {producer.name} gives {how}: type the field {hint}")
    return Need.model_validate({"field": field, "component": producer.name, "how": how})


def _why_missing(wanted: type[Event], taker: Component, pipeline: Pipeline) -> str:
    giver = next((c.name for c in pipeline.components if wanted in c.gives), None)
    if giver:
        return f"{giver} gives it after or beside {taker.name}: put {taker.name} behind {giver}"
    kin = next((c for c in pipeline.components if stem(c.output.wire_type()) == stem(wanted.wire_type())), None)
    if kin is None:
        return "nothing gives it"
    given = " and ".join(version.wire_type() for version in kin.gives)
    return f"{kin.name} gives {given} only: let it give {wanted.wire_type()}, too, or let {taker.name} take that"


def _check_item(where: str, wanted: type[Item], place: Place, plan: type[Event]) -> None:
    if place.map is None:
        raise PipelineError(f"{where}, an item, but {place.component.name} is not in a Map")
    _, given = class_of(plan, place.map.field)
    if given is not wanted:
        raise PipelineError(f"{where}, but its Map over {place.map.over} gives {given.__name__}")


def _selection(choice: Choice | None) -> Selection | None:
    if choice is None:
        return None
    return Selection(on=choice.field, cases={value: case.only for value, case in choice.cases.items() if case.only})


def _check_start(pipeline: Pipeline) -> None:
    first = pipeline.flow.steps[0] if pipeline.flow.steps else None
    if not isinstance(first, Component) or not issubclass(first.output, Plan):
        raise PipelineError(f"pipeline {pipeline.name} must start with a component whose output is a Plan")
    names = [component.name for component in pipeline.components]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PipelineError(f"pipeline {pipeline.name} has {', '.join(twice)} twice: a step is named by its component")
    makers: dict[str, str] = {}
    for giver in pipeline.components:
        for event in giver.gives:
            other = makers.setdefault(event.wire_type(), giver.name)
            if other != giver.name:
                raise PipelineError(
                    f"{other} and {giver.name} both give {event.__name__}: who takes it could mean either"
                )


def _check_choices(pipeline: Pipeline) -> None:
    """Conditions and Maps may depend on the plan only: it is there before the first of them."""
    plan = pipeline.components[0].output
    fields = plan.model_fields
    for place in pipeline.places:
        paths = [p for p in (place.map and place.map.over, place.choice and place.choice.on) if p]
        for path in paths:
            source, _, field = path.partition(".")
            if source != "plan" or field not in fields:
                raise PipelineError(
                    f"{place.component.name} depends on {path}, but only the plan of {pipeline.components[0].name} "
                    f"is there before: it has {', '.join(sorted(fields))}"
                )
        if place.map:
            many, given = class_of(plan, place.map.field)
            if not (many and issubclass(given, Item)):
                raise PipelineError(f"{place.component.name} maps over {place.map.over}, which is no list of items")
            if place.map.only:
                items = ", ".join(place.map.only)
                raise PipelineError(f"{place.component.name} is for {items} only: write that in a case of a Choice")
        if place.choice:
            _check_cases(place.component.name, place.choice, fields[place.choice.field].annotation)
        for chosen in place.choice.maps if place.choice else ():
            if (chosen.steps, chosen.over) != (place.map and place.map.steps, place.map and place.map.over):
                raise PipelineError(f"every case of the Choice on {place.choice and place.choice.on} must map the same")


def _check_cases(name: str, choice: Choice, annotation: object) -> None:
    """A state machine compares texts only; a misspelt case would never be chosen."""
    values = get_args(annotation) if get_origin(annotation) is Literal else ()
    if annotation is not str and not (values and all(isinstance(value, str) for value in values)):
        raise PipelineError(f"{name} is chosen on {choice.on}, which is no text")
    unknown = sorted(set(choice.cases).difference(values)) if values else []
    if unknown:
        raise PipelineError(f"{name} has a case {', '.join(unknown)}, but {choice.on} is one of {', '.join(values)}")


def _check_cycles(pipeline: Pipeline) -> None:
    makers = {event: component.name for component in pipeline.components for event in component.gives}
    edges = {
        component.name: {makers[wanted] for _, _, wanted in classes_of(component.input) if wanted in makers}
        for component in pipeline.components
    }
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        raise PipelineError(f"pipeline {pipeline.name} has a cycle: {' → '.join(reversed(error.args[1]))}") from error


def _check_visibility(pipeline: Pipeline) -> None:
    """A Map or a branch hands out its last component's results only, so that states stay small."""
    for scope in _scopes(pipeline.flow):
        hidden = {event: component.name for component in scope[:-1] for event in component.gives}
        for component in pipeline.components:
            for name, _, wanted in classes_of(component.input):
                if wanted in hidden and component not in scope:
                    raise PipelineError(
                        f"{component.name} takes `{name}` from {hidden[wanted]}, but only {scope[-1].name}, the last of "
                        f"its Map or branch, can be used outside"
                    )


def _scopes(flow: Flow) -> Iterator[tuple[Component, ...]]:
    if isinstance(flow, Sequence):
        for step in flow.steps:
            yield from _scopes(step)
    elif isinstance(flow, Parallel):
        for branch in flow.branches:
            yield tuple(place.component for place in _places(branch, ()))
            yield from _scopes(branch)
    elif isinstance(flow, Map):
        yield flow.steps
    elif isinstance(flow, Choice):
        yield flow.otherwise.steps
