"""Offers of each region's menu weeks: those that were, and those that are planned."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

import pyarrow as pa
import pyarrow.compute as pc

WEEK = timedelta(days=7)
COLUMNS = ("price", "promoted")
SHOWN = ("emailer", "homepage")

Means = dict[str, dict[date, float]]
"""By region and week, where known."""


@dataclass(frozen=True)
class Week:
    """The mean price of a week's recipes, and which part of them was promoted. None: it is known of no week."""

    region: str
    week: date
    price: float | None
    promoted: float | None


def weekly_offers(
    histories: Sequence[pa.Table], last_week: date, coming: pa.Table | None, last_planned: date
) -> list[Week]:
    """A row for each week from a region's first one to the last planned, sorted; nothing when the history has no prices.

    What is unknown is as usual in its region, or else in all. `coming` has the offers of weeks ahead, the same in all regions:
    each keeps its own level of prices.
    """
    rows = pa.concat_tables([table.select(["week", "region", "recipe", "price", *SHOWN]) for table in histories])
    rows = _with_promoted(rows.filter(pc.less_equal(rows["week"], pa.scalar(last_week, pa.date32()))))
    recipes = _means(rows, ("region", "week", "recipe"))
    past = {column: _by_region(_means(recipes, ("region", "week")), column) for column in COLUMNS}
    if not any(past["price"].values()):
        return []
    ahead = {column: _ahead(coming, last_week, column) for column in COLUMNS}
    weeks = _weeks(rows, last_planned)
    prices = _complete(past["price"], ahead["price"], weeks, keep_level=True)
    promoted = _complete(past["promoted"], ahead["promoted"], weeks, keep_level=False)
    return [Week(region, week, prices[region][week], promoted[region][week]) for region, week in weeks]


def _with_promoted(rows: pa.Table) -> pa.Table:
    """Whether the recipe was shown anywhere, 0 to 1; null when nobody knows."""
    shown = [rows[name].cast(pa.float64()) for name in SHOWN]
    return rows.append_column("promoted", pc.max_element_wise(*shown))


def _means(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """One thread keeps the order of the sums, and so the result, the same everywhere."""
    found = rows.group_by(list(keys), use_threads=False).aggregate([(column, "mean") for column in COLUMNS])
    return found.rename_columns([name.removesuffix("_mean") for name in found.column_names])


def _by_region(means: pa.Table, column: str) -> Means:
    found: defaultdict[str, dict[date, float]] = defaultdict(dict)
    for row in means.select(["region", "week", column]).to_pylist():
        if row[column] is not None:
            found[row["region"]][row["week"]] = row[column]
    return dict(found)


def _ahead(coming: pa.Table | None, last_week: date, column: str) -> dict[date, float]:
    if coming is None:
        return {}
    means = _means(_with_promoted(coming), ("week",)).to_pylist()
    return {row["week"]: row[column] for row in means if row["week"] > last_week and row[column] is not None}


def _weeks(rows: pa.Table, last_planned: date) -> list[tuple[str, date]]:
    firsts = rows.group_by("region", use_threads=False).aggregate([("week", "min")]).to_pylist()
    return [
        (row["region"], row["week_min"] + n * WEEK)
        for row in sorted(firsts, key=lambda row: row["region"])
        for n in range((last_planned - row["week_min"]) // WEEK + 1)
    ]


def _complete(
    past: Means, ahead: dict[date, float], weeks: Iterable[tuple[str, date]], keep_level: bool
) -> dict[str, dict[date, float | None]]:
    """A number for each of the weeks, or None for each."""
    usual = {region: fmean(known.values()) for region, known in past.items() if known}
    everywhere = fmean(usual.values()) if usual else None
    found: defaultdict[str, dict[date, float | None]] = defaultdict(dict)
    for region, week in weeks:
        own = usual.get(region, everywhere)
        value = past.get(region, {}).get(week, own)
        if week in ahead and own is not None:
            value = ahead[week] * own / everywhere if keep_level and everywhere else ahead[week]
        found[region][week] = value
    return dict(found)
