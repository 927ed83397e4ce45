"""Several versions of a message, given together while its consumers move from one to the next. Pure.

An answer is then `{...v1, "order-volume-forecasted.v2": {...}}`. The version that the run's graph names, the oldest, is on top;
every other one is beside its fields, under a name that no field can have. So it is sent, stored, reused and passed on as one
answer, in both styles: who takes the oldest drops what it does not know, who takes another picks it (in contracts/message.py).
"""

import itertools
from typing import Any

from contracts.errors import ContractViolation
from contracts.message import Event

Json = dict[str, Any]
Versions = dict[str, Json]
"""The same answer in each version, by wire type."""


def stem(wire_type: str) -> str:
    """`order-volume-forecasted` of any version."""
    return wire_type.rpartition(".v")[0]


def refuse_unlike(component: str, gives: tuple[type[Event], ...]) -> None:
    """Raises ValueError, naming both, when these are not versions of one message, each made from the last."""
    newest = gives[-1]
    for older, newer in itertools.pairwise(gives):
        if stem(older.wire_type()) != stem(newer.wire_type()) or older.contract_version >= newer.contract_version:
            number = older.contract_version + 1
            name = older.__name__.removesuffix(f"V{older.contract_version}")
            raise ValueError(
                f"{component} gives {older.wire_type()} and also {newer.wire_type()}, which is no later version of it: "
                f"name the class {name}V{number}, with contract_version = {number}"
            )
        if not callable(getattr(newest, older_name(older), None)):
            raise ValueError(
                f"{component} gives {older.wire_type()} too, so {newest.__name__} must say how it is made: "
                f"def {older_name(older)}(self) -> {older.__name__}"
            )


def older_name(older: type[Event]) -> str:
    """The method of the newest version that makes an older one: `as_v1`."""
    return f"as_v{older.contract_version}"


def made(event: Event, gives: tuple[type[Event], ...]) -> tuple[Event, ...]:
    """An answer in the newest version as all of them, the oldest first. What was replaced is the same in each.

    Raises ContractViolation when an older one is not what it is to be.
    """
    versions = []
    for model in gives[:-1]:
        older = getattr(event, older_name(model))()
        if not isinstance(older, model):
            raise ContractViolation(
                f"{older_name(model)}() of {type(event).__name__} gave {type(older).__name__}, not {model.__name__}"
            )
        versions.append(older.model_copy(update={"degraded": event.degraded}))
    return (*versions, event)


def arranged(versions: Versions, top: str) -> Json:
    """One answer, with this version on top."""
    return {**versions[top], **{name: version for name, version in versions.items() if name != top}}


def taken_apart(answer: Json, top: str) -> Versions:
    """The versions in an answer that has this one on top. No field's name has a dot."""
    beside = {name: value for name, value in answer.items() if "." in name}
    return {top: {name: value for name, value in answer.items() if "." not in name}, **beside}
