"""From a message's body to what it asks for. Whatever cannot be understood is poison, whoever receives it."""

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from contracts.component import Component
from contracts.envelope import MAX_MESSAGE_BYTES, TICK, Envelope, Mode, StepKey, Style
from contracts.errors import ContractViolation, PoisonMessage
from contracts.graph import Graph
from contracts.message import Command, Event, Frozen, class_of
from contracts.versions import arranged, made

Json = dict[str, Any]

AnyEnvelope = Envelope[Json]
"""Named once: pydantic makes a class of a generic model, and forgets it when nobody keeps it."""


STEP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}/[a-z][a-z0-9-]{0,39}/[A-Za-z0-9_.:-]{1,64}")
"""As runs, components and items are named. No database is asked for anything else: it refuses some characters."""


_SOURCE = re.compile(r'"source"\s*:\s*"([^"\\]+)"')

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it: behind an even number of backslashes."""


@dataclass(frozen=True)
class CommandFor:
    """Run this step on this data."""

    key: StepKey
    data: Json
    traceparent: str | None = None
    mode: Mode = "normal"
    style: Style | None = None


@dataclass(frozen=True)
class EventOf:
    """A step of another component has its answer."""

    key: StepKey
    type: str


@dataclass(frozen=True)
class TickFor:
    """The component's own clock has struck for this run."""

    key: StepKey
    traceparent: str | None = None


def parse(body: str, component: Component) -> CommandFor | EventOf | TickFor:
    """Raises PoisonMessage with a reason that says what is wrong, never repeating the body."""
    if len(body.encode()) > MAX_MESSAGE_BYTES:
        raise PoisonMessage(f"the body is over {MAX_MESSAGE_BYTES:,} bytes")
    try:
        envelope = AnyEnvelope.model_validate_json(body)
    except ValidationError as error:
        raise PoisonMessage(f"the body is no envelope: {_problems(error)}") from error
    if not STEP_ID.fullmatch(envelope.id):
        raise PoisonMessage("the id is not run/component/item")
    key = StepKey.parse(envelope.id)
    if key.run_id != envelope.runid:
        raise PoisonMessage("the id and the runid name different runs")
    if envelope.type in (component.input.wire_type(), TICK):
        if key.component != component.name:
            raise PoisonMessage(f"a command for {key.component} in the queue of {component.name}")
        if envelope.type == TICK:
            return TickFor(key, envelope.traceparent)
        return CommandFor(key, envelope.data, envelope.traceparent, envelope.mode, envelope.style)
    if "." not in envelope.type:
        raise PoisonMessage(f"unknown type {envelope.type[:100]}")
    return EventOf(key, envelope.type)


class _Sent(Frozen):
    source: str = Field(min_length=1)


def source_of(body: str) -> str:
    """Who sent a message, by its own word: of one that is broken or too long, the first source it names; or `unreadable`."""
    readable = body[:MAX_MESSAGE_BYTES]
    try:
        return _Sent.model_validate_json(readable).source
    except ValidationError:
        found = _SOURCE.search(readable)
    return found[1] if found else "unreadable"


def validate(model: type[Command], data: Json) -> Command:
    """Raises ContractViolation naming the fields that do not fit."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ContractViolation(f"{model.wire_type()} does not fit its contract: {_problems(error)}") from error


def refuse_other_versions(component: Component, graph: Graph, data: Json) -> None:
    """A run under way may hold answers from before their component gave the version that is taken now, or from after.

    Raises ContractViolation, naming both, rather than to take one version for another.
    """
    for need in graph.node(component.name).needs:
        if need.field not in component.input.model_fields:
            continue  # the graph is of other code, whose command may still fit
        _, wanted = class_of(component.input, need.field)
        given = graph.node(need.component).event
        if not issubclass(wanted, Event) or wanted.wire_type() == given:
            continue
        answers = data.get(need.field)
        for answer in answers if isinstance(answers, list) else [answers]:
            if isinstance(answer, dict) and wanted.wire_type() not in answer:
                raise ContractViolation(
                    f"{component.name} takes {wanted.wire_type()} now, and in this run {need.component} gave {given} without "
                    f"it: start a new run, or redrive this one with the {component.name} that takes {given}"
                )


def serialise(event: Event, component: Component, top: str) -> tuple[str, Json]:
    """A handler's answer as JSON, and parsed again, with the version that the run's graph names on top.

    Raises ContractViolation when it is not what the contract says, and when that version is not given any more.
    """
    model = component.gives[-1]
    if not isinstance(event, model):
        raise ContractViolation(f"the handler answered {type(event).__name__}, its contract says {model.__name__}")
    texts = {version.wire_type(): version.model_dump_json() for version in made(event, component.gives)}
    if top not in texts:
        raise ContractViolation(
            f"this run is to have {top} of {component.name}, which gives {' and '.join(texts)} now: start a new run, or "
            f"redrive this one with the {component.name} that gives it"
        )
    text = texts[top]
    if len(texts) > 1:
        answer = arranged({name: json.loads(each) for name, each in texts.items()}, top)
        text = json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
    if _NUL.search(text):
        raise ContractViolation(f"{model.wire_type()} holds the character NUL, which no database takes: leave it out")
    return text, json.loads(text)


def _problems(error: ValidationError) -> str:
    """Where and what, without the input: it may hold anything."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in found[:5])
