"""Factories where the data names none: which regions each serves, and how many boxes it can pack."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from orchestrator.data.history import FactoryRow, OrderRow

FACTORIES = ("A", "B")
CAP_OVER_PEAK = 1.5
"""A factory's weekly cap is this times the boxes of its busiest week."""


def balanced(volume: Mapping[str, float], factories: Sequence[str] = FACTORIES) -> dict[str, str]:
    """The factory of each region, whole regions only, with about equal volume.

    Greedy (longest processing time first, R. L. Graham 1969): the largest region first, each to the factory with the least
    volume so far. Ties go by the number of regions, then by name. With one region only the first factory has one.
    """
    load = {factory: (0.0, 0, factory) for factory in factories}
    chosen: dict[str, str] = {}
    for region in sorted(volume, key=lambda region: (-volume[region], region)):
        orders, regions, factory = min(load.values())
        chosen[region] = factory
        load[factory] = (orders + volume[region], regions + 1, factory)
    return chosen


def default_caps(
    orders: Iterable[OrderRow], factory_of: Mapping[str, str], recipes_per_box: float
) -> tuple[FactoryRow, ...]:
    """Each factory with its cap, in whole boxes and at least one.

    `orders` are weekly; `factory_of` gives the factory of a centre.
    """
    weekly: defaultdict[tuple[str, date], float] = defaultdict(float)
    for row in orders:
        weekly[factory_of[row.centre], row.starts] += row.orders
    peaks: dict[str, float] = {}
    for (factory, _), total in weekly.items():
        peaks[factory] = max(peaks.get(factory, 0.0), total / recipes_per_box)
    return tuple(FactoryRow(name, max(1.0, math.ceil(CAP_OVER_PEAK * peaks[name]))) for name in sorted(peaks))
