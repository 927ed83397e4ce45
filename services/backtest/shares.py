"""Take rates beside what came: shares of a menu, weighed by the orders its week and region really had."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.backtest.baselines import NAMES, baselines, scale
from services.backtest.cases import Cases, Truth, truth
from services.backtest.history import Origin

Floats = npt.NDArray[np.float64]

DRAWS = 1000


def add_shares(cases: Cases, popularity: pa.Table, origin: Origin) -> None:
    """Orders by region and recipe, had the region's total been known. Weeks without orders in a region are left out."""
    orders, totals = truth(origin, ["region", "recipe"]), truth(origin, ["region"])
    rng = np.random.default_rng(1)
    rows = popularity.to_pylist()
    for (week, region), group in groupby(rows, key=lambda row: (row["week"], row["region"])):
        total = totals.actual((region,), week)
        menu = list(group)
        if total > 0:
            shares = np.array([row["share"] for row in menu])
            quantiles = order_quantiles(shares * total, menu[0]["spread"], rng)
            recipes = [row["recipe"] for row in menu]
            others = _baselines(region, recipes, week, orders, totals.past((region,)))
            for column, recipe in enumerate(recipes):
                cases.add_with(
                    orders.actual((region, recipe), week),
                    dict(zip(("p10", "p50", "p90"), quantiles[:, column], strict=True)),
                    scale(orders.past((region, recipe))),
                    {name: values[column] * total for name, values in others.items()},
                )


def order_quantiles(expected: Floats, spread: float, rng: np.random.Generator) -> Floats:
    """P10, P50 and P90 of each recipe's orders, with the shape (3, recipes): shares as the contract has them drawn, counted."""
    drawn = expected * np.exp(spread * rng.standard_normal((DRAWS, len(expected))))
    drawn *= expected.sum() / drawn.sum(axis=1, keepdims=True)
    orders = rng.poisson(drawn * (expected / drawn.mean(axis=0)))
    found: Floats = np.quantile(orders, [0.1, 0.5, 0.9], axis=0)
    return found


def _baselines(region: str, recipes: list[str], week: date, orders: Truth, total: Floats) -> Mapping[str, Floats]:
    """Each baseline applied to past shares, then brought to a sum of 1 over the menu."""
    with np.errstate(divide="ignore", invalid="ignore"):
        past = [np.where(total > 0, orders.past((region, recipe)) / total, np.nan) for recipe in recipes]
    found = [baselines(shares, orders.step(week), 1 / len(recipes)) for shares in past]
    raw = {name: np.array([each[name] for each in found]) for name in NAMES}
    return {name: values / max(values.sum(), 1e-12) for name, values in raw.items()}
