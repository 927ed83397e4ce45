"""From a message's body to what it asks for. Whatever cannot be understood is poison, whoever receives it."""

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from contracts.component import Component
from contracts.envelope import MAX_MESSAGE_BYTES, Envelope, Mode, StepKey
from contracts.errors import ContractViolation, PoisonMessage
from contracts.message import Command, Event, Frozen

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


@dataclass(frozen=True)
class EventOf:
    """A step of another component has its answer."""

    key: StepKey
    type: str


def parse(body: str, component: Component) -> CommandFor | EventOf:
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
    if envelope.type == component.input.wire_type():
        if key.component != component.name:
            raise PoisonMessage(f"a command for {key.component} in the queue of {component.name}")
        return CommandFor(key, envelope.data, envelope.traceparent, envelope.mode)
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


def serialise(event: Event, model: type[Event]) -> tuple[str, Json]:
    """A handler's answer as JSON, and parsed again. Raises ContractViolation when it is not what the contract says."""
    if not isinstance(event, model):
        raise ContractViolation(f"the handler answered {type(event).__name__}, its contract says {model.__name__}")
    text = event.model_dump_json()
    if _NUL.search(text):
        raise ContractViolation(f"{model.wire_type()} holds the character NUL, which no database takes: leave it out")
    return text, json.loads(text)


def _problems(error: ValidationError) -> str:
    """Where and what, without the input: it may hold anything."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}" for problem in found[:5])
