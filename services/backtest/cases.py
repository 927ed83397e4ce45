"""Forecasts and what came, gathered one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.backtest.baselines import NAMES, baselines, scale
from services.backtest.history import WEEK, Origin
from services.backtest.metrics import Compared

Floats = npt.NDArray[np.float64]
Key = tuple[str, ...]

QUANTILES = ("p10", "p50", "p90")


@dataclass
class Cases:
    """Rows of: actual, P10, P50, P90, scale, one of each baseline."""

    rows: list[list[float]] = field(default_factory=list)

    def add(self, actual: float, forecast: Mapping[str, float], past: Floats, step: int, unseen: float = 0.0) -> None:
        """`past` is the series as known at the origin, `step` how many weeks later the actual came."""
        self.add_with(actual, forecast, scale(past), baselines(past, step, unseen))

    def add_with(
        self, actual: float, forecast: Mapping[str, float], change: float, others: Mapping[str, float]
    ) -> None:
        """As `add`, with the scale and the baselines given."""
        self.rows.append([actual, *(forecast[name] for name in QUANTILES), change, *(others[name] for name in NAMES)])

    def compared(self) -> Compared:
        """Call it only when something was added."""
        columns = np.array(self.rows, dtype=np.float64).T
        actual, p10, p50, p90, change = columns[:5]
        return Compared(actual, p10, p50, p90, change, dict(zip(NAMES, columns[5:], strict=True)))


@dataclass(frozen=True)
class Truth:
    """Orders per week by key, NaN where there was no row, from the first week of the history to the last week compared."""

    first_week: date
    known_weeks: int
    series: Mapping[Key, Floats]
    nothing: Floats

    def past(self, key: Key) -> Floats:
        """What was known at the origin, from the first week on."""
        return self.series.get(key, self.nothing)[: self.known_weeks]

    def actual(self, key: Key, week: date) -> float:
        """What came, 0 when there was no row."""
        return float(np.nan_to_num(self.series.get(key, self.nothing)[(week - self.first_week) // WEEK]))

    def step(self, week: date) -> int:
        return (week - self.first_week) // WEEK + 1 - self.known_weeks


def truth(origin: Origin, keys: Sequence[str]) -> Truth:
    """The origin's orders, summed by week and the given columns."""
    first = origin.plan.history.first_week
    weeks = (origin.plan.weeks[-1].starts - first) // WEEK + 1
    totals = origin.orders.group_by(["week", *keys], use_threads=False).aggregate([("orders", "sum")])
    series: dict[Key, Floats] = {}
    for row in totals.to_pylist():
        values = series.setdefault(tuple(row[name] for name in keys), np.full(weeks, np.nan))
        values[(row["week"] - first) // WEEK] = row["orders_sum"]
    return Truth(first, origin.known_weeks, series, np.full(weeks, np.nan))


def add_volume(cases: Cases, volume: pa.Table, origin: Origin) -> None:
    """Boxes by region. A week without orders in a region that had some is a week of zero boxes."""
    orders, per_box = truth(origin, ["region"]), origin.plan.recipes_per_box
    for row in volume.to_pylist():
        key, week = (row["region"],), row["week"]
        past = orders.past(key)
        known = np.nan_to_num(past[np.flatnonzero(~np.isnan(past))[0] :]) / per_box
        cases.add(orders.actual(key, week) / per_box, row, known, orders.step(week))


def add_recipes(cases: Cases, forecast: pa.Table, origin: Origin) -> None:
    """Orders by factory and recipe. A recipe without history takes, as a baseline, the mean of those with one."""
    orders = truth(origin, ["factory", "recipe"])
    mean = float(np.nanmean([past[~np.isnan(past)][-1:].sum() for past in map(orders.past, orders.series)]))
    for row in forecast.to_pylist():
        if row["kind"] == "recipe":
            key, week = (row["factory"], row["name"]), row["week"]
            cases.add(orders.actual(key, week), row, orders.past(key), orders.step(week), mean)


def add_totals(cases: Cases, totals: pa.Table, origin: Origin) -> None:
    """Orders by factory, all recipes together."""
    orders = truth(origin, ["factory"])
    for row in totals.to_pylist():
        key, week = (row["factory"],), row["week"]
        cases.add(orders.actual(key, week), row, np.nan_to_num(orders.past(key)), orders.step(week))
