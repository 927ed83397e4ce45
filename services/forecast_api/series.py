"""Datasets to series: aligned to the forecast's steps, aggregated, and filled as the predictor says.

https://docs.aws.amazon.com/forecast/latest/dg/data-aggregation.html, howitworks-missing-values.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.forecast_api.errors import JobFailed
from services.forecast_api.frequency import Frequency
from services.forecast_api.predictors import Plan
from services.forecast_api.schemas import ITEM, TIMESTAMP, Schema
from services.models.known import Known

Floats = npt.NDArray[np.float64]
Key = tuple[str, ...]
Methods = Mapping[str, str]

AGGREGATE: Mapping[str, Callable[[Floats], float]] = {
    "sum": lambda values: float(values.sum()),
    "avg": lambda values: float(values.mean()),
    "first": lambda values: float(values[0]),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
}

FILL: Mapping[str, Callable[[Floats], float]] = {
    "median": lambda known: float(np.median(known)),
    "mean": AGGREGATE["avg"],
    "min": AGGREGATE["min"],
    "max": AGGREGATE["max"],
}

DEFAULT_TARGET: Methods = {"aggregation": "sum", "middlefill": "zero", "backfill": "zero"}


@dataclass(frozen=True)
class Series:
    """One series from its own first step to the last of all. NaN is what nobody knows.

    `features` has the shape (steps with those of the horizon, features).
    """

    key: Key
    first: int
    values: Floats
    features: Floats

    def known(self, end: int, horizon: int) -> Known | None:
        """What is known of it before the step `end`, and of its features for `horizon` steps from there; None if nothing."""
        count = end - self.first
        at = np.flatnonzero(~np.isnan(self.values[:count])) if count > 0 else np.empty(0, np.int64)
        if len(at) == 0:
            return None
        rows = np.concatenate([self.features[at], self.features[count : count + horizon]])
        return Known(self.values[at], at + self.first, rows)


@dataclass(frozen=True)
class Data:
    """All series, sorted by key. `last` is the step of the latest value of any."""

    series: tuple[Series, ...]
    last: int
    length: int
    frequency: Frequency

    def known(self, end: int, horizon: int) -> tuple[list[Key], list[Known]]:
        found = [(each.key, each.known(end, horizon)) for each in self.series]
        pairs = [(key, known) for key, known in found if known is not None]
        return [key for key, _ in pairs], [known for _, known in pairs]


def align(target: pa.Table, schema: Schema, plan: Plan) -> Data:
    """The target alone. Raises JobFailed when it has values that are no counts, or none at all."""
    cells = _cells(target, plan, plan.dimensions, schema.target)
    methods = {**DEFAULT_TARGET, **plan.filling.get(schema.target, {})}
    aggregate = AGGREGATE[methods["aggregation"]]
    if not cells:
        raise JobFailed("the target time series has no value")
    steps = [step for by_step in cells.values() for step in by_step]
    first, last = min(steps), max(steps)
    series = []
    for key, by_step in sorted(cells.items()):
        begins = min(by_step)
        values = np.full(last - begins + 1, np.nan)
        for step, found in by_step.items():
            values[step - begins] = aggregate(np.array(found))
        if (values < 0).any():
            raise JobFailed(f"{' '.join(key)} has a negative {schema.target}: the models are of counts")
        filled = _filled(values, len(values), methods)
        series.append(Series(key, begins, filled, np.empty((len(values) + plan.horizon, 0))))
    return Data(tuple(series), last, last - first + 1, plan.frequency)


def with_features(data: Data, related: pa.Table, schema: Schema, plan: Plan) -> Data:
    """The same series with what is known of them ahead. What is never negative, as a price, counts by its logarithm.

    Raises JobFailed when a feature has no value where a series has one, or ahead.
    """
    dimensions = tuple(name for name in plan.dimensions if name in schema.dimensions)
    places = [0, *(1 + plan.dimensions.index(name) for name in dimensions)]
    columns = []
    for feature in schema.features:
        cells = _cells(related, plan, dimensions, feature)
        methods = plan.filling.get(feature, {})
        found = [_feature(each, cells.get(tuple(each.key[at] for at in places), {}), methods) for each in data.series]
        for each, values in zip(data.series, found, strict=True):
            _check_complete(each, values, feature, plan.frequency)
        never_negative = min(float(np.nanmin(values)) for values in found) >= 0
        columns.append([np.log1p(values) if never_negative else values for values in found])
    series = tuple(
        Series(each.key, each.first, each.values, np.stack([column[place] for column in columns], axis=1))
        for place, each in enumerate(data.series)
    )
    return Data(series, data.last, data.length, data.frequency)


def _cells(table: pa.Table, plan: Plan, dimensions: Sequence[str], column: str) -> dict[Key, dict[int, list[float]]]:
    """Values by series and step, in the order of their timestamps."""
    ordered = table.select([ITEM, *dimensions, TIMESTAMP, column]).sort_by(TIMESTAMP)
    steps = plan.frequency.steps(ordered[TIMESTAMP].to_numpy()).tolist()
    keys = zip(*(ordered[name].to_pylist() for name in (ITEM, *dimensions)), strict=True)
    cells: dict[Key, dict[int, list[float]]] = {}
    for key, step, value in zip(keys, steps, ordered[column].to_pylist(), strict=True):
        if value is not None:
            cells.setdefault(key, {}).setdefault(step, []).append(float(value))
    return cells


def _feature(series: Series, by_step: Mapping[int, list[float]], methods: Methods) -> Floats:
    """One feature for each step of the series and of the horizon; related series are not aggregated: the last one counts."""
    values = np.full(len(series.features), np.nan)
    for step, found in by_step.items():
        if 0 <= step - series.first < len(values):
            values[step - series.first] = found[-1]
    return _filled(values, len(series.values), methods)


def _filled(values: Floats, end: int, methods: Methods) -> Floats:
    """`end` is the place after the last of all series; what is behind it lies in the future."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) == 0:
        return values
    places, gaps = np.arange(len(values)), np.isnan(values)
    before = known[known < end]
    last = before[-1] if len(before) else -1
    areas = {
        "middlefill": gaps & (places > known[0]) & (places < last),
        "backfill": gaps & (places > last) & (places < end) & (last >= 0),
        "futurefill": gaps & (places >= end),
    }
    filled = values.copy()
    for name, area in areas.items():
        if area.any() and name in methods:
            filled[area] = _value(values[known], methods[name], methods.get(f"{name}_value"))
    return filled


def _value(known: Floats, method: str, value: str | None) -> float:
    if method == "value":
        return float(value or 0)
    if method in ("zero", "nan"):
        return 0.0 if method == "zero" else float("nan")
    return FILL[method](known)


def _check_complete(series: Series, values: Floats, feature: str, frequency: Frequency) -> None:
    needed = np.concatenate([~np.isnan(series.values), np.ones(len(values) - len(series.values), bool)])
    missing = np.flatnonzero(needed & np.isnan(values))
    if len(missing):
        at = frequency.starts(np.array([series.first + missing[0]]))[0].item()
        raise JobFailed(
            f"{feature} has no value for {' '.join(series.key)} at {at}: related series have one wherever the target has"
            " and up to the forecast horizon, or a middlefill, backfill and futurefill"
        )
