"""The transport problem of one week: every region's boxes to factories that can cook them, under their caps, at the least cost.

    minimise    sum over f, l of cost[f, l] * boxes[f, l] + STAY * moved[f, l]
    subject to  sum over f of boxes[f, l] = volume[l]                            for each lot l
                sum over l of boxes[f, l] <= cap[f]                              for each factory f
                boxes[f, l] - moved[f, l] <= before[f, l] * volume[l]            for each of both
                boxes, moved >= 0, and boxes[f, l] = 0 where f cannot cook l

A lot is a region's boxes of the recipes that the same factories can cook; where every factory cooks everything, that is the
region. `before` is each factory's share of the lot in the network before. The textbook transportation problem (F. L.
Hitchcock, "The Distribution of a Product from Several Sources to Numerous Localities", 1941) with a price on moving.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import highspy
import numpy as np

from contracts.configurator import Factory
from contracts.errors import BadData, UnexpectedError
from services.network_configuration.demand import Costs, Demand, Lot, Unable
from services.network_configuration.shortage import explain
from services.network_configuration.solver import Floats, transport_problem

AWAY = 1000.0
"""Of a box away from home where no costs are loaded; the median cost of a box where they are."""

STAY = 10.0
"""Of a box that a factory did not cook before. Far below `AWAY`: among the networks with the fewest boxes away from home, the
one that moves the fewest is taken. So a region is never kept away from home to spare it a move. With costs, a box moves when
that saves more than one percent of what a box costs."""

TIE_BREAK = 0.1
NEGLIGIBLE = 1e-6
"""Fewer boxes than this are the solver's rounding: its feasibility tolerance is 1e-7."""


@dataclass(frozen=True)
class Allocation:
    """Boxes a week that one factory cooks for one region, of recipes that the factories in `unable` cannot cook."""

    factory: str
    region: str
    boxes: float
    unable: Unable = ()

    @property
    def lot(self) -> Lot:
        return Lot(self.region, self.unable)


Shares = Mapping[tuple[str, Lot], float]
"""By factory and lot, the part of the lot's boxes."""


def allocate(
    demand: Demand, factories: Sequence[Factory], costs: Costs | None = None, before: Shares | None = None
) -> tuple[Allocation, ...]:
    """Who cooks what in one week; each region of `demand` is a factory's own. Without `costs`, home is cheap and away is dear.

    `before` is the network to stay close to. A lot it does not have may go anywhere at no cost of moving.

    Gives every lot at its region's home factory, if that can cook it, even with 0 boxes, and elsewhere where boxes go there.
    The same input gives the same answer: one thread, a fixed seed, lots and factories in sorted order.

    Raises BadData when the caps do not hold the volume, or those of some factories not what only they can cook.
    """
    in_order = sorted(factories, key=lambda factory: factory.key)
    lots = sorted(demand.boxes)
    boxes = _solve(in_order, lots, demand, costs or {}, before or {})
    return tuple(
        Allocation(factory.key, lot.region, amount if amount > NEGLIGIBLE else 0.0, lot.unable)
        for factory, row in zip(in_order, boxes, strict=True)
        for lot, amount in zip(lots, row, strict=True)
        if amount > NEGLIGIBLE or (lot.region in factory.regions and factory.key not in lot.unable)
    )


def shares_of(allocations: Iterable[Allocation]) -> Shares:
    """Lots without boxes are left out."""
    allocations = tuple(allocations)
    totals: defaultdict[Lot, float] = defaultdict(float)
    for each in allocations:
        totals[each.lot] += each.boxes
    return {(each.factory, each.lot): each.boxes / totals[each.lot] for each in allocations if totals[each.lot]}


def _solve(
    factories: Sequence[Factory], lots: Sequence[Lot], demand: Demand, costs: Costs, before: Shares
) -> list[list[float]]:
    """Boxes by factory (row) and lot (column), in the order given."""
    able = np.array([[factory.key not in lot.unable for lot in lots] for factory in factories])
    caps = [factory.weekly_cap for factory in factories]
    problem = transport_problem(_costs(factories, lots, costs), able, [demand.boxes[lot] for lot in lots], caps)
    known = {lot for _, lot in before}
    for f, factory in enumerate(factories):
        for n, lot in enumerate(lots):
            if lot in known:
                stayed = before.get((factory.key, lot), 0.0) * demand.boxes[lot]
                # Its column is the next after the last, and takes part in one row only, the one below.
                moved = problem.getNumCol()
                problem.addCol(STAY, 0.0, highspy.kHighsInf, 0, [], [])
                both = np.array([f * len(lots) + n, moved], dtype=np.int32)
                problem.addRow(-highspy.kHighsInf, stayed, 2, both, np.array([1.0, -1.0]))
    problem.run()
    status = problem.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise BadData(explain(demand, factories))
    if status != highspy.HighsModelStatus.kOptimal:
        raise UnexpectedError(f"HiGHS ended with {problem.modelStatusToString(status)} on a transport problem")
    values = list(problem.getSolution().col_value)
    return [values[f * len(lots) : (f + 1) * len(lots)] for f in range(len(factories))]


def _costs(factories: Sequence[Factory], lots: Sequence[Lot], costs: Costs) -> Floats:
    """Cost of a box, with the shape (factories, lots): at home 0 and elsewhere `AWAY`, or what is loaded.

    Loaded costs are scaled so that their median, without those of 0, is `AWAY`: what a move costs means the same in every
    currency, and a cost so high that nobody should pay it does not shrink the others.

    Elsewhere than at home, plus at most `TIE_BREAK`. Two best answers differ by exchanges along a cycle of at most
    twice as many legs as there are factories, so below 50 factories neither tie-breaks nor moves outweigh one box more away
    from home, nor tie-breaks a move.
    A product of the ranks, as a sum of a factory's and a lot's part would cost the same in all answers.
    """
    scale = AWAY / median([cost for cost in costs.values() if cost] or [1.0])
    found = np.zeros((len(factories), len(lots)))
    for f, factory in enumerate(factories):
        for n, lot in enumerate(lots):
            home = lot.region in factory.regions
            cost = scale * costs[factory.key, lot.region] if costs else 0.0 if home else AWAY
            found[f, n] = cost + (0.0 if home else TIE_BREAK * (f + 1) * (n + 1) / found.size)
    return found
