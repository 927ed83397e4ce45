"""Kinds of change, in both directions: what the walk says, what jsoncompat says, and what generated messages show."""

import operator
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Literal

import pytest
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import BaseModel, Field, ValidationError, create_model

from contracts.message import Frozen
from orchestrator.compatibility.schemas import Given
from orchestrator.compatibility.subset import refusal
from orchestrator.compatibility.walk import gaps

GENERATED = 300


def message(**fields: Any) -> type[BaseModel]:
    return create_model("Cooked", __base__=Frozen, **fields)


class Spoon(Frozen):
    length: int


class LongSpoon(Frozen):
    length: int
    material: str


class Fork(Frozen):
    kind: Literal["fork"] = "fork"
    tines: int


class Knife(Frozen):
    kind: Literal["knife"] = "knife"
    blade: str


class Tree(Frozen):
    name: str
    parts: tuple["Tree", ...] = ()


class NumberedTree(Frozen):
    name: int
    parts: tuple["NumberedTree", ...] = ()


Tools = Annotated[Fork | Knife, Field(discriminator="kind")]
Some = Annotated[int, Field(ge=0, le=100)]
Most = Annotated[int, Field(ge=40, le=100)]
Open = Annotated[float, Field(gt=0, lt=1)]
Closed = Annotated[float, Field(ge=0, le=1)]
Inner = Annotated[float, Field(ge=0.4, le=0.6)]
Short = Annotated[str, Field(min_length=1, max_length=3)]
Long = Annotated[str, Field(min_length=1, max_length=30)]
Pair = Annotated[tuple[str, ...], Field(min_length=2)]
Digits = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
Letters = Annotated[str, Field(pattern=r"^[a-z]{4}$")]
SILENT = Field(default="", exclude_if=operator.not_)

Gaps = list[tuple[str, str]]


@dataclass(frozen=True)
class Row:
    """`backward`: what new readers do not take of old messages; `forward`: what old readers do not take of new ones."""

    change: str
    old: type[BaseModel]
    new: type[BaseModel]
    backward: Gaps
    forward: Gaps


A = message(a=(str, ...))


def of(a: Any, default: Any = ...) -> type[BaseModel]:
    return message(a=(a, default))


ROWS = (
    Row("nothing", A, message(a=(str, ...)), [], []),
    Row("a field with a default is added", A, message(a=(str, ...), b=(int, 1)), [], []),
    Row("a field is added, required", A, message(a=(str, ...), b=(int, ...)), [("b", "missing")], []),
    Row("a field is removed", message(a=(str, ...), b=(int, ...)), A, [], [("b", "missing")]),
    Row("a field with a default is removed", message(a=(str, ...), b=(int, 1)), A, [], []),
    Row("a field is renamed", A, message(z=(str, ...)), [("z", "missing")], [("a", "missing")]),
    Row("a field gets a default", A, message(a=(str, "x")), [], []),
    Row("a field may be left out", A, of(str, SILENT), [], [("a", "missing")]),
    Row("a type is widened", of(int), of(float), [], [("a", "type")]),
    Row("a type is another", of(str), of(int), [("a", "type")], [("a", "type")]),
    Row("another type is taken as well", of(int), of(int | str), [], [("a", "type")]),
    Row("null is allowed", of(str), of(str | None), [], [("a", "null")]),
    Row("a value is added", of(Literal["x", "y"]), of(Literal["x", "y", "z"]), [], [("a", "value")]),
    Row("a single value becomes two", of(Literal["x"]), of(Literal["x", "y"]), [], [("a", "value")]),
    Row("any text is allowed", of(Literal["x", "y"]), of(str), [], [("a", "value")]),
    Row("a value of another type", of(Literal["x"]), of(Literal[1]), [("a", "value")], [("a", "value")]),
    Row("a bound is loosened", of(Most), of(Some), [], [("a", "bound")]),
    Row("a bound is dropped", of(Some), of(int), [], [("a", "bound"), ("a", "bound")]),
    Row("an open bound is closed", of(Inner), of(Open), [], [("a", "bound"), ("a", "bound")]),
    Row("a text may be longer", of(Short), of(Long), [], [("a", "bound")]),
    Row("a list may be short", of(Pair), of(tuple[str, ...]), [], [("a", "bound")]),
    Row("a pattern is dropped", of(Digits), of(str), [], [("a", "pattern")]),
    Row("a pattern is another", of(Digits), of(Letters), [("a", "pattern")], [("a", "pattern")]),
    Row("a form is dropped", of(date), of(str), [], [("a", "form")]),
    Row("a form is another", of(time), of(date), [("a", "form")], [("a", "form")]),
    Row("a nested field is added", of(Spoon), of(LongSpoon), [("a.material", "missing")], []),
    Row("a list's entries", of(tuple[Spoon, ...]), of(tuple[LongSpoon, ...]), [("a[].material", "missing")], []),
    Row("a map's values", of(dict[str, int]), of(dict[str, float]), [], [("a.*", "type")]),
    Row("a map becomes a model", of(Spoon), of(dict[str, int]), [], [("a.length", "missing")]),
    Row("a list of another type", of(tuple[int, ...]), of(tuple[float, ...]), [], [("a[]", "type")]),
    Row("one becomes a list", of(str), of(tuple[str, ...]), [("a", "type")], [("a", "type")]),
    Row("a place in a tuple", of(tuple[int, int]), of(tuple[int, float]), [], [("a[1]", "type")]),
    Row("a tuple gets longer", of(tuple[int, int]), of(tuple[int, int, int]), [("a", "bound")], [("a", "bound")]),
    Row("a variant is added", of(Fork), of(Tools), [], [("a.kind", "value"), ("a.tines", "missing")]),
    Row("a field of itself", of(Tree), of(NumberedTree), [("a.name", "type")], [("a.name", "type")]),
    Row("anything is allowed", of(int), of(Any), [], [("a", "type")]),
)


def schemas(writer: type[BaseModel], reader: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    return writer.model_json_schema(mode="serialization", schema_generator=Given), reader.model_json_schema()


CASES = [
    pytest.param(writer, reader, expected, id=f"{row.change}, {direction}")
    for row in ROWS
    for direction, writer, reader, expected in (
        ("backward", row.old, row.new, row.backward),
        ("forward", row.new, row.old, row.forward),
    )
]


@pytest.mark.parametrize(("writer", "reader", "expected"), CASES)
def test_what_a_reader_does_not_understand(writer: type[BaseModel], reader: type[BaseModel], expected: Gaps) -> None:
    found = gaps(*schemas(writer, reader))
    assert [(gap.path, gap.kind) for gap in found if not gap.path.startswith("a.parts")] == expected


def test_a_flag_is_no_number() -> None:
    """Pydantic takes one for the other in a Literal; a reader in another language does not."""
    one, true = of(Literal[1]), of(Literal[True])
    assert gaps(*schemas(one, true))
    assert gaps(*schemas(true, one))


BLIND = {"pattern", "form"}
"""What jsoncompat does not look at."""


@pytest.mark.parametrize(("writer", "reader", "expected"), CASES)
def test_jsoncompat_agrees(writer: type[BaseModel], reader: type[BaseModel], expected: Gaps) -> None:
    if {kind for _, kind in expected} & BLIND:
        assert refusal(*schemas(writer, reader)) is None, "it does look at this now: say so where it is used"
    else:
        assert (refusal(*schemas(writer, reader)) is not None) == bool(expected)


@pytest.mark.parametrize(("writer", "reader", "expected"), CASES)
def test_generated_messages_agree(writer: type[BaseModel], reader: type[BaseModel], expected: Gaps) -> None:
    """What a producer's model can write, read by the consumer's model as a worker reads it."""
    factory = ModelFactory.create_factory(writer, __random_seed__=7, __allow_none_optionals__=True)
    texts = [factory.build().model_dump_json() for _ in range(GENERATED)] + _least(writer)
    refused = [text for text in texts if not _taken(reader, text)]
    assert bool(refused) == bool(expected), refused[:1]


def _least(writer: type[BaseModel]) -> list[str]:
    """The message with nothing but what must be said."""
    try:
        return [writer().model_dump_json()]
    except ValidationError:
        return []


def _taken(reader: type[BaseModel], text: str) -> bool:
    try:
        reader.model_validate_json(text)
    except ValidationError:
        return False
    return True
