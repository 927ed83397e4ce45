"""Each factory's orders of all recipes together, from the site forecasts that give them."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from services.runtime.canonical import DECIMALS

COLUMNS = ("week", "factory", "unit", "mean", "p10", "p50", "p90")


class Total(NamedTuple):
    """Orders of one factory in one week."""

    week: date
    factory: str
    unit: str
    mean: float
    p10: float
    p50: float
    p90: float


def totals_of(tables: Iterable[pa.Table]) -> list[Total]:
    """Sorted by week and factory, numbers rounded as in the canonical rows."""
    rows = (Total(**row) for table in tables for row in table.select(COLUMNS).to_pylist())
    return sorted((_rounded(total) for total in rows), key=lambda total: (total.week, total.factory))


def _rounded(total: Total) -> Total:
    mean, p10, p50, p90 = (round(amount, DECIMALS) for amount in total[3:])
    return total._replace(mean=mean, p10=p10, p50=p50, p90=p90)
