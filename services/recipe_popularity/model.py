"""How attractive each recipe is beside the others on its menu.

A share model: in each week and region a recipe's share of the orders is its attraction over the sum of the menu's, so what
else is on the menu counts. Attraction is the recipe's *lift* (2 attracts twice as much as the average recipe) times what its
price and promotion do to it (`effects.py`).

Lifts are smoothed downwards, each level towards the one above it: everything (1), category, category and cuisine, recipe,
recipe in one region. This is the posterior mean of a Gamma prior on Poisson counts with `PRIOR_ORDERS` as its weight,
repeated until lifts and the orders they make one expect agree (the minorisation-maximisation of Hunter 2004, "MM algorithms
for generalized Bradley-Terry models").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recipe_popularity.effects import estimate_effects
from services.recipe_popularity.history import MenuHistory

Floats = npt.NDArray[np.float64]
Kind = tuple[str, str]

HALF_LIFE = 13.0
"""Weeks after which a week's orders count half."""

PRIOR_ORDERS = 100.0
"""As many recent orders of an average recipe weigh as much as the prior."""

PRIOR_WEEKS = 0.005
"""A recipe on the menu so many weeks elsewhere and never here takes half of what it would take if it were offered here.

It is seldom offered later, and then by few centres: see docs/accuracy.md.
"""

ROUNDS = 10


@dataclass(frozen=True)
class Lifts:
    """Smoothed lifts of the recipes seen, with the shape (regions, recipes), and of their kinds, for the unseen."""

    by_recipe: Floats
    by_kind: Mapping[Kind, float]
    by_category: Mapping[str, float]

    def of_unseen(self, kind: Kind) -> float:
        """The lift of a recipe without history: its kind's, else its category's, else 1."""
        return self.by_kind.get(kind, self.by_category.get(kind[0], 1.0))


@dataclass(frozen=True)
class Attraction:
    """What was learned.

    `effects` are of the offers' features. `available` is the probability that a region offers a recipe of the menu, with the
    shape (regions, recipes).
    """

    lifts: Lifts
    effects: Floats
    available: Floats


def learn(history: MenuHistory, kinds: Sequence[Kind], with_offers: bool) -> Attraction:
    """`kinds` holds category and cuisine of each of the history's recipes.

    `with_offers` says whether the coming offers are known. If not, lifts are of the recipe as it was offered on average.
    """
    weight = 0.5 ** (history.ages / HALF_LIFE)
    effects = np.zeros(history.offers.shape[-1])
    if with_offers:
        effects = estimate_effects(history.orders, history.on_menu, history.offers, weight)
    pull = history.on_menu * pull_of(history.offers, effects)
    total = history.orders.sum(axis=2, keepdims=True)
    orders = np.einsum("w,wnr->nr", weight, history.orders)
    lifts = Lifts(np.ones(orders.shape), {}, {})
    for _ in range(ROUNDS):
        expected = np.einsum("w,wnr->nr", weight, total * pull / _menu_sums(pull * lifts.by_recipe))
        lifts = smoothed(orders, expected, kinds)
    return Attraction(lifts, effects, _availability(history.on_menu, weight))


def shares_of(attraction: Floats) -> Floats:
    """Each recipe's part of its menu's attraction; the last axis are recipes. All 0 where nothing was on the menu."""
    shares: Floats = attraction / _menu_sums(attraction)
    return shares


def pull_of(offers: Floats, effects: Floats) -> Floats:
    """How much more an offer attracts than the usual one; `offers` has the features as its last axis."""
    # einsum adds in one fixed order; a threaded matrix product might not.
    pull: Floats = np.exp(np.einsum("...f,f->...", offers, effects))
    return pull


def smoothed(orders: Floats, expected: Floats, kinds: Sequence[Kind]) -> Lifts:
    """Lifts from orders and the orders of a recipe of lift 1, both with the shape (regions, recipes).

    The geometric mean of the lifts is 1, the lift of which the prior of everything speaks.
    """
    by_category: dict[str, float] = {}
    by_kind: dict[Kind, float] = {}
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
    by_recipe = smooth(orders, expected, everywhere)
    middle = float(np.exp(np.log(by_recipe).mean()))
    return Lifts(
        by_recipe / middle,
        {kind: lift / middle for kind, lift in by_kind.items()},
        {category: lift / middle for category, lift in by_category.items()},
    )


def smooth(orders: Floats, expected: Floats, prior: Floats | float) -> Floats:
    """The lift seen, `orders / expected`, drawn towards the prior; always above zero when the prior is."""
    return (orders + PRIOR_ORDERS * prior) / (expected + PRIOR_ORDERS)


def _availability(on_menu: npt.NDArray[np.bool_], weight: Floats) -> Floats:
    here = np.einsum("w,wnr->nr", weight, on_menu)
    anywhere = np.einsum("w,wr->r", weight, on_menu.any(axis=1))
    available: Floats = (here + PRIOR_WEEKS) / (anywhere + PRIOR_WEEKS)
    return available


def _menu_sums(attraction: Floats) -> Floats:
    """Per week and region; above 0 also where nothing was on the menu."""
    sums: Floats = np.maximum(attraction.sum(axis=-1, keepdims=True), 1e-300)
    return sums
