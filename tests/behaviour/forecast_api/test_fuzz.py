"""Requests made from AWS's own description of the service, each wrong in one place: the documented error type every time."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.forecast_api.operations import SERVED
from services.forecast_api.shapes import CORRECTED, Operation, find_operation
from tests.behaviour.forecast_api.conftest import Api

EVERYWHERE = "ValidationException"
"""Documented for all of AWS's services, for what the operation has no type of its own."""

SAMPLES = {
    r"^[a-zA-Z][a-zA-Z0-9_]*": "name",
    r"arn:([a-z\d-]+):forecast:.*:.*:.+": "arn:aws:forecast:us-east-1:000000000000:kind/name",
    r"arn:aws:kms:.*:key/.*": "arn:aws:kms:us-east-1:000000000000:key/1",
    r"^s3://[a-z0-9].+$": "s3://bucket/key",
    r"(^0?\.\d\d?$|^mean$)": "0.5",
    r"^CSV|PARQUET$": "CSV",
    r"^[a-zA-Z0-9\-\:\.\,\'\s]+$": "yyyy-MM-dd",
    r"^[a-zA-Z0-9\/\+\-\_]+$": "UTC",
    ".+": "x",
}
"""Strings that match, by pattern."""

PATHS = {"RoleArn": "arn:aws:iam::000000000000:role/any", "DataFrequency": "W", "ForecastFrequency": "W"}


def operation(name: str) -> Operation:
    return find_operation(f"AmazonForecast{'Runtime' if name.startswith('Query') else ''}.{name}")


def sample(shape: Shape, member: str = "") -> Any:
    """Something that fits, with every member that there is."""
    if isinstance(shape, StructureShape):
        return {name: sample(inner, name) for name, inner in shape.members.items()}
    if isinstance(shape, ListShape):
        return [sample(shape.member)]
    if isinstance(shape, MapShape):
        return {sample(shape.key): sample(shape.value)}
    if shape.type_name in ("integer", "long", "double"):
        return shape.metadata.get("min", 1)
    if shape.type_name == "boolean":
        return False
    return PATHS.get(member) or _string(shape)


def _string(shape: Shape) -> str:
    allowed, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if allowed:
        return str(allowed[0])
    return SAMPLES.get(pattern, "a") if pattern else "a"


def wrong(shape: Shape, member: str = "") -> Iterator[tuple[str, Any]]:
    """(what is wrong, a value) for one place."""
    limits = shape.metadata
    if isinstance(shape, StructureShape):
        yield "type", [1]
    elif isinstance(shape, ListShape):
        yield "type", {"a": 1}
        if "max" in limits:
            yield "too many", [sample(shape.member)] * (limits["max"] + 1)
        if limits.get("min"):
            yield "too few", []
    elif isinstance(shape, MapShape):
        yield "type", "text"
        if "max" in limits and shape.key.metadata.get("max", 0) > 3:
            yield "too many", {f"a{number}": sample(shape.value) for number in range(limits["max"] + 1)}
    elif shape.type_name == "string":
        yield from _wrong_strings(shape, member)
    elif shape.type_name == "boolean":
        yield "type", "true"
    else:
        yield "type", "1"
        yield "type", True
        yield from ((name, limits[key] + step) for name, key, step in BOUNDS if key in limits)
        if shape.type_name != "double":
            yield "fraction", 1.5
            yield "too large", 2**40


BOUNDS = (("below", "min", -1), ("above", "max", 1))


def _wrong_strings(shape: Shape, member: str) -> Iterator[tuple[str, Any]]:
    limits = shape.metadata
    yield "type", 1
    yield "NUL", "a\0"
    if "max" in limits:
        yield "too long", "a" * (limits["max"] + 1)
    if limits.get("min"):
        yield "too short", ""
    if "enum" in limits:
        yield "enumeration", "NOBODY"
    if "pattern" in limits and not re.fullmatch(limits["pattern"].replace(r"\p{L}\p{Z}\p{N}", r"\w\s"), "\x01"):
        yield "pattern", "\x01" * max(1, limits.get("min", 1))
    if member in CORRECTED:
        yield "pattern", "arn:aws:forecast:us-east-1:000000000000:role/any"


def places(shape: Shape, path: tuple[Any, ...] = (), member: str = "") -> Iterator[tuple[tuple[Any, ...], Shape, str]]:
    if path:
        yield path, shape, member
    if isinstance(shape, StructureShape):
        for name, inner in shape.members.items():
            yield from places(inner, (*path, name), name)
    elif isinstance(shape, ListShape):
        yield from places(shape.member, (*path, 0))
    elif isinstance(shape, MapShape):
        yield from places(shape.value, (*path, sample(shape.key)))


def missing(shape: Shape, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(shape, StructureShape):
        yield from ((*path, name) for name in shape.required_members)
        for name, inner in shape.members.items():
            yield from missing(inner, (*path, name))
    elif isinstance(shape, ListShape):
        yield from missing(shape.member, (*path, 0))


def changed(request: Any, path: tuple[Any, ...], value: Any = ..., /) -> Any:
    """A copy with another value at a path, or none."""
    found = copy.deepcopy(request)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return found


def variants(name: str) -> Iterator[tuple[str, Any]]:
    shape = operation(name).model.input_shape
    assert shape is not None
    fitting = sample(shape)
    for path in missing(shape):
        yield f"{path} is missing", changed(fitting, path)
    for path, inner, member in places(shape):
        for why, value in wrong(inner, member):
            yield f"{path}: {why}", changed(fitting, path, value)


@pytest.mark.parametrize("name", SERVED)
def test_what_is_wrong_in_one_place_is_answered_with_a_documented_type(name: str, api: Api) -> None:
    allowed = operation(name).errors | {EVERYWHERE}
    count = 0
    for what, request in variants(name):
        answer = api(name, request)
        assert answer.status == 400, f"{name}, {what}: {answer}"
        assert answer.error in allowed, f"{name}, {what}: {answer}"
        assert answer.error != EVERYWHERE or "InvalidInputException" not in allowed, what
        assert len(answer.body["message"]) > 10
        count += 1
    assert count >= 5


@pytest.mark.parametrize("name", SERVED)
def test_what_fits_is_answered_or_refused_with_a_documented_type(name: str, api: Api) -> None:
    shape = operation(name).model.input_shape
    assert shape is not None
    answer = api(name, sample(shape))
    assert answer.status == 200 or answer.error in operation(name).errors, answer


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SERVED)), st.data())
def test_anything_anywhere_is_answered(api: Api, name: str, data: st.DataObject) -> None:
    """Whatever stands in one place of a request that fits."""
    shape = operation(name).model.input_shape
    assert shape is not None
    path = data.draw(st.sampled_from([path for path, _, _ in places(shape)]))
    answer = api(name, changed(sample(shape), path, data.draw(ANYTHING)))
    assert answer.status == 200 or answer.error in operation(name).errors | {EVERYWHERE, "SerializationException"}


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_answered(api: Api, body: bytes) -> None:
    assert api("CreateDataset", body).status == 400
