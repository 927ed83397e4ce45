"""Base classes of everything that travels between components."""

import operator
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """An immutable value. An unknown additional field is accepted and dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Frozen):
    """A command or an event. Its wire name is its class name in kebab case and its contract version."""

    contract_version: ClassVar[int] = 1

    @classmethod
    def wire_type(cls) -> str:
        """`SimulateOrders` of version 1 travels as `simulate-orders.v1`, `SimulateOrdersV2` of version 2 as `...v2`."""
        name = cls.__name__.removesuffix(f"V{cls.contract_version}")
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
        return f"{words}.v{cls.contract_version}"


class Replacement(Frozen):
    """What a step gave instead of its own result, and why: the trace of a fallback, for whoever reads the forecast.

    `by` says what it gave ("the forecast of run R"), `why` what stood in the way ("UnexpectedError: ...").
    """

    component: str
    item: str
    by: str = Field(min_length=1, max_length=200)
    why: str = Field(min_length=1, max_length=300)


class Event(Message):
    """The output of one step. Named in the past tense.

    `degraded` lists what was replaced on the way to this output, here and in everything it was made from. A handler adds its
    own with `ctx.replaced`; what came with the inputs is handed on for it.
    """

    degraded: tuple[Replacement, ...] = Field(default=(), exclude_if=operator.not_)

    @model_validator(mode="before")
    @classmethod
    def _this_version(cls, given: Any) -> Any:
        """An answer in several versions (contracts/versions.py) is read by whoever takes it in the version of its own."""
        return given.get(cls.wire_type(), given) if isinstance(given, dict) else given


class EarlierResult(Frozen):
    """The answer of a step of an earlier run, resolved once, in the plan.

    `output` is the event as JSON. It is untyped here because the plan must not import its own consumers; `resolve`
    validates it against the component's output. Never a degraded one.
    """

    run_id: str
    date: date
    output: dict[str, Any]


class Item(Frozen):
    """One element a Map iterates over. `key` names the step and must be unique within the plan's list."""

    key: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    last: EarlierResult | None = None


class Command(Message):
    """The assembled input of one step. Named in the imperative."""

    @property
    def replacements(self) -> tuple[Replacement, ...]:
        """What was replaced on the way to this input, each once."""
        values = (getattr(self, name) for name in type(self).model_fields)
        events = (each for value in values for each in (value if isinstance(value, tuple) else (value,)))
        return tuple(dict.fromkeys(r for event in events if isinstance(event, Event) for r in event.degraded))


class Plan(Event):
    """The output of a pipeline's first component: everything conditions and Maps may depend on.

    `last_good` holds, by component, the earlier results that fallbacks outside a Map may give; an item carries its own.
    """

    last_good: dict[str, EarlierResult] = Field(default={}, exclude_if=operator.not_)


class DatasetRef(Frozen):
    """A claim check: a Parquet file too large for a message.

    `uri` is `s3://bucket/key`; `sha256` is of the file's bytes; `schema_version` is of its columns, which the docstring of
    the event that carries the reference lists.
    """

    uri: str
    rows: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    schema_version: int = Field(default=1, ge=1)


def files_of(value: object) -> Iterator[str]:
    """The URI of every file that an answer, as JSON, refers to."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from files_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from files_of(inner)
    elif isinstance(value, str) and value.startswith("s3://"):
        yield value


def class_of(model: type[BaseModel], field: str) -> tuple[bool, type]:
    """Whether a field takes many, and of which class."""
    annotation: Any = model.model_fields[field].annotation
    many = get_origin(annotation) is tuple
    one = get_args(annotation)[0] if many else annotation
    return many, one if isinstance(one, type) else object


def classes_of(model: type[BaseModel]) -> Iterator[tuple[str, bool, type]]:
    """Every field, whether it takes many, and of which class."""
    return ((field, *class_of(model, field)) for field in model.model_fields)
