"""A weekly series of boxes to quantiles of the weeks ahead.

The point forecast is exponential smoothing on log1p(boxes) (AutoETS, trend and error chosen by AICc) from 20 weeks on, and
the mean of the last four weeks below that. Its spread is empirical: the model is fitted again at earlier origins, and
what it missed there, in log1p, is added to the point forecast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from statsforecast.models import AutoETS

Floats = npt.NDArray[np.float64]

ENOUGH_FOR_ETS = 20
"""Weeks from which smoothing parameters can be estimated; a shorter series takes the mean of its last weeks."""

LAST_WEEKS = 4
ORIGINS = 10
"""How many of the last weeks serve as origins of the backtest."""

ENOUGH_RESIDUALS = 10
"""Fewer say nothing about a tenth percentile: the residuals of all regions are used instead, then the default spread."""

DEFAULT_SPREAD = 0.25
"""Standard deviation in log1p where the history is too short for any backtest: roughly 25 %."""

LARGEST_RESIDUAL = float(np.log(4))
"""Residuals are cut to a factor of four, so that one closed week does not widen a whole year's forecasts."""


@dataclass(frozen=True)
class Forecast:
    """Boxes a week, one entry per step ahead that was asked for."""

    mean: Floats
    p10: Floats
    p50: Floats
    p90: Floats


def forecast_all(series: Sequence[Floats], steps: Sequence[int]) -> list[Forecast]:
    """Forecast every series at the given steps: 1 is the week after its last.

    Residuals are pooled over origins and over the steps up to the furthest one. A series with fewer than
    `ENOUGH_RESIDUALS` borrows those of all series; if these are too few too, it takes a normal spread of
    `DEFAULT_SPREAD`.
    """
    horizon = max(steps)
    residuals = [backtest(boxes, horizon) for boxes in series]
    shared = np.concatenate(residuals)
    if len(shared) < ENOUGH_RESIDUALS:
        shared = np.array([DEFAULT_SPREAD * z for z in _NORMAL_SCORES])
    at = np.array(steps) - 1
    return [
        _quantiles(point_forecast(boxes, horizon)[at], own if len(own) >= ENOUGH_RESIDUALS else shared)
        for boxes, own in zip(series, residuals, strict=True)
    ]


def point_forecast(boxes: Floats, horizon: int) -> Floats:
    """The expected log1p of the boxes, for 1 to `horizon` weeks ahead. `boxes` has at least one week."""
    if len(boxes) < ENOUGH_FOR_ETS or np.ptp(boxes) == 0:
        return np.full(horizon, np.log1p(boxes[-LAST_WEEKS:].mean()))
    # A fresh model each time: statsforecast's models keep state between calls.
    predicted = AutoETS(season_length=1).forecast(y=np.log1p(boxes), h=horizon)["mean"]
    return np.asarray(predicted, dtype=np.float64)


def backtest(boxes: Floats, horizon: int) -> Floats:
    """What the model missed in log1p, actual minus forecast, at the last origins and every step known by now.

    A long series keeps `ENOUGH_FOR_ETS` weeks before its first origin, so that the model backtested is the one used.
    """
    shortest = ENOUGH_FOR_ETS if len(boxes) > ENOUGH_FOR_ETS else 1
    errors = []
    for origin in range(max(shortest, len(boxes) - ORIGINS), len(boxes)):
        actual = np.log1p(boxes[origin : origin + horizon])
        errors.append(actual - point_forecast(boxes[:origin], len(actual)))
    missed = np.concatenate(errors) if errors else np.empty(0)
    return np.clip(missed, -LARGEST_RESIDUAL, LARGEST_RESIDUAL)


def _quantiles(point: Floats, residuals: Floats) -> Forecast:
    futures = np.maximum(np.expm1(point[:, None] + residuals[None, :]), 0.0)
    p10, p50, p90 = np.quantile(futures, [0.1, 0.5, 0.9], axis=1)
    return Forecast(futures.mean(axis=1), p10, p50, p90)


_NORMAL_SCORES = NormalDist().quantiles(20)
