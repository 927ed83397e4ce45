"""The JSON Schema (2020-12) of every message, as files: `contracts/schemas/<message>.v<N>.json`.

An event's schema says what its producer gives (pydantic's serialization mode, where a field with a default is always
there); a command's says what its consumer takes (validation mode, where such a field may be missing). So a consumer's view
of an event is the property of its command that the event fills. The keywords `x-component` and `x-squad` name who gives or
takes the message, `x-fills` names the message that fills each field of a command, `x-inside` the version of an event that this
one is sent inside of.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

import contracts
from contracts.component import Component
from contracts.errors import PipelineError
from contracts.message import Event, class_of
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from contracts.run import RunRequest

Json = dict[str, Any]
Documents = Mapping[str, Json]
"""Schemas by message: `orders-simulated.v1`."""

FOLDER = Path(contracts.__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REQUEST = "run-request.v1"
"""What starts a run: given by the command line, taken by the configurator."""


class Given(GenerateJsonSchema):
    """What a producer writes: every field, but those it leaves out when there is nothing to say (`exclude_if`)."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field.get("serialization_exclude_if") is None


def documents(pipelines: tuple[Pipeline, ...]) -> dict[str, Json]:
    """The schema of every message of the pipelines' components, sorted by name."""
    found = {REQUEST: _document(_given(RunRequest), "brigade", "platform")}
    for component in all_components(pipelines):
        found.update({event.wire_type(): event_document(component, event) for event in component.gives})
        found[component.input.wire_type()] = command_document(component, pipelines)
    return dict(sorted(found.items()))


def event_document(component: Component, event: type[Event]) -> Json:
    """What a component gives. `x-announced`: also to readers outside the pipelines, whom nobody here knows."""
    document = _document(_given(event), component.name, component.squad)
    if event is not component.output:
        document["x-inside"] = component.output.wire_type()
    return document | {"x-announced": True} if component.announced else document


def command_document(component: Component, pipelines: tuple[Pipeline, ...]) -> Json:
    """What a component takes, and from where: `volume` is filled by an event, `week` by one entry of a list of the plan."""
    schema = component.input.model_json_schema(mode="validation")
    fills: dict[str, Json] = {}
    for pipeline in pipelines:
        for node in pipeline.graph.nodes:
            if node.component != component.name:
                continue
            if node.request_field:
                fills[node.request_field] = {"message": REQUEST}
            if node.item_field:
                fills[node.item_field] = {"message": pipeline.graph.planner.event, "entry-of": node.over}
            for need in node.needs:
                fills[need.field] = {"message": taken(component, need.field)} | (
                    {"many": True} if need.how == "all" else {}
                )
    return _document(schema, component.name, component.squad) | {"x-fills": fills}


def taken(component: Component, field: str) -> str:
    """The version of an event that a field of a command takes."""
    _, event = class_of(component.input, field)
    if not issubclass(event, Event):
        raise PipelineError(f"{component.name} takes no event as `{field}`")
    return event.wire_type()


def texts(pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """What is committed, by file name."""
    found = documents(pipelines)
    return {
        f"{name}.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n" for name, document in found.items()
    }


def write(pipelines: tuple[Pipeline, ...], folder: Path = FOLDER) -> list[Path]:
    """Write all of them, and remove those of messages that are gone; gives what changed."""
    folder.mkdir(exist_ok=True)
    wanted = texts(pipelines)
    changed = [path for path in sorted(folder.glob("*.json")) if path.name not in wanted]
    for path in changed:
        path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def parse(file_texts: Mapping[str, str]) -> dict[str, Json]:
    """The documents back from their texts, by message."""
    return {name.removesuffix(".json"): json.loads(text) for name, text in file_texts.items()}


def _given(model: type[BaseModel]) -> Json:
    return model.model_json_schema(mode="serialization", schema_generator=Given)


def _document(schema: Json, component: str, squad: str) -> Json:
    return {"$schema": DIALECT, **schema, "x-component": component, "x-squad": squad}
