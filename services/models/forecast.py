"""A weekly series of boxes to quantiles of the weeks ahead.

Which model forecasts is decided once for all series of a data set, by a backtest inside the history: at `ORIGINS` earlier
weeks every candidate forecasts what followed, and their misses are summed in boxes over series, origins and steps. Its
spread is empirical: what the chosen model missed in log1p at those origins, less the median miss, is added to its forecast.

Not every series can be modelled (`kinds.py`): one that ended stays at zero, an intermittent one repeats its recent weeks, a
short one takes the mean of its logarithms. One on which a model fails is forecast as a short one, and its method says so.

What is known of the weeks ahead, as their prices, comes in as the part of log1p(boxes) that it explains (`effects.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from services.models.candidates import (
    CANDIDATES,
    COMBINATION,
    SEASONAL_NAIVE,
    NotModelled,
    predictions,
    recent_mean,
    seasonal_naive,
)
from services.models.effects import Explained, nothing_known
from services.models.futures import Floats, Forecast
from services.models.kinds import ENOUGH_TO_CHOOSE, RECENT, Kind, kind_of
from services.models.season import SEASON, WEEKLY, Season

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
class Tried:
    """What one series' backtest found: by candidate, the boxes missed in total and the residuals in log1p."""

    missed: dict[str, float]
    residuals: dict[str, Floats]
    problem: str = ""


@dataclass(frozen=True)
class Trained:
    """What is kept of a backtest: the candidate, and of each series its residuals in log1p and why no model fits it."""

    chosen: str
    residuals: tuple[Floats, ...]
    problems: tuple[str, ...]


def forecast_all(series: Sequence[Floats], steps: Sequence[int]) -> list[Forecast]:
    """Forecast every series at the given steps: 1 is the week after its last.

    A series with fewer than `ENOUGH_RESIDUALS` residuals borrows those of all series; if these are too few too, it takes a
    normal spread of `DEFAULT_SPREAD`.
    """
    return forecast_trained(train(series, max(steps)), series, steps)


def train(
    series: Sequence[Floats], horizon: int, season: Season = WEEKLY, explained: Sequence[Explained] | None = None
) -> Trained:
    """Choose the candidate for forecasts of up to `horizon` steps; `explained` has an entry for each series."""
    effects = explained or [nothing_known] * len(series)
    kinds = [kind_of(boxes) for boxes in series]
    tried = [
        _try(boxes, kind, horizon, season, effect) for boxes, kind, effect in zip(series, kinds, effects, strict=True)
    ]
    chosen = choose([each for each, kind in zip(tried, kinds, strict=True) if kind is Kind.LONG and not each.problem])
    residuals = _enough([each.residuals.get(chosen, each.residuals[FALLBACK]) for each in tried])
    return Trained(chosen, tuple(residuals), tuple(each.problem for each in tried))


def forecast_trained(
    trained: Trained,
    series: Sequence[Floats],
    steps: Sequence[int],
    season: Season = WEEKLY,
    explained: Sequence[Explained] | None = None,
) -> list[Forecast]:
    """Forecast the series it was trained on, in the same order; each may have grown since."""
    at = np.array(steps) - 1
    effects = explained or [nothing_known] * len(series)
    return [
        _forecast(boxes, trained.chosen, problem, at, own, season, effect)
        for boxes, problem, own, effect in zip(series, trained.problems, trained.residuals, effects, strict=True)
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


def backtest(boxes: Floats, horizon: int, season: Season = WEEKLY, explained: Explained = nothing_known) -> Tried:
    """Every candidate's misses at `ORIGINS` earlier weeks, `horizon` weeks apart or closer, at every step known by now.

    Raises NotModelled when a candidate cannot be fitted at one of them.
    """
    missed = dict.fromkeys(CANDIDATES, 0.0)
    residuals: dict[str, list[Floats]] = {name: [] for name in CANDIDATES}
    for origin in origins(len(boxes), horizon, ENOUGH_TO_CHOOSE):
        actual = boxes[origin : origin + horizon]
        effect = explained(origin, len(actual))
        unexplained = without_closures(boxes[:origin], effect[:origin])
        for name, predicted in predictions(unexplained, len(actual), season).items():
            logs = predicted + effect[origin:]
            missed[name] += float(np.abs(actual - np.expm1(logs)).sum())
            residuals[name].append(_residuals(actual, logs))
    short = _short_residuals(boxes, horizon, explained)
    return Tried(missed, {name: _joined(found) for name, found in residuals.items()} | short)


def origins(length: int, horizon: int, shortest: int) -> range:
    """How many weeks are known at each origin: up to `ORIGINS`, from the last week back, `horizon` weeks apart or closer."""
    last = length - 1
    apart = max(1, min(horizon, (last - shortest) // (ORIGINS - 1)))
    return range(last, max(shortest, last - apart * (ORIGINS - 1)) - 1, -apart)


def without_closures(boxes: Floats, effect: Floats | float = 0.0) -> Floats:
    """log1p(boxes) less what the effects explain, with weeks of zero boxes bridged by their neighbours: a closed week says
    nothing about the next."""
    weeks = np.arange(len(boxes))
    sold = boxes > 0
    if not sold.any():
        return np.zeros(len(boxes))
    logs = np.log1p(boxes) - effect
    return np.interp(weeks, weeks[sold], logs[sold])


def _try(boxes: Floats, kind: Kind, horizon: int, season: Season, explained: Explained) -> Tried:
    if kind is Kind.LONG:
        try:
            return backtest(boxes, horizon, season, explained)
        except NotModelled as error:
            return Tried({}, _short_residuals(boxes, horizon, explained), str(error))
    return Tried({}, _short_residuals(boxes, horizon, explained) if kind is Kind.SHORT else {FALLBACK: np.empty(0)})


def _short_residuals(boxes: Floats, horizon: int, explained: Explained) -> dict[str, Floats]:
    return {FALLBACK: _misses(boxes, horizon, recent_mean, explained=explained)}


def _misses(
    boxes: Floats,
    horizon: int,
    predict: Callable[[Floats, int], Floats],
    shortest: int = 1,
    explained: Explained = nothing_known,
) -> Floats:
    """The residuals, at earlier weeks with at least `shortest` weeks known, of a method that needs no more."""
    found = []
    for origin in origins(len(boxes), horizon, shortest):
        actual = boxes[origin : origin + horizon]
        effect = explained(origin, len(actual))
        logs = predict(without_closures(boxes[:origin], effect[:origin]), len(actual)) + effect[origin:]
        found.append(_residuals(actual, logs))
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
    boxes: Floats,
    chosen: str,
    problem: str,
    at: npt.NDArray[np.int64],
    residuals: Floats,
    season: Season,
    explained: Explained,
) -> Forecast:
    kind = kind_of(boxes)
    if kind not in MODELLED:
        return _unmodelled(boxes, kind, len(at))
    horizon = int(at.max()) + 1
    effect = explained(len(boxes), horizon)
    logs = without_closures(boxes, effect[: len(boxes)])
    method = str(kind) if kind is Kind.SHORT else chosen
    point = recent_mean(logs, horizon)
    if kind is Kind.LONG and not problem:
        try:
            point = predictions(logs, horizon, season)[chosen]
        except NotModelled as error:
            problem = str(error)
    return _around((point + effect[len(boxes) :])[at], residuals, FALLBACK if problem else method, problem)


def _unmodelled(boxes: Floats, kind: Kind, steps: int) -> Forecast:
    seen = boxes[-RECENT:] if kind is Kind.INTERMITTENT else np.zeros(1)
    return Forecast(np.tile(seen, (steps, 1)), kind)


def _around(logs: Floats, residuals: Floats, method: str, problem: str = "") -> Forecast:
    # Less their median: that a model missed to one side lately says little about the next weeks (docs/accuracy.md).
    around = residuals - np.median(residuals)
    return Forecast(np.maximum(np.expm1(logs[:, None] + around[None, :]), 0.0), method, problem)


def _residuals(actual: Floats, logs: Floats) -> Floats:
    return np.clip(np.log1p(actual) - logs, -LARGEST_RESIDUAL, LARGEST_RESIDUAL)


def _joined(found: Sequence[Floats]) -> Floats:
    return np.concatenate(found) if found else np.empty(0)


_NORMAL_SCORES = NormalDist().quantiles(20)
