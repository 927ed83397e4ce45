"""From extracted orders to one weekly series of boxes per region."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import BadData
from services.models.volume import WEEK

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One region's boxes per week, oldest first, ending with the last week of the history."""

    region: str
    factory: str
    boxes: Floats


def weekly_boxes(histories: Sequence[pa.Table], last_week: date, recipes_per_box: float) -> tuple[Series, ...]:
    """Sum orders over centres and recipes and turn them into boxes, one series per region, sorted by region.

    A series starts with the region's first week of orders and ends with `last_week`. A week without rows in between, or at
    the end, counts as zero boxes: nothing was delivered. A region's factory is the one of its latest row.

    Raises BadData when no row is dated `last_week` or before.
    """
    rows = pa.concat_tables([table.select(["week", "region", "factory", "orders"]) for table in histories])
    rows = rows.filter(pc.less_equal(rows["week"], pa.scalar(last_week, pa.date32())))
    if rows.num_rows == 0:
        raise BadData(f"the history has no orders up to the week of {last_week}: load order history and run again")
    # One thread keeps the order of the float sums, and so the result, the same on every machine.
    totals = rows.group_by(["week", "region", "factory"], use_threads=False).aggregate([("orders", "sum")])
    by_region: dict[str, dict[date, float]] = {}
    factories: dict[str, str] = {}
    for row in totals.sort_by([("week", "ascending"), ("factory", "ascending")]).to_pylist():
        weeks = by_region.setdefault(row["region"], {})
        weeks[row["week"]] = weeks.get(row["week"], 0.0) + row["orders_sum"] / recipes_per_box
        factories[row["region"]] = row["factory"]
    return tuple(
        Series(region, factories[region], _without_gaps(weeks, last_week))
        for region, weeks in sorted(by_region.items())
    )


def _without_gaps(weeks: dict[date, float], last_week: date) -> Floats:
    first = min(weeks)
    length = (last_week - first) // WEEK + 1
    return np.array([weeks.get(first + n * WEEK, 0.0) for n in range(length)])
