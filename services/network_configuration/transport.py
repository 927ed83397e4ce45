"""The transport problem of one week: every region's boxes to factories, under their caps, as few as possible away from home.

    minimise    sum over f, r of cost[f, r] * boxes[f, r]
    subject to  sum over f of boxes[f, r] = volume[r]   for each region r
                sum over r of boxes[f, r] <= cap[f]     for each factory f
                boxes >= 0

A box costs 0 at the region's home factory and 1 elsewhere, plus a tie-break (see `_cost`). The textbook transportation
problem: F. L. Hitchcock, "The Distribution of a Product from Several Sources to Numerous Localities", 1941.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import highspy
import numpy as np
from highspy._core import _Highs

from contracts.configurator import Factory
from contracts.errors import BadData, UnexpectedError

TIE_BREAK = 1e-3
NEGLIGIBLE = 1e-6
"""Fewer boxes than this are the solver's rounding: its feasibility tolerance is 1e-7."""


@dataclass(frozen=True)
class Allocation:
    """Boxes a week that one factory cooks for one region."""

    factory: str
    region: str
    boxes: float


def allocate(week: date, factories: Sequence[Factory], volume: dict[str, float]) -> tuple[Allocation, ...]:
    """Who cooks what in one week; `volume` is boxes by region, each region a factory's own.

    Gives every region at its home factory, even with 0 boxes, and elsewhere where boxes go there. The same input gives the
    same answer: one thread, a fixed seed, regions and factories in sorted order.

    Raises BadData when the caps together hold less than the volume. Since any factory may cook for any region, that is the
    only way the problem can be infeasible.
    """
    check_caps(week, factories, volume)
    in_order = sorted(factories, key=lambda factory: factory.key)
    regions = sorted(volume)
    boxes = _solve(in_order, regions, volume)
    return tuple(
        Allocation(factory.key, region, amount if amount > NEGLIGIBLE else 0.0)
        for factory, row in zip(in_order, boxes, strict=True)
        for region, amount in zip(regions, row, strict=True)
        if amount > NEGLIGIBLE or region in factory.regions
    )


def check_caps(week: date, factories: Sequence[Factory], volume: dict[str, float]) -> None:
    """Raises BadData naming the week, the factories and the one furthest over its own cap."""
    total = math.fsum(volume.values())
    capacity = math.fsum(factory.weekly_cap for factory in factories)
    if total <= capacity:
        return
    tightest = max(factories, key=lambda f: math.fsum(volume.get(r, 0.0) for r in f.regions) - f.weekly_cap)
    raise BadData(
        f"caps cannot hold week {week}: {_names(factories)} {capacity:,.0f} boxes, the volume is {total:,.0f} "
        f"({math.ceil(total - capacity):,} over; tightest: {tightest.key}): raise weekly_cap or load another factory"
    )


def _solve(factories: Sequence[Factory], regions: Sequence[str], volume: dict[str, float]) -> list[list[float]]:
    """Boxes by factory (row) and region (column), in the order given."""
    count, width = len(factories), len(regions)
    column = np.arange(count * width, dtype=np.int32).reshape(count, width)
    solver = _solver()
    for f, factory in enumerate(factories):
        for r in range(width):
            solver.addCol(_cost(f, r, count, regions, factory), 0.0, highspy.kHighsInf, 0, [], [])
    for r, region in enumerate(regions):
        solver.addRow(volume[region], volume[region], count, column[:, r], np.ones(count))
    for f, factory in enumerate(factories):
        solver.addRow(-highspy.kHighsInf, factory.weekly_cap, width, column[f], np.ones(width))
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise UnexpectedError(f"HiGHS ended with {solver.modelStatusToString(status)} on a feasible problem")
    values = list(solver.getSolution().col_value)
    return [values[f * width : (f + 1) * width] for f in range(count)]


def _solver() -> _Highs:
    # The base class, because the constructor of `Highs` writes a banner to the standard output, where log lines go.
    solver = _Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    solver.setOptionValue("solver", "simplex")
    return solver


def _cost(f: int, r: int, count: int, regions: Sequence[str], factory: Factory) -> float:
    """Cost of a box of region number r in factory number f.

    Elsewhere than at home, 1 plus at most `TIE_BREAK`. Two best answers differ by exchanges along a cycle of at most twice
    as many legs as there are factories, so below 500 factories the tie-breaks never outweigh one box more away from home.
    A product of the ranks, as a sum of a factory's and a region's part would cost the same in all answers.
    """
    if regions[r] in factory.regions:
        return 0.0
    return 1.0 + TIE_BREAK * (f + 1) * (r + 1) / (count * len(regions))


def _names(factories: Sequence[Factory]) -> str:
    *others, last = sorted(factory.key for factory in factories)
    return f"factories {', '.join(others)} and {last} pack" if others else f"factory {last} packs"
