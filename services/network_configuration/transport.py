"""The transport problem of one week: every region's boxes to factories, under their caps, as few as possible away from home.

    minimise    sum over f, r of cost[f, r] * boxes[f, r] + STAY * moved[f, r]
    subject to  sum over f of boxes[f, r] = volume[r]                            for each region r
                sum over r of boxes[f, r] <= cap[f]                              for each factory f
                boxes[f, r] - moved[f, r] <= before[f, r] * volume[r]            for each of both
                boxes, moved >= 0

A box costs 0 at the region's home factory and `AWAY` elsewhere, plus a tie-break (see `_cost`). `before` is each factory's
share of the region in the network before. The textbook transportation problem (F. L. Hitchcock, "The Distribution of a
Product from Several Sources to Numerous Localities", 1941) with a price on moving.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import highspy
import numpy as np
from highspy._core import _Highs

from contracts.configurator import Factory
from contracts.errors import BadData, UnexpectedError

AWAY = 1000.0
STAY = 10.0
"""Of a box that a factory did not cook before. Far below `AWAY`: among the networks with the fewest boxes away from home, the
one that moves the fewest is taken. So a region is never kept away from home to spare it a move."""

TIE_BREAK = 0.1
NEGLIGIBLE = 1e-6
"""Fewer boxes than this are the solver's rounding: its feasibility tolerance is 1e-7."""


@dataclass(frozen=True)
class Allocation:
    """Boxes a week that one factory cooks for one region."""

    factory: str
    region: str
    boxes: float


Shares = Mapping[tuple[str, str], float]
"""By factory and region, the part of the region's boxes."""


def allocate(
    week: date, factories: Sequence[Factory], volume: dict[str, float], before: Shares | None = None
) -> tuple[Allocation, ...]:
    """Who cooks what in one week; `volume` is boxes by region, each region a factory's own.

    `before` is the network to stay close to. A region it does not have may go anywhere at no cost of moving.

    Gives every region at its home factory, even with 0 boxes, and elsewhere where boxes go there. The same input gives the
    same answer: one thread, a fixed seed, regions and factories in sorted order.

    Raises BadData when the caps together hold less than the volume. Since any factory may cook for any region, that is the
    only way the problem can be infeasible.
    """
    check_caps(week, factories, volume)
    in_order = sorted(factories, key=lambda factory: factory.key)
    regions = sorted(volume)
    boxes = _solve(in_order, regions, volume, before or {})
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
    over = {f.key: math.fsum(volume.get(r, 0.0) for r in f.regions) - f.weekly_cap for f in factories}
    tightest = max(sorted(over), key=lambda key: over[key])
    raise BadData(
        f"caps cannot hold week {week}: {_names(factories)} {capacity:,.0f} boxes, the volume is {total:,.0f} "
        f"({math.ceil(total - capacity):,} over; tightest: {tightest}, whose own regions are {over[tightest]:,.0f} over "
        f"its cap): raise weekly_cap or load another factory"
    )


def shares_of(allocations: Iterable[Allocation]) -> Shares:
    """Regions without boxes are left out."""
    allocations = tuple(allocations)
    totals: defaultdict[str, float] = defaultdict(float)
    for each in allocations:
        totals[each.region] += each.boxes
    return {
        (each.factory, each.region): each.boxes / totals[each.region] for each in allocations if totals[each.region]
    }


def _solve(
    factories: Sequence[Factory], regions: Sequence[str], volume: dict[str, float], before: Shares
) -> list[list[float]]:
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
    known = {region for _, region in before}
    for f, factory in enumerate(factories):
        for r, region in enumerate(regions):
            if region in known:
                stayed = before.get((factory.key, region), 0.0) * volume[region]
                # Its column is the next after the last, and takes part in one row only, the one below.
                moved = solver.getNumCol()
                solver.addCol(STAY, 0.0, highspy.kHighsInf, 0, [], [])
                both = np.array([column[f, r], moved], dtype=np.int32)
                solver.addRow(-highspy.kHighsInf, stayed, 2, both, np.array([1.0, -1.0]))
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

    Elsewhere than at home, `AWAY` plus at most `TIE_BREAK`. Two best answers differ by exchanges along a cycle of at most
    twice as many legs as there are factories, so below 50 factories neither tie-breaks nor moves outweigh one box more away
    from home, nor tie-breaks a move.
    A product of the ranks, as a sum of a factory's and a region's part would cost the same in all answers.
    """
    if regions[r] in factory.regions:
        return 0.0
    return AWAY + TIE_BREAK * (f + 1) * (r + 1) / (count * len(regions))


def _names(factories: Sequence[Factory]) -> str:
    *others, last = sorted(factory.key for factory in factories)
    return f"factories {', '.join(others)} and {last} pack" if others else f"factory {last} packs"
