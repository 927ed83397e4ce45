"""Why a week cannot be cooked: which factories are too small for what only they can cook, and by how much.

Asked for the least that is left uncooked, the linear program's duals are 0 or 1, as in all transport problems: the caps with
a dual of 1 are those of the factories where one box more of capacity leaves one box less uncooked (max-flow min-cut,
L. R. Ford and D. R. Fulkerson 1956). What only they can cook exceeds their caps by just that least.
"""

import math
from collections.abc import Sequence

import numpy as np

from contracts.configurator import Factory
from services.network_configuration.demand import Demand, Unable
from services.network_configuration.solver import transport_problem

_NAMED = 3
"""Recipes that a message names."""


def explain(demand: Demand, factories: Sequence[Factory]) -> str:
    """What makes the week infeasible, and what to do."""
    binding = _binding(demand, factories)
    keys = {factory.key for factory in binding}
    groups = [unable for unable in demand.recipes if {f.key for f in factories} - set(unable) <= keys]
    wanted = math.fsum(boxes for lot, boxes in demand.boxes.items() if lot.unable in groups)
    capacity = math.fsum(factory.weekly_cap for factory in binding)
    over = f"{max(math.ceil(wanted - capacity), 1):,} over"
    start = f"caps cannot hold week {demand.week}: {_names(binding)} {capacity:,.0f} boxes"
    if len(binding) == len(factories):
        return (
            f"{start}, the volume is {wanted:,.0f} ({over}; {_tightest(demand, factories)}): "
            f"raise weekly_cap or load another factory"
        )
    return (
        f"{start}, what no other factory can cook is {wanted:,.0f} ({over}; {_recipes(demand, groups)}): "
        f"raise weekly_cap there, take rows out of cannot_cook.csv or recipes off the menu"
    )


def _binding(demand: Demand, factories: Sequence[Factory]) -> list[Factory]:
    """Sorted. All of them when the caps are short by less than the solver sees."""
    in_order = sorted(factories, key=lambda factory: factory.key)
    wanted = {
        unable: math.fsum(boxes for lot, boxes in demand.boxes.items() if lot.unable == unable)
        for unable in demand.recipes
    }
    able = np.array([[factory.key not in unable for unable in wanted] for factory in in_order])
    # A last factory without a cap stands for what is left uncooked.
    everything = np.vstack([able, np.ones((1, len(wanted)), dtype=np.bool_)])
    cost = np.vstack([np.zeros(able.shape), np.ones((1, len(wanted)))])
    caps = [*(factory.weekly_cap for factory in in_order), math.inf]
    problem = transport_problem(cost, everything, list(wanted.values()), caps)
    problem.run()
    duals = problem.getSolution().row_dual[len(wanted) : -1]
    return [factory for factory, dual in zip(in_order, duals, strict=True) if dual < -0.5] or in_order


def _tightest(demand: Demand, factories: Sequence[Factory]) -> str:
    """The factory furthest over its own cap."""
    over = {
        factory.key: math.fsum(boxes for lot, boxes in demand.boxes.items() if lot.region in factory.regions)
        - factory.weekly_cap
        for factory in factories
    }
    key = max(sorted(over), key=lambda key: over[key])
    return f"tightest: {key}, whose own regions are {over[key]:,.0f} over its cap"


def _recipes(demand: Demand, groups: Sequence[Unable]) -> str:
    recipes = sorted(recipe for group in groups for recipe in demand.recipes[group])
    more = len(recipes) - _NAMED
    return ", ".join(recipes[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _names(factories: Sequence[Factory]) -> str:
    *others, last = [factory.key for factory in factories]
    return f"factories {', '.join(others)} and {last} pack" if others else f"factory {last} packs"
