"""How attractive each recipe is beside the others on its menu, and how much that moves from week to week.

A recipe's *lift* is its orders relative to those of the average recipe of the same week and region: 2 is ordered twice
as often. Menus of different sizes become comparable, and a recipe nobody has seen gets the lift of its like. The shares of
a coming menu are the lifts of its recipes, divided by their sum.

Lifts are smoothed downwards, each level towards the one above it: everything (1), category, category and cuisine, recipe,
recipe in one region. This is the posterior mean of a Gamma prior on Poisson counts (equally, of a Dirichlet prior on
multinomial ones), with `PRIOR_ORDERS` as the weight of the prior.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recipe_popularity.history import MenuHistory

Floats = npt.NDArray[np.float64]

HALF_LIFE = 8.0
"""Weeks after which a week's orders count half."""

PRIOR_ORDERS = 100.0
"""As many recent orders of an average recipe weigh as much as the prior."""

DEFAULT_CONCENTRATION = 100.0
"""Where no two weeks of history can be compared: a share of 5 % then varies by 2.2 points."""

CONCENTRATION_BOUNDS = (20.0, 5000.0)
"""Below, a week's shares would be nearly arbitrary; above, they would not vary at all."""


@dataclass(frozen=True)
class Lifts:
    """Smoothed lifts of the recipes seen, with the shape (regions, recipes), and of their kinds, for the unseen."""

    by_recipe: Floats
    by_kind: Mapping[tuple[str, str], float]
    by_category: Mapping[str, float]

    def of_unseen(self, kind: tuple[str, str]) -> float:
        """The lift of a recipe without history: its kind's, else its category's, else 1."""
        return self.by_kind.get(kind, self.by_category.get(kind[0], 1.0))


def estimate_lifts(history: MenuHistory, kinds: Sequence[tuple[str, str]]) -> Lifts:
    """`kinds` holds category and cuisine of each of the history's recipes."""
    weight = 0.5 ** (history.ages / HALF_LIFE)
    menu_size = np.maximum(history.on_menu.sum(axis=2, keepdims=True), 1)
    average = history.orders.sum(axis=2, keepdims=True) / menu_size * history.on_menu
    orders = np.einsum("w,wnr->nr", weight, history.orders)
    expected = np.einsum("w,wnr->nr", weight, average)

    by_category: dict[str, float] = {}
    by_kind: dict[tuple[str, str], float] = {}
    recipe_prior = np.ones(len(kinds))
    for category in sorted({category for category, _ in kinds}):
        inside = np.array([kind[0] == category for kind in kinds])
        by_category[category] = float(smooth(orders[:, inside].sum(), expected[:, inside].sum(), 1.0))
    for kind in sorted(set(kinds)):
        inside = np.array([each == kind for each in kinds])
        prior = by_category[kind[0]]
        by_kind[kind] = float(smooth(orders[:, inside].sum(), expected[:, inside].sum(), prior))
        recipe_prior[inside] = by_kind[kind]
    everywhere = smooth(orders.sum(axis=0), expected.sum(axis=0), recipe_prior)
    return Lifts(smooth(orders, expected, everywhere), by_kind, by_category)


def smooth(orders: Floats, expected: Floats, prior: Floats | float) -> Floats:
    """The lift seen, `orders / expected`, drawn towards the prior; always above zero when the prior is."""
    return (orders + PRIOR_ORDERS * prior) / (expected + PRIOR_ORDERS)


def concentration(orders: Floats, on_menu: npt.NDArray[np.bool_]) -> float:
    """How tightly one region's weekly shares keep together, as the concentration of a Dirichlet.

    `orders` and `on_menu` have the shape (weeks, recipes). Method of moments: a Dirichlet share s has the variance
    s (1 - s) / (c + 1), so between two weeks, over the recipes on both menus, the squared difference is expected to be
    twice that. Summed over recipes and over all pairs of successive weeks, and kept within `CONCENTRATION_BOUNDS`.
    """
    spread = moved = 0.0
    for week in range(1, len(orders)):
        both = on_menu[week - 1] & on_menu[week]
        before, after = orders[week - 1, both], orders[week, both]
        if before.sum() <= 0 or after.sum() <= 0:
            continue
        before, after = before / before.sum(), after / after.sum()
        middle = (before + after) / 2
        spread += 2 * float((middle * (1 - middle)).sum())
        moved += float(((after - before) ** 2).sum())
    if spread == 0:
        return DEFAULT_CONCENTRATION
    low, high = CONCENTRATION_BOUNDS
    return min(max(spread / moved - 1, low), high) if moved > 0 else high
