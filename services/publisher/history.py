"""What was ordered until now, for the page's charts."""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import pyarrow as pa

History = dict[str, dict[date, float]]
"""Orders by factory and week, weeks in order."""


def weekly_orders(tables: Iterable[pa.Table]) -> History:
    """Orders of each factory's own regions a week. Summed in one order, so the same history gives the same bytes."""
    parts: defaultdict[str, defaultdict[date, list[float]]] = defaultdict(lambda: defaultdict(list))
    for table in tables:
        sums = table.group_by(["factory", "week"], use_threads=False).aggregate([("orders", "sum")])
        for row in sums.to_pylist():
            parts[row["factory"]][row["week"]].append(row["orders_sum"])
    return {
        factory: {week: math.fsum(amounts) for week, amounts in sorted(weeks.items())}
        for factory, weeks in sorted(parts.items())
    }
