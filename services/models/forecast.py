"""A weekly series of boxes to quantiles of the weeks ahead.

Which model forecasts is decided once for all series of a data set, by a backtest inside the history: at `ORIGINS` earlier
weeks every candidate forecasts what followed, and their misses are summed in boxes over series, origins and steps. Its
spread is empirical: what the chosen model missed in log1p at those origins, less the median miss, is added to its forecast.

Not every series can be modelled (`kinds.py`): one that ended stays at zero, an intermittent one repeats its recent weeks, a
short one takes the mean of its logarithms. One on which a model fails is forecast as a short one, and its method says so.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from services.models.candidates import (
    CANDIDATES,
    COMBINATION,
    SEASON,
    SEASONAL_NAIVE,
    NotModelled,
    predictions,
    recent_mean,
    seasonal_naive,
)
from services.models.kinds import ENOUGH_TO_CHOOSE, RECENT, Kind, kind_of

Floats = npt.NDArray[np.float64]

ORIGINS = 10
"""How many earlier weeks the candidates are compared at. Each costs a fit of every model to every series."""

CLEARLY_BETTER = 0.95
"""The combination is replaced by a candidate that missed by less than this part of its boxes: a smaller lead is luck."""

ENOUGH_RESIDUALS = 10
"""Fewer say nothing about a tenth percentile: the residuals of all series are used instead, then the default spread."""

DEFAULT_SPREAD = 0.25
"""Standard deviation in log1p where the history is too short for any backtest: roughly 25 %."""

LARGEST_RESIDUAL = float(np.log(4))
"""Residuals are cut to a factor of four, so that one closed week does not widen a whole year's forecasts."""

MODELLED = (Kind.SHORT, Kind.LONG)

FALLBACK = "fallback"


@dataclass(frozen=True)
class Forecast:
    """Boxes a week, one entry per step ahead that was asked for.

    `method` is the candidate's name, the kind of a series that is not modelled, or "fallback"; `problem` then says why.
    """

    mean: Floats
    p10: Floats
    p50: Floats
    p90: Floats
    method: str
    problem: str = ""


@dataclass(frozen=True)
class Tried:
    """What one series' backtest found: by candidate, the boxes missed in total and the residuals in log1p."""

    missed: dict[str, float]
    residuals: dict[str, Floats]
    problem: str = ""


def forecast_all(series: Sequence[Floats], steps: Sequence[int]) -> list[Forecast]:
    """Forecast every series at the given steps: 1 is the week after its last.

    A series with fewer than `ENOUGH_RESIDUALS` residuals borrows those of all series; if these are too few too, it takes a
    normal spread of `DEFAULT_SPREAD`.
    """
    horizon = max(steps)
    kinds = [kind_of(boxes) for boxes in series]
    tried = [_try(boxes, kind, horizon) for boxes, kind in zip(series, kinds, strict=True)]
    chosen = choose([each for each, kind in zip(tried, kinds, strict=True) if kind is Kind.LONG and not each.problem])
    residuals = _enough([each.residuals.get(chosen, each.residuals[FALLBACK]) for each in tried])
    at = np.array(steps) - 1
    return [
        _forecast(boxes, kind, chosen, each.problem, at, own)
        for boxes, kind, each, own in zip(series, kinds, tried, residuals, strict=True)
    ]


def forecast_naively(series: Sequence[Floats], steps: Sequence[int]) -> list[Forecast]:
    """The same by the week a year ago, or else the last week: nothing is fitted that could fail.

    The spread is what this would have missed at earlier weeks.
    """
    horizon, at = max(steps), np.array(steps) - 1
    kinds = [kind_of(boxes) for boxes in series]
    misses = [
        _naive_misses(boxes, horizon) if kind in MODELLED else np.empty(0)
        for boxes, kind in zip(series, kinds, strict=True)
    ]
    return [
        _around(seasonal_naive(without_closures(boxes), horizon)[at], own, SEASONAL_NAIVE)
        if kind in MODELLED
        else _unmodelled(boxes, kind, len(at))
        for boxes, kind, own in zip(series, kinds, _enough(misses), strict=True)
    ]


def choose(tried: Sequence[Tried]) -> str:
    """The candidate that missed by the fewest boxes over all series, if it was clearly better than `COMBINATION`."""
    missed = {name: sum(each.missed[name] for each in tried) for name in CANDIDATES}
    best = min(CANDIDATES, key=lambda name: missed[name])
    return best if missed[best] < missed[COMBINATION] * CLEARLY_BETTER else COMBINATION


def backtest(boxes: Floats, horizon: int) -> Tried:
    """Every candidate's misses at `ORIGINS` earlier weeks, `horizon` weeks apart or closer, at every step known by now.

    Raises NotModelled when a candidate cannot be fitted at one of them.
    """
    missed = dict.fromkeys(CANDIDATES, 0.0)
    residuals: dict[str, list[Floats]] = {name: [] for name in CANDIDATES}
    for origin in origins(len(boxes), horizon, ENOUGH_TO_CHOOSE):
        actual = boxes[origin : origin + horizon]
        for name, logs in predictions(without_closures(boxes[:origin]), len(actual)).items():
            missed[name] += float(np.abs(actual - np.expm1(logs)).sum())
            residuals[name].append(_residuals(actual, logs))
    return Tried(missed, {name: _joined(found) for name, found in residuals.items()} | _short_residuals(boxes, horizon))


def origins(length: int, horizon: int, shortest: int) -> range:
    """How many weeks are known at each origin: up to `ORIGINS`, from the last week back, `horizon` weeks apart or closer."""
    last = length - 1
    apart = max(1, min(horizon, (last - shortest) // (ORIGINS - 1)))
    return range(last, max(shortest, last - apart * (ORIGINS - 1)) - 1, -apart)


def without_closures(boxes: Floats) -> Floats:
    """log1p(boxes) with weeks of zero boxes bridged by their neighbours: a closed week says nothing about the next."""
    weeks = np.arange(len(boxes))
    sold = boxes > 0
    if not sold.any():
        return np.zeros(len(boxes))
    return np.interp(weeks, weeks[sold], np.log1p(boxes[sold]))


def _try(boxes: Floats, kind: Kind, horizon: int) -> Tried:
    if kind is Kind.LONG:
        try:
            return backtest(boxes, horizon)
        except NotModelled as error:
            return Tried({}, _short_residuals(boxes, horizon), str(error))
    return Tried({}, _short_residuals(boxes, horizon) if kind is Kind.SHORT else {FALLBACK: np.empty(0)})


def _short_residuals(boxes: Floats, horizon: int) -> dict[str, Floats]:
    return {FALLBACK: _misses(boxes, horizon, recent_mean)}


def _misses(boxes: Floats, horizon: int, predict: Callable[[Floats, int], Floats], shortest: int = 1) -> Floats:
    """The residuals, at earlier weeks with at least `shortest` weeks known, of a method that needs no more."""
    found = []
    for origin in origins(len(boxes), horizon, shortest):
        actual = boxes[origin : origin + horizon]
        found.append(_residuals(actual, predict(without_closures(boxes[:origin]), len(actual))))
    return _joined(found)


def _naive_misses(boxes: Floats, horizon: int) -> Floats:
    """With a year known wherever there is one: what the last week misses says nothing about the week a year ago."""
    return _misses(boxes, horizon, seasonal_naive, SEASON if len(boxes) >= SEASON + ORIGINS else 1)


def _enough(residuals: Sequence[Floats]) -> list[Floats]:
    """Each series' own, or else those of all series, or else the default spread's."""
    shared = np.concatenate(residuals)
    if len(shared) < ENOUGH_RESIDUALS:
        shared = np.array([DEFAULT_SPREAD * z for z in _NORMAL_SCORES])
    return [own if len(own) >= ENOUGH_RESIDUALS else shared for own in residuals]


def _forecast(
    boxes: Floats, kind: Kind, chosen: str, problem: str, at: npt.NDArray[np.int64], residuals: Floats
) -> Forecast:
    if kind not in MODELLED:
        return _unmodelled(boxes, kind, len(at))
    logs, horizon = without_closures(boxes), int(at.max()) + 1
    method = str(kind) if kind is Kind.SHORT else chosen
    point = recent_mean(logs, horizon)
    if kind is Kind.LONG and not problem:
        try:
            point = predictions(logs, horizon)[chosen]
        except NotModelled as error:
            problem = str(error)
    return _around(point[at], residuals, FALLBACK if problem else method, problem)


def _unmodelled(boxes: Floats, kind: Kind, steps: int) -> Forecast:
    seen = boxes[-RECENT:] if kind is Kind.INTERMITTENT else np.zeros(1)
    return _quantiles(np.tile(seen, (steps, 1)), kind)


def _around(logs: Floats, residuals: Floats, method: str, problem: str = "") -> Forecast:
    # Less their median: that a model missed to one side lately says little about the next weeks (docs/accuracy.md).
    around = residuals - np.median(residuals)
    futures = np.maximum(np.expm1(logs[:, None] + around[None, :]), 0.0)
    return _quantiles(futures, method, problem)


def _quantiles(futures: Floats, method: str, problem: str = "") -> Forecast:
    """`futures` has the shape (steps, possible futures).

    P90 is the quantile ceil((n + 1) * 0.9) / n of n futures, P10 its mirror image: that of n values seen covers one more
    with the probability meant (conformal prediction: Vovk, Gammerman and Shafer 2005), the plain one with less.
    """
    count = futures.shape[1]
    upper = min(math.ceil((count + 1) * 0.9) / count, 1.0)
    p10, p50, p90 = np.quantile(futures, [1 - upper, 0.5, upper], axis=1)
    return Forecast(futures.mean(axis=1), p10, p50, p90, method, problem)


def _residuals(actual: Floats, logs: Floats) -> Floats:
    return np.clip(np.log1p(actual) - logs, -LARGEST_RESIDUAL, LARGEST_RESIDUAL)


def _joined(found: Sequence[Floats]) -> Floats:
    return np.concatenate(found) if found else np.empty(0)


_NORMAL_SCORES = NormalDist().quantiles(20)
