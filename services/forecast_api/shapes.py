"""Requests and answers held against AWS's own description of the two services, which botocore ships."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from services.forecast_api.errors import InvalidInput, InvalidNextToken, Unserved

Json = Any

SERVICES = {"AmazonForecast": "forecast", "AmazonForecastRuntime": "forecastquery"}
"""The first part of X-Amz-Target, and botocore's name."""

LARGEST_INTEGER = 2**31 - 1

CORRECTED: Mapping[str, str] = {
    # The model says that a role is one of Forecast's resources; it is one of IAM's.
    "RoleArn": r"arn:[a-z\d-]+:iam::\d{12}:role/.+",
    # The model knows the intervals of the first years only: the text beside it has the integers that came later.
    "DataFrequency": r"\d{0,2}(Y|M|W|D|H|min)",
    "ForecastFrequency": r"\d{0,2}(Y|M|W|D|H|min)",
    # The model says that lists are filtered by ARNs; the text beside it has their Status too.
    "Filters.Value": r"arn:([a-z\d-]+):forecast:.*:.*:.+|[A-Z_]+",
}
"""Patterns of members, by their name or their whole path, where AWS's service is not what its model says."""


@dataclass(frozen=True)
class Operation:
    """One operation of the service model."""

    model: OperationModel

    @property
    def name(self) -> str:
        return str(self.model.name)

    @property
    def errors(self) -> frozenset[str]:
        """The codes that are documented for it."""
        return frozenset(shape.name for shape in self.model.error_shapes)

    def check(self, request: Mapping[str, Json]) -> None:
        """Raises InvalidInput, or InvalidNextToken, naming the first member that does not fit."""
        if self.model.input_shape is not None:
            _check(self.model.input_shape, request, "", "")

    def answer(self, found: Mapping[str, Json]) -> dict[str, Json]:
        """What of `found` the operation's output has, without what is None."""
        shape = self.model.output_shape
        return dict(_projected(shape, found)) if shape is not None else {}


@cache
def _services() -> dict[str, ServiceModel]:
    loader = Loader()
    return {target: ServiceModel(loader.load_service_model(name, "service-2")) for target, name in SERVICES.items()}


def find_operation(target: str) -> Operation:
    """By X-Amz-Target, as `AmazonForecast.CreateDataset`. Raises Unserved when neither service has it."""
    service, _, name = target.partition(".")
    model = _services().get(service)
    if model is None or name not in model.operation_names:
        raise Unserved(
            f"'{target[:100]}' is no operation of Amazon Forecast: X-Amz-Target names one, as boto3 writes it"
        )
    return Operation(model.operation_model(name))


def _check(shape: Shape, value: Json, path: str, member: str) -> None:
    kind = _KINDS.get(shape.type_name)
    if kind is not None:
        kind(shape, value, path, member)


def _structure(shape: StructureShape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, dict):
        raise _wrong(path, "is not an object")
    for name in shape.required_members:
        if value.get(name) is None:
            raise _wrong(_joined(path, name), "is missing")
    for name, inner in shape.members.items():
        if value.get(name) is not None:
            _check(inner, value[name], _joined(path, name), name)


def _list(shape: ListShape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, list):
        raise _wrong(path, "is not a list")
    _sized(shape, len(value), path, "entries")
    for place, each in enumerate(value):
        _check(shape.member, each, f"{path}[{place}]", member)


def _map(shape: MapShape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, dict):
        raise _wrong(path, "is not an object")
    _sized(shape, len(value), path, "entries")
    for name, each in value.items():
        _check(shape.key, name, f"{path}.{name[:64]}", "")
        _check(shape.value, each, f"{path}.{name[:64]}", "")


def _string(shape: Shape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, str):
        raise _wrong(path, "is not a string")
    if "\0" in value:
        raise _wrong(path, "holds a NUL")
    _sized(shape, len(value), path, "characters")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        raise _wrong(path, f"is none of {', '.join(allowed)}")
    where = regex.sub(r"\[\d+\]", "", path)
    pattern = CORRECTED.get(member) or CORRECTED.get(where) or shape.metadata.get("pattern")
    if pattern and not regex.fullmatch(pattern, value):
        raise _wrong(path, f"does not match {pattern}")


def _integer(shape: Shape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_INTEGER:
        raise _wrong(path, "is not an integer")
    _sized(shape, value, path, "")


def _double(shape: Shape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong(path, "is not a number")
    _sized(shape, value, path, "")


def _boolean(shape: Shape, value: Json, path: str, member: str) -> None:
    if not isinstance(value, bool):
        raise _wrong(path, "is neither true nor false")


_KINDS: Mapping[str, Callable[[Any, Json, str, str], None]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "double": _double,
    "boolean": _boolean,
}


def _sized(shape: Shape, size: float, path: str, unit: str) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        raise _wrong(path, f"is less than {least} {unit}".rstrip())
    if most is not None and size > most:
        raise _wrong(path, f"is more than {most} {unit}".rstrip())


def _wrong(path: str, why: str) -> InvalidInput | InvalidNextToken:
    kind = InvalidNextToken if path == "NextToken" else InvalidInput
    return kind(f"{path or 'the request'} {why}")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _projected(shape: Shape, value: Json) -> Json:
    if isinstance(shape, StructureShape):
        members = ((name, inner, value.get(name)) for name, inner in shape.members.items())
        return {name: _projected(inner, each) for name, inner, each in members if each is not None}
    if isinstance(shape, ListShape):
        return [_projected(shape.member, each) for each in value]
    return value
