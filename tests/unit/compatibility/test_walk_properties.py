"""Whatever two versions of a message look like: where the walk finds nothing, no message that can be generated is refused."""

import functools
import itertools
from typing import Annotated, Any, Literal

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from polyfactory.factories.pydantic_factory import ModelFactory
from pydantic import BaseModel, Field, ValidationError, create_model

from contracts.message import Frozen
from orchestrator.compatibility.schemas import Given
from orchestrator.compatibility.subset import refusal
from orchestrator.compatibility.walk import gaps

LEAVES: tuple[Any, ...] = (
    int,
    float,
    bool,
    str,
    Literal["x"],
    Literal["x", "y"],
    Literal["x", "y", "z"],
    Annotated[int, Field(ge=0)],
    Annotated[int, Field(ge=0, le=9)],
    Annotated[int, Field(gt=-1, lt=5)],
    Annotated[float, Field(gt=0)],
    Annotated[float, Field(ge=0, le=9)],
    Annotated[str, Field(min_length=1)],
    Annotated[str, Field(min_length=1, max_length=3)],
)
MESSAGES = 25

Pair = tuple[Any, Any]


def both(kind: Any, pair: Pair) -> Pair:
    return kind(pair[0]), kind(pair[1])


def many(inner: Any) -> Any:
    return tuple[inner, ...]


def mapped(inner: Any) -> Any:
    return dict[str, inner]


@st.composite
def models(draw: st.DrawFn, values: st.SearchStrategy[Pair]) -> Pair:
    """A model and its next version: fields are added, dropped, given a default and changed."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name in ("a", "b", "c")[: draw(st.integers(1, 3))]:
        for fields, annotation in zip((old, new), draw(values), strict=True):
            how = draw(st.sampled_from(("needed", "needed", "default", "absent")))
            if how == "needed":
                fields[name] = (annotation, ...)
            elif how == "default":
                fields[name] = (annotation | None, None)
    return model(old), model(new)


def model(fields: dict[str, Any]) -> type[BaseModel]:
    return create_model(f"Cooked{next(numbers)}", __base__=Frozen, **fields)


numbers = itertools.count()
"""Two models of one name would be named apart in a schema, but not by who reads a failure."""

leaves = st.tuples(st.sampled_from(LEAVES), st.sampled_from(LEAVES)) | st.sampled_from(LEAVES).map(lambda a: (a, a))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(functools.partial(both, many)),
        inner.map(functools.partial(both, mapped)),
        inner.map(lambda pair: (pair[0], pair[1] | None)),
        inner.map(lambda pair: (pair[0] | None, pair[1] | None)),
        st.tuples(inner, leaves).map(lambda two: (two[0][0], two[0][1] | two[1][1])),
        models(inner),
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(versions=models(values), seed=st.integers(0, 2**16))
def test_what_the_walk_lets_pass_is_read(versions: tuple[type[BaseModel], type[BaseModel]], seed: int) -> None:
    writer, reader = versions
    schemas = writer.model_json_schema(mode="serialization", schema_generator=Given), reader.model_json_schema()
    found = gaps(*schemas)
    event("nothing breaks" if not found else f"breaks: {found[0].kind}")
    if found:
        return
    assert refusal(*schemas) is None, "jsoncompat finds what the walk does not"
    factory = ModelFactory.create_factory(writer, __random_seed__=seed, __allow_none_optionals__=True)
    for _ in range(MESSAGES):
        text = factory.build().model_dump_json()
        reader.model_validate_json(text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(versions=models(values), seed=st.integers(0, 2**16))
def test_a_message_that_is_refused_was_found(versions: tuple[type[BaseModel], type[BaseModel]], seed: int) -> None:
    """And under the field that pydantic names."""
    writer, reader = versions
    factory = ModelFactory.create_factory(writer, __random_seed__=seed, __allow_none_optionals__=True)
    found = gaps(writer.model_json_schema(mode="serialization", schema_generator=Given), reader.model_json_schema())
    tops = {gap.path.split(".")[0].split("[")[0] for gap in found}
    for _ in range(MESSAGES):
        assert refused_fields(reader, factory.build().model_dump_json()) <= tops


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(versions=models(values))
def test_the_walk_is_no_stricter_than_jsoncompat(versions: tuple[type[BaseModel], type[BaseModel]]) -> None:
    writer, reader = versions
    schemas = writer.model_json_schema(mode="serialization", schema_generator=Given), reader.model_json_schema()
    assert not gaps(*schemas) or refusal(*schemas)


def refused_fields(reader: type[BaseModel], text: str) -> set[str]:
    try:
        reader.model_validate_json(text)
    except ValidationError as error:
        return {str(problem["loc"][0]) for problem in error.errors()}
    return set()
