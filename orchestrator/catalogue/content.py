"""What the catalogue says of each component, read from the pipelines, the schemas and the template."""

import sys
from dataclasses import dataclass

from contracts.component import Component
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from orchestrator import asl, template
from orchestrator.asyncapi import events_of
from orchestrator.asyncapi_bindings import Bindings
from orchestrator.catalogue.examples import Json, examples
from orchestrator.compatibility import schemas
from orchestrator.compatibility.schemas import Documents
from orchestrator.compatibility.status import later_version


@dataclass(frozen=True)
class Taken:
    """A field of a component's command, and the message that fills it. `giver` is None for the run's request."""

    field: str
    message: str
    giver: Component | None
    many: bool
    entry_of: str | None


@dataclass(frozen=True)
class Given:
    """An event, and who depends on it. `announced`: readers outside the pipelines too.

    `inside`: the older version that it is sent inside of.
    """

    message: str
    takers: tuple[Component, ...]
    announced: bool
    replaced_by: str | None = None
    inside: str | None = None


@dataclass(frozen=True)
class Queue:
    version: str
    name: str
    dead_letters: str


@dataclass(frozen=True)
class Station:
    """A component, with what it takes and gives in whichever of its `pipelines`.

    `question` is what its squad answers, as its contract says it.
    """

    component: Component
    pipelines: tuple[str, ...]
    question: str
    command: str
    takes: tuple[Taken, ...]
    gives: tuple[Given, ...]
    queues: tuple[Queue, ...]


@dataclass(frozen=True)
class Content:
    """`documents` and `examples` are by message; `squads` are in the order of their first component."""

    pipelines: tuple[Pipeline, ...]
    documents: Documents
    examples: dict[str, Json]
    stations: tuple[Station, ...]

    @property
    def squads(self) -> dict[str, list[Station]]:
        found: dict[str, list[Station]] = {}
        for station in self.stations:
            found.setdefault(station.component.squad, []).append(station)
        return found


def read(pipelines: tuple[Pipeline, ...]) -> Content:
    documents = schemas.documents(pipelines)
    components = {component.name: component for component in all_components(pipelines)}
    bindings = Bindings(template.render(pipelines))
    stations = tuple(
        _station(component, components, pipelines, documents, bindings) for component in components.values()
    )
    return Content(pipelines, documents, examples(documents, pipelines), stations)


def _station(
    component: Component,
    components: dict[str, Component],
    pipelines: tuple[Pipeline, ...],
    documents: Documents,
    bindings: Bindings,
) -> Station:
    command = component.input.wire_type()
    fills = documents[command]["x-fills"]
    return Station(
        component=component,
        pipelines=tuple(each.name for each in pipelines if component in each.components),
        question=_question(component),
        command=command,
        takes=tuple(_taken(field, fills[field], components, documents) for field in documents[command]["properties"]),
        gives=tuple(_given(event, components, documents) for event in events_of(component, documents)),
        queues=tuple(_queue(component, version, bindings) for version in component.versions),
    )


def _question(component: Component) -> str:
    """From the first line of the contract's module: `order-volume: how many boxes, when?`"""
    lines = (sys.modules[component.input.__module__].__doc__ or "").strip().splitlines()
    name, _, question = lines[0].partition(": ") if lines else ("", "", "")
    return question[:1].upper() + question[1:] if name == component.name else ""


def _taken(field: str, fill: Json, components: dict[str, Component], documents: Documents) -> Taken:
    giver = components.get(documents[fill["message"]]["x-component"])
    return Taken(field, fill["message"], giver, fill.get("many", False), fill.get("entry-of"))


def _given(event: str, components: dict[str, Component], documents: Documents) -> Given:
    takers = [
        components[document["x-component"]]
        for document in documents.values()
        if any(fill["message"] == event for fill in document.get("x-fills", {}).values())
    ]
    order = list(components.values())
    takers.sort(key=order.index)
    found = documents[event]
    replaced_by = later_version(event, documents)
    return Given(event, tuple(takers), bool(found.get("x-announced")), replaced_by, found.get("x-inside"))


def _queue(component: Component, version: str, bindings: Bindings) -> Queue:
    bound = bindings.queue(asl.queue_placeholder(component.name, version))
    return Queue(version, bound["queue"]["name"], bound["deadLetterQueue"]["name"])
