"""Estimates with an interval: percentile bootstrap (B. Efron, "Bootstrap Methods", Annals of Statistics 7, 1979)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from orchestrator.compare.results import Estimate

CONFIDENCE = 0.95
RESAMPLES = 2_000


def quantile(values: Sequence[float], share: float, seed: int) -> Estimate | None:
    """None without a value."""

    def statistic(sample: Any, axis: int = -1) -> Any:
        return np.quantile(sample, share, axis=axis)

    return _estimate(values, statistic, seed)


def median(values: Sequence[float], seed: int) -> Estimate | None:
    return quantile(values, 0.5, seed)


def mean(values: Sequence[float], seed: int) -> Estimate | None:
    return _estimate(values, np.mean, seed)


def median_difference(ones: Sequence[float], others: Sequence[float], seed: int) -> Estimate | None:
    """How much larger the median of `ones` is than that of `others`: two independent samples."""
    if not ones or not others:
        return None

    def statistic(one: Any, other: Any, axis: int = -1) -> Any:
        return np.median(one, axis=axis) - np.median(other, axis=axis)

    value = float(statistic(np.asarray(ones), np.asarray(others)))
    if min(len(ones), len(others)) < 2:
        return Estimate(n=min(len(ones), len(others)), value=value)
    low, high = _interval((ones, others), statistic, seed)
    return Estimate(n=min(len(ones), len(others)), value=value, low=low, high=high)


def _estimate(values: Sequence[float], statistic: Any, seed: int) -> Estimate | None:
    if not values:
        return None
    value = float(statistic(np.asarray(values, dtype=float)))
    if len(values) < 2:
        return Estimate(n=len(values), value=value)
    low, high = _interval((values,), statistic, seed)
    return Estimate(n=len(values), value=value, low=low, high=high)


def _interval(samples: tuple[Sequence[float], ...], statistic: Any, seed: int) -> tuple[float, float]:
    found = bootstrap(
        tuple(np.asarray(sample, dtype=float) for sample in samples),
        statistic,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
