"""v2: whole boxes of two to four recipes, none twice in a box.

A recipe can be in every box only once: where v1's share of a very popular one goes on growing, here the rest of the menu
gets the orders. Boxes are drawn by systematic sampling (Madow 1949, "On the theory of systematic sampling, II"),
which puts each recipe in a box with exactly the probability asked for: size * share, as far as this is at most 1.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from contracts.errors import BadData
from services.order_simulator.demand import Floats, RegionDemand, draw_shares, keep_mean

Sizes = Mapping[int, float]
"""The probability of each box size, in recipes."""

SMALLEST, LARGEST = 2, 4
"""Recipes in a box."""

MAX_BOXES = 1000
"""Boxes packed per region and draw. A larger volume is simulated by so many, see `_orders_of_draw`."""

_GRID = 2**32

_SMALLEST_SHARE = 1e-12
"""A draw may round a share to zero, and too few recipes would be left to fill a box."""


def whole_box_orders(demand: RegionDemand, recipes_per_box: float, volume: Floats, rng: np.random.Generator) -> Floats:
    """Orders with the shape (draws, recipes); `volume` is boxes in each draw.

    Raises BadData when `recipes_per_box` is not between 2 and 4.
    """
    sizes = size_probabilities(recipes_per_box, len(demand.recipes))
    boxes = np.rint(volume)
    shares = draw_shares(demand, rng)
    inclusions = np.stack([inclusion(shares, size) for size in sizes], axis=1)
    orders = np.stack([_orders_of_draw(*draw, sizes, rng) for draw in zip(boxes, inclusions, strict=True)])
    forecast = np.stack([inclusion(demand.shares[None, :], size)[0] for size in sizes])
    return keep_mean(orders, demand.mean * _per_box(sizes, forecast))


def size_probabilities(recipes_per_box: float, menu_size: int) -> Sizes:
    """How likely each box size is: 2 plus a binomial of two trials, whose mean is `recipes_per_box`.

    A box holds the whole menu at most. Raises BadData when no mix of sizes has this mean.
    """
    if not SMALLEST <= recipes_per_box <= LARGEST:
        raise BadData(
            f"boxes of {SMALLEST} to {LARGEST} recipes cannot hold {recipes_per_box:g} on average: load the history with "
            f"another ratio of recipes per box, or run with order-simulator v1"
        )
    more = (recipes_per_box - SMALLEST) / (LARGEST - SMALLEST)
    sizes: dict[int, float] = {}
    for size, chance in ((2, (1 - more) ** 2), (3, 2 * more * (1 - more)), (4, more**2)):
        fitting = min(size, menu_size)
        sizes[fitting] = sizes.get(fitting, 0.0) + chance
    return sizes


def inclusion(shares: Floats, size: int) -> Floats:
    """The probability that a box of `size` recipes holds each recipe; both have the shape (draws, recipes).

    Proportional to the share, at most 1, summing to `size`: what the most popular recipes cannot take goes to the others.
    """
    if shares.shape[1] <= size:
        return np.ones_like(shares)
    shares = np.maximum(shares, _SMALLEST_SHARE)
    certain = np.zeros(shares.shape, dtype=np.bool_)
    while True:
        free = np.where(certain, 0.0, shares)
        room = size - certain.sum(axis=1, keepdims=True)
        chance = np.where(certain, 1.0, free * (room / free.sum(axis=1, keepdims=True)))
        if not (chance > 1).any():
            return chance
        certain |= chance > 1


def pack(chance: Floats, size: int, boxes: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The recipes of so many boxes, with the shape (boxes, size): never one twice in a box.

    Laid end to end, the probabilities cover the line from 0 to `size`; a random start in [0, 1) and every whole step
    from there pick the recipes. No stretch is longer than 1, so none is hit twice.
    """
    order = rng.permutation(len(chance))
    ends = np.cumsum(chance[order])
    ends[-1] = size
    # Starts on a coarse grid add up without rounding, so two hits are exactly 1 apart.
    starts = rng.integers(_GRID, size=boxes) / _GRID
    hits = starts[:, None] + np.arange(size)
    picked: npt.NDArray[np.int64] = order[np.searchsorted(ends, hits, side="right")]
    return picked


def _per_box(sizes: Sizes, inclusions: Floats) -> Floats:
    """How often a box holds each recipe on average; `inclusions` has the shape (sizes, recipes)."""
    held: Floats = np.einsum("s,sr->r", np.array(list(sizes.values())), inclusions)
    return held


def _orders_of_draw(boxes: float, inclusions: Floats, sizes: Sizes, rng: np.random.Generator) -> Floats:
    """Orders of each recipe in one draw of `boxes` boxes; `inclusions` has the shape (sizes, recipes).

    Up to `MAX_BOXES` boxes are packed and counted. Of more, so many are packed, and their deviation from the expected
    count is scaled by the square root of what each stands for: mean, variance and covariance are then those of all boxes.
    """
    packed = int(min(boxes, MAX_BOXES))
    counted = np.zeros(inclusions.shape[1])
    for size, chance, count in zip(sizes, inclusions, rng.multinomial(packed, list(sizes.values())), strict=True):
        counted += np.bincount(pack(chance, size, count, rng).ravel(), minlength=len(counted))
    if packed == boxes:
        return counted
    per_box = _per_box(sizes, inclusions)
    scaled: Floats = boxes * per_box + (counted - packed * per_box) * np.sqrt(boxes / packed)
    return scaled
