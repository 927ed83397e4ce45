"""How far shares come to lie from their forecast, learned by forecasting weeks of the history from the weeks before them.

What a model misses in the weeks it was fitted to says too little: it has seen their noise, and it knew what each region paid
where a plan knows one offer for everywhere. So at each of the last `ORIGINS` weeks the model is fitted to the weeks before,
and the shares it gives the next `AHEAD` weeks are compared with those that came.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.recipe_popularity.history import MenuHistory
from services.recipe_popularity.model import HALF_LIFE, Kind, learn, pull_of, shares_of

Floats = npt.NDArray[np.float64]

ORIGINS = 8
AHEAD = 4
"""Weeks compared from each origin: as many as a plan usually covers."""

ENOUGH = 10
"""Shares a region must have had compared for a spread of its own. One with fewer takes that of all regions."""

COUNTABLE = 1.0
"""Orders a recipe must be expected to get in a week for its miss to say something."""

DEFAULT_SPREAD = 0.5
"""Where no two weeks of history can be compared: a share then lies within a factor of 1.9, eight times in ten."""

SPREAD_BOUNDS = (0.05, 1.5)
"""Below, shares would not vary at all; above, they would be nearly arbitrary."""


def spreads(history: MenuHistory, kinds: Sequence[Kind], with_offers: bool) -> Floats:
    """Each region's standard deviation of log(share / forecast share), less what counting orders explains.

    Of recipes that the region offered. The logarithm of a Poisson count with the mean m varies by about 1 / m by itself, and
    the simulation counts again. Kept within `SPREAD_BOUNDS`.
    """
    weeks = len(history.ages)
    origins = range(max(1, weeks - ORIGINS), weeks)
    if not origins:
        return np.full(len(history.regions), DEFAULT_SPREAD)
    expected = np.concatenate([_forecast(history, known, kinds, with_offers) for known in origins])
    week = np.concatenate([np.arange(weeks)[known : known + AHEAD] for known in origins])
    weights = (0.5 ** (history.ages[week] / HALF_LIFE))[:, None, None] * (expected >= COUNTABLE)
    missed = np.log(history.orders[week] + 0.5) - np.log(expected + 0.5)
    total = weights.sum(axis=(0, 2))
    middle = (weights * missed).sum(axis=(0, 2)) / np.maximum(total, 1e-300)
    squares = (weights * ((missed - middle[:, None]) ** 2 - 1 / (expected + 0.5))).sum(axis=(0, 2))
    enough = np.count_nonzero(weights, axis=(0, 2)) >= ENOUGH
    everywhere = squares.sum() / total.sum() if total.any() else DEFAULT_SPREAD**2
    variance = np.where(enough, squares / np.maximum(total, 1e-300), everywhere)
    found: Floats = np.clip(np.sqrt(np.maximum(variance, 0.0)), *SPREAD_BOUNDS)
    return found


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
