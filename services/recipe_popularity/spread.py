"""How far shares come to lie from their forecast, learned by forecasting weeks of the history from the weeks before them.

What a model misses in the weeks it was fitted to says too little: it has seen their noise, and it knew what each region paid
where a plan knows one offer for everywhere. So at each of the last `ORIGINS` weeks the model is fitted to the weeks before,
and the shares it gives the next `AHEAD` weeks are compared with those that came.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from services.recipe_popularity.history import MenuHistory
from services.recipe_popularity.model import Kind, learn, pull_of, shares_of

Floats = npt.NDArray[np.float64]

ORIGINS = 8
AHEAD = 4
"""Weeks compared from each origin: as many as a plan usually covers."""

PRIOR_SHARES = 300
"""A region's spread is drawn towards that of all regions, which weighs as much as so many compared shares of its own."""

INSIDE = 0.8
Z90 = NormalDist().inv_cdf(0.9)

COUNTABLE = 1.0
"""Orders a recipe must be expected to get in a week for its miss to say something."""

DEFAULT_SPREAD = 0.5
"""Where no two weeks of history can be compared: a share then lies within a factor of 1.9, eight times in ten."""

SPREAD_BOUNDS = (0.05, 1.5)
"""Below, shares would not vary at all; above, they would be nearly arbitrary."""


def spreads(history: MenuHistory, kinds: Sequence[Kind], with_offers: bool) -> Floats:
    """Each region's standard deviation of log(share / forecast share), less what counting orders explains.

    It is the one whose P10 and P90 would have held eight in ten of the shares compared, of recipes that the region offered: the
    few that miss by far do not widen the band of all others. The logarithm of a Poisson count with the mean m varies by about
    1 / m by itself, and the simulation counts again. Kept within `SPREAD_BOUNDS`.
    """
    weeks = len(history.ages)
    origins = range(max(1, weeks - ORIGINS), weeks)
    if not origins:
        return np.full(len(history.regions), DEFAULT_SPREAD)
    expected = np.concatenate([_forecast(history, known, kinds, with_offers) for known in origins])
    came = np.concatenate([history.orders[known : known + AHEAD] for known in origins])
    needed = [_needed(came[:, region], expected[:, region]) for region in range(len(history.regions))]
    everywhere = np.concatenate(needed)
    prior = np.quantile(everywhere, INSIDE) if len(everywhere) else DEFAULT_SPREAD**2
    variances = [
        (len(own) * np.quantile(own, INSIDE) + PRIOR_SHARES * prior) / (len(own) + PRIOR_SHARES) if len(own) else prior
        for own in needed
    ]
    return np.clip(np.sqrt(np.maximum(variances, 0.0)), *SPREAD_BOUNDS)


def _needed(came: Floats, expected: Floats) -> Floats:
    """The variance each share would have needed to lie just at P10 or P90, around the median of what they missed."""
    compared = expected >= COUNTABLE
    came, expected = came[compared], expected[compared]
    if len(came) == 0:
        return came
    missed = np.log(came + 0.5) - np.log(expected + 0.5)
    needed: Floats = ((missed - np.median(missed)) / Z90) ** 2 - 1 / (expected + 0.5)
    return needed


def _forecast(history: MenuHistory, known: int, kinds: Sequence[Kind], with_offers: bool) -> Floats:
    """Orders expected in the `AHEAD` weeks after the first `known`, the totals given: (weeks, regions, recipes)."""
    learned = learn(history.until(known), kinds, with_offers)
    then = slice(known, known + AHEAD)
    on_menu = history.on_menu[then]
    offered = np.maximum(on_menu.sum(axis=1, keepdims=True), 1)[..., None]
    # As a plan has it: one offer for everywhere.
    offers = history.offers[then].sum(axis=1, keepdims=True) / offered
    shares = shares_of(on_menu * pull_of(offers, learned.effects) * learned.lifts.by_recipe)
    expected: Floats = shares * history.orders[then].sum(axis=2, keepdims=True)
    return expected
