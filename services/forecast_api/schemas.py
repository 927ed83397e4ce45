"""What a dataset's columns are for, by its domain and type (https://docs.aws.amazon.com/forecast/latest/dg/howitworks-domains-ds-types.html)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.forecast_api.errors import InvalidInput

TARGET, RELATED, METADATA = "TARGET_TIME_SERIES", "RELATED_TIME_SERIES", "ITEM_METADATA"
ITEM, TIMESTAMP = "item_id", "timestamp"

TARGETS: Mapping[str, str] = {"RETAIL": "demand", "CUSTOM": "target_value"}
"""The column that is forecast, in each domain that is served."""

LARGEST = {TARGET: 13, RELATED: 25, METADATA: 10}
"""Columns."""

NUMBERS = ("integer", "float")


@dataclass(frozen=True)
class Schema:
    """The columns in the order of the files. `target` is empty where there is none."""

    type: str
    columns: Mapping[str, str]
    target: str

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Strings beside the item that tell one series from another."""
        if self.type == METADATA:
            return ()
        return tuple(name for name, kind in self.columns.items() if kind == "string" and name != ITEM)

    @property
    def features(self) -> tuple[str, ...]:
        """Numbers that are known ahead."""
        return tuple(n for n, kind in self.columns.items() if self.type == RELATED and kind in NUMBERS)


def schema_of(dataset: Mapping[str, Any]) -> Schema:
    """Of a dataset's request. Raises InvalidInput when its domain and type need other columns."""
    domain, kind = dataset["Domain"], dataset["DatasetType"]
    if domain not in TARGETS:
        raise InvalidInput(f"the domain {domain} is not served: {' and '.join(TARGETS)} are")
    columns = columns_of(dataset["Schema"])
    target = TARGETS[domain] if kind == TARGET else ""
    for name, allowed in _required(kind, target).items():
        if columns.get(name) not in allowed:
            raise InvalidInput(f"Schema: a {kind} dataset of {domain} has {name} of type {' or '.join(allowed)}")
    if len(columns) > LARGEST[kind]:
        raise InvalidInput(f"Schema: a {kind} dataset has at most {LARGEST[kind]} attributes")
    if kind != METADATA and not dataset.get("DataFrequency"):
        raise InvalidInput(f"DataFrequency is missing: a {kind} dataset has one")
    _only_known(columns, kind, target)
    return Schema(kind, columns, target)


def columns_of(schema: Mapping[str, Any]) -> dict[str, str]:
    attributes: Sequence[Mapping[str, str]] = schema.get("Attributes") or ()
    columns = {each.get("AttributeName", ""): each.get("AttributeType", "") for each in attributes}
    if len(columns) < len(attributes) or not all(columns) or not all(columns.values()) or not columns:
        raise InvalidInput("Schema.Attributes: each has an AttributeName of its own and an AttributeType")
    return columns


def _required(kind: str, target: str) -> dict[str, tuple[str, ...]]:
    required: dict[str, tuple[str, ...]] = {ITEM: ("string",)}
    if kind != METADATA:
        required[TIMESTAMP] = ("timestamp",)
    if target:
        required[target] = NUMBERS
    return required


def _only_known(columns: Mapping[str, str], kind: str, target: str) -> None:
    for name, type_name in columns.items():
        if type_name == "geolocation":
            raise InvalidInput(f"Schema: {name} is a geolocation, which is not served: give the place as a string")
        if type_name == "timestamp" and name != TIMESTAMP:
            raise InvalidInput(f"Schema: {name} is a second timestamp")
        if kind == TARGET and type_name in NUMBERS and name != target:
            raise InvalidInput(f"Schema: {name} belongs to a related time series: the target has {target} alone")
