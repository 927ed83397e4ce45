"""Price and promotion as numbers that attraction can depend on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]

FEATURES = ("price", "emailer", "homepage")
"""The logarithm of the price over the base price; whether the recipe is in the e-mail, and on the homepage: 0 to 1."""


@dataclass(frozen=True)
class UsualPrices:
    """The mean logarithm of each recipe's prices: stands in for a base price nobody gave."""

    logs: Mapping[str, float]

    def features(self, offers: pa.Table) -> Floats:
        """Rows of `offers` (recipe, price, base_price, emailer, homepage) as the shape (rows, features).

        What is unknown is as usual: the base price, no promotion.
        """
        price, base = _logs(offers["price"]), _logs(offers["base_price"])
        usual = np.array([self.logs.get(recipe, np.nan) for recipe in offers["recipe"].to_pylist()], dtype=np.float64)
        relative = price - np.where(np.isnan(base), usual, base)
        promoted = [pc.fill_null(offers[name].cast(pa.float64()), 0.0).to_numpy() for name in FEATURES[1:]]
        return np.stack([np.nan_to_num(relative), *promoted], axis=-1)


def usual_prices(rows: pa.Table) -> UsualPrices:
    """From rows with the columns recipe and price."""
    logs = _logs(rows["price"])
    known = rows.append_column("log", pa.array(logs)).filter(pa.array(~np.isnan(logs)))
    means = known.group_by("recipe", use_threads=False).aggregate([("log", "mean")])
    return UsualPrices(dict(zip(means["recipe"].to_pylist(), means["log_mean"].to_pylist(), strict=True)))


def _logs(prices: pa.ChunkedArray) -> Floats:
    """NaN where the price is unknown or 0."""
    values = pc.fill_null(prices.cast(pa.float64()), np.nan).to_numpy()
    return np.log(np.where(values > 0, values, np.nan))
