"""The queues, the topics and the messages as an AsyncAPI 3.0.0 document: `contracts/asyncapi.yaml`.

Spec: https://www.asyncapi.com/docs/reference/specification/v3.0.0, bindings: https://github.com/asyncapi/bindings. What is
said of queues and subscriptions is read from the rendered CloudFormation template, and the messages' schemas are referred to
where they are committed, so nothing is described twice. Names are those of a deployment with the template's default prefix.
"""

import importlib.metadata
import importlib.util
from typing import Any

from contracts.component import Component
from contracts.envelope import Envelope
from contracts.errors import BadRequest
from contracts.pipeline import Pipeline
from contracts.pipelines import all_components
from orchestrator import asl, template
from orchestrator.asyncapi_bindings import Bindings
from orchestrator.compatibility import schemas
from orchestrator.compatibility.check import outermost
from orchestrator.compatibility.schemas import Documents

Json = dict[str, Any]

PLATFORM = "platform"
"""Who runs what belongs to no squad: the state machines."""


def text(pipelines: tuple[Pipeline, ...]) -> str:
    """The document as YAML. Raises BadRequest when pyyaml is not installed."""
    if importlib.util.find_spec("yaml") is None:
        raise BadRequest("writing asyncapi.yaml needs pyyaml: install brigade with its extra `contracts`")
    import yaml  # of an extra: the other commands do without

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(str, _represent)
    return yaml.dump(document(pipelines), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def _represent(dumper: Any, value: str) -> Any:
    """Paragraphs stay as they are."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


def document(pipelines: tuple[Pipeline, ...]) -> Json:
    return described(all_components(pipelines), schemas.documents(pipelines), Bindings(template.render(pipelines)))


def described(components: tuple[Component, ...], documents: Documents, bindings: Bindings) -> Json:
    squads = sorted({component.squad for component in components})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Brigade",
            "version": importlib.metadata.version("brigade"),
            "description": "Who sends what to whom. Rendered from contracts/pipelines.py by `brigade render`.",
            "license": {"name": "Apache-2.0"},
            "tags": [_ref("tags", squad) for squad in [*squads, PLATFORM]],
        },
        "defaultContentType": "application/json",
        "servers": {name: _server(name) for name in ("sns", "sqs")},
        "channels": _channels(components, documents, bindings),
        "operations": _operations(components, documents, bindings),
        "components": {
            "messages": {name: _message(name, documents) for name in documents if _is_sent(name, documents)},
            "schemas": {"envelope": _envelope()},
            "parameters": {"prefix": _prefix(bindings.prefix)},
            "correlationIds": {"run": {"description": "The run.", "location": "$message.payload#/runid"}},
            "tags": {
                **{squad: _squad(squad, components) for squad in squads},
                PLATFORM: {"name": PLATFORM, "description": "Runs the pipelines: the state machines."},
            },
        },
    }


def events_of(component: Component, documents: Documents) -> list[str]:
    """Every version of what a component gives."""
    return [
        name
        for name, found in documents.items()
        if found["x-component"] == component.name and name not in (component.input.wire_type(), schemas.REQUEST)
    ]


def _is_sent(name: str, documents: Documents) -> bool:
    """By itself. A request is part of a command, and a version that is given beside an older one is inside of that."""
    return name != schemas.REQUEST and "x-inside" not in documents[name]


def _sent(component: Component, documents: Documents) -> list[str]:
    return [name for name in events_of(component, documents) if _is_sent(name, documents)]


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def _server(protocol: str) -> Json:
    return {
        "host": f"{protocol}.{{region}}.amazonaws.com",
        "protocol": protocol,
        "variables": {"region": {"description": "The region of the deployment. LocalStack has a host of its own."}},
    }


def _prefix(default: str) -> Json:
    return {"default": default, "description": "What everything of a deployment is named after."}


def _squad(squad: str, components: tuple[Component, ...]) -> Json:
    owned = ", ".join(component.name for component in components if component.squad == squad)
    return {"name": squad, "description": f"The squad of {owned}."}


def _channels(components: tuple[Component, ...], documents: Documents, bindings: Bindings) -> Json:
    channels: Json = {}
    for component in components:
        topic = template.topic_name(component)
        channels[topic] = {
            "address": f"{{prefix}}-{topic}",
            "title": f"The topic of {component.name}",
            "description": f"Where its steps publish. {_publishes(component)}",
            "servers": [{"$ref": "#/servers/sns"}],
            "parameters": {"prefix": _ref("parameters", "prefix")},
            "messages": {name: _ref("messages", name) for name in _sent(component, documents)},
            "tags": [_ref("tags", component.squad)],
            "bindings": {"sns": bindings.topic(template.topic_placeholder(component.name))},
        }
    for component, version, queue in _queues(components):
        taken = [component.input.wire_type(), *bindings.events_for(asl.queue_placeholder(component.name, version))]
        channels[queue] = {
            "address": f"{{prefix}}-{queue}",
            "title": f"The queue of {component.name}{f' {version}' if component.flagged else ''}",
            "servers": [{"$ref": "#/servers/sqs"}],
            "parameters": {"prefix": _ref("parameters", "prefix")},
            "messages": {name: _ref("messages", name) for name in taken},
            "tags": [_ref("tags", component.squad)],
            "bindings": {"sqs": bindings.queue(asl.queue_placeholder(component.name, version))},
        }
    return channels


def _queues(components: tuple[Component, ...]) -> list[tuple[Component, str, str]]:
    return [(c, version, template.queue_name(c, version)) for c in components for version in c.versions]


def _operations(components: tuple[Component, ...], documents: Documents, bindings: Bindings) -> Json:
    operations: Json = {}
    topics = {template.topic_placeholder(component.name): component for component in components}
    for component, version, queue in _queues(components):
        command = component.input.wire_type()
        placeholder = asl.queue_placeholder(component.name, version)
        events = bindings.events_for(placeholder)
        operations[f"{queue}.command"] = _operation(
            "send", queue, [command], PLATFORM, "One step: from the state machine with its task token, else without."
        )
        for name, found in bindings.subscriptions(placeholder).items():
            topic = template.topic_name(topics[name])
            operations[f"{queue}.subscribe.{topics[name].name}"] = _operation(
                "receive",
                topic,
                _sent(topics[name], documents),
                component.squad,
                "What the queue takes from the topic.",
            ) | {"bindings": found}
        operations[f"{queue}.receive"] = _operation(
            "receive", queue, [command, *events], component.squad, "What a worker takes from the queue."
        )
        operations[f"{queue}.publish"] = _operation(
            "send", template.topic_name(component), _sent(component, documents), component.squad, _publishes(component)
        )
    return operations


def _publishes(component: Component) -> str:
    return "What it gave, in every run." if component.announced else "What it gave, when no state machine waits for it."


def _operation(action: str, channel: str, messages: list[str], squad: str, summary: str) -> Json:
    where = f"#/channels/{channel}"
    return {
        "action": action,
        "channel": {"$ref": where},
        "summary": summary,
        "messages": [{"$ref": f"{where}/messages/{name}"} for name in messages],
        "tags": [_ref("tags", squad)],
    }


def _message(name: str, documents: Documents) -> Json:
    found = documents[name]
    data = _command_data(name, documents) if "x-fills" in found else _answer(name, documents)
    message = {
        "name": name,
        "title": found["title"],
        "description": found.get("description"),
        "contentType": "application/cloudevents+json",
        "correlationId": _ref("correlationIds", "run"),
        "headers": _command_headers() if "x-fills" in found else _event_headers(name),
        "payload": {"allOf": [_ref("schemas", "envelope"), {"properties": {"type": {"const": name}, "data": data}}]},
        "tags": [_ref("tags", found["x-squad"])],
        "x-component": found["x-component"],
        "x-squad": found["x-squad"],
    }
    return {key: value for key, value in message.items() if value is not None}


def _schema(name: str) -> Json:
    return {"$ref": f"./schemas/{name}.json"}


def _answer(name: str, documents: Documents) -> Json:
    """An event's data, with the versions that are inside of it."""
    inside = [other for other, found in documents.items() if found.get("x-inside") == name]
    if not inside:
        return _schema(name)
    versions = {"properties": {other: _schema(other) for other in inside}, "required": inside}
    return {"allOf": [_schema(name), versions]}


def _command_data(name: str, documents: Documents) -> Json:
    """A command's data. A field that takes a version from the inside of an event is filled with the whole event."""
    found = documents[name]
    outer = {field: outermost(documents, fill) for field, fill in found["x-fills"].items()}
    whole = {field: event for field, event in outer.items() if event != found["x-fills"][field]["message"]}
    if not whole:
        return _schema(name)
    fields: Json = {field: {"$ref": f"./schemas/{name}.json#/properties/{field}"} for field in found["properties"]}
    for field, event in whole.items():
        answer = _answer(event, documents)
        fields[field] = {"type": "array", "items": answer} if found["x-fills"][field].get("many") else answer
    return {"type": "object", "properties": fields, "required": found.get("required", [])}


def _command_headers() -> Json:
    about = "Of Step Functions, in an orchestrated run: the answer goes there."
    return {"type": "object", "properties": {"taskToken": {"type": "string", "description": about}}}


def _event_headers(name: str) -> Json:
    versions = "`component=version` of each component that has a choice, where the run chose."
    pipeline = "The run's, where there is one."
    return {
        "type": "object",
        "properties": {
            "type": {"const": name},
            "versions": {"type": "array", "items": {"type": "string"}, "description": versions},
            "pipeline": {"type": "string", "description": pipeline},
        },
        "required": ["type"],
    }


def _envelope() -> Json:
    """What is sent: every attribute but those left out when there is nothing to say."""
    return Envelope[Any].model_json_schema(mode="serialization", schema_generator=schemas.Given) | {
        "title": "Envelope",
        "description": "CloudEvents 1.0 in structured JSON mode, with the extensions runid, traceparent, mode and style.",
    }
