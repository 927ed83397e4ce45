"""How wrong quantiles are."""

import numpy as np

from services.models.futures import Floats


def quantile_loss(actual: Floats, quantile: Floats, level: float) -> float:
    """2 * sum(level * max(actual - quantile, 0) + (1 - level) * max(quantile - actual, 0)): Amazon Forecast's, before it is
    divided by the sum of the actuals."""
    missed = actual - quantile
    return float(2 * np.maximum(level * missed, (level - 1) * missed).sum())
