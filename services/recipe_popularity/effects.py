"""What price and promotion do to a recipe's share, estimated from how the same recipe sold under different offers.

log orders = (what the week and region take) + (what the recipe takes in the region) + effects x offer + noise, by
weighted least squares. The first two parts are many and not asked for, so they are swept out of both sides by subtracting
their means in turn (Frisch, Waugh and Lovell; alternating projections: Guimaraes and Portugal 2010).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

SWEEPS = 30
RIDGE = 1e-6
"""Relative to the weights: an offer that never varied gets the effect 0 and no division by zero."""


def estimate_effects(orders: Floats, on_menu: Booleans, offers: Floats, weight: Floats) -> Floats:
    """One effect for each feature of `offers` (weeks, regions, recipes, features); `weight` is of each week.

    A price above the usual can only deter, a promotion only attract: an effect with the other sign is taken for noise.
    """
    weights = on_menu * weight[:, None, None]
    target = _swept(np.log1p(orders), on_menu, weights)[on_menu]
    columns = [_swept(offers[..., each], on_menu, weights)[on_menu] for each in range(offers.shape[-1])]
    design = np.stack(columns, axis=1)
    scaled = design * weights[on_menu][:, None]
    # einsum adds in one fixed order; a threaded matrix product might not.
    normal = np.einsum("nf,ng->fg", scaled, design) + RIDGE * weights.sum() * np.eye(len(columns))
    effects = np.linalg.solve(normal, np.einsum("nf,n->f", scaled, target))
    signs = np.array([-1.0] + [1.0] * (len(columns) - 1))
    plausible: Floats = signs * np.maximum(signs * effects, 0.0)
    return plausible


def _swept(values: Floats, on_menu: Booleans, weights: Floats) -> Floats:
    """`values` less their weighted means over the recipes of each menu, and over the weeks of each recipe and region."""
    left = np.where(on_menu, values, 0.0)
    for _ in range(SWEEPS):
        for axis in (2, 0):
            total = np.maximum(weights.sum(axis=axis, keepdims=True), 1e-300)
            left = np.where(on_menu, left - (left * weights).sum(axis=axis, keepdims=True) / total, 0.0)
    return left
