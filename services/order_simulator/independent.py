"""v1: each recipe's orders are drawn on their own."""

import numpy as np

from services.order_simulator.demand import Floats, RegionDemand, draw_shares, keep_mean


def independent_orders(
    demand: RegionDemand, recipes_per_box: float, volume: Floats, rng: np.random.Generator
) -> Floats:
    """Orders with the shape (draws, recipes): Poisson around volume * recipes per box * share of each draw.

    `volume` is boxes in each draw.
    """
    expected = volume[:, None] * recipes_per_box * draw_shares(demand, rng)
    orders = rng.poisson(expected).astype(np.float64)
    return keep_mean(orders, demand.mean * recipes_per_box * demand.shares)
