"""Base classes of everything that travels between components."""

import re
from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """An immutable value. An unknown additional field is accepted and dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Frozen):
    """A command or an event. Its wire name is its class name in kebab case and its contract version."""

    contract_version: ClassVar[int] = 1

    @classmethod
    def wire_type(cls) -> str:
        """`SimulateOrders` of version 1 travels as `simulate-orders.v1`."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
        return f"{words}.v{cls.contract_version}"


class Command(Message):
    """The assembled input of one step. Named in the imperative."""


class Event(Message):
    """The output of one step. Named in the past tense."""


class EarlierResult(Frozen):
    """The answer of a step of an earlier run, resolved once, in the plan.

    `output` is the event as JSON. It is untyped here because the plan must not import its own consumers; `resolve`
    validates it against the component's output.
    """

    run_id: str
    date: date
    output: dict[str, Any]


class Item(Frozen):
    """One element a Map iterates over. `key` names the step and must be unique within the plan's list."""

    key: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    last: EarlierResult | None = None


class Plan(Event):
    """The output of a pipeline's first component: everything conditions and Maps may depend on."""


class DatasetRef(Frozen):
    """A claim check: a Parquet file too large for a message.

    `uri` is `s3://bucket/key`; `sha256` is of the file's bytes; `schema_version` is of its columns, which the docstring of
    the event that carries the reference lists.
    """

    uri: str
    rows: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    schema_version: int = Field(default=1, ge=1)
