"""The models that are chosen from. All see and give log1p(boxes): on the plain scale a promoted week throws them off.

What is said of weeks and years here goes for the steps and the season of any series (`Season`).

- *seasonal naive*: the same week a year ago, or the last week where the history is shorter. The floor.
- *mean of 4*, *mean of 13*: the mean of so many last weeks, the same for every week ahead.
- *smoothing*: exponential smoothing, its error, trend and parameters chosen by AICc (Hyndman and Khandakar 2008).
- *theta*: the dynamic optimised theta model (Fiorucci and others 2016).
- *yearly wave*: a straight line and one sine of a year, fitted to all weeks, moved to the level of the last 13. In a history
  of under 65 weeks, or without a season, the mean of 13.
- *combination*: the mean of smoothing, theta and mean of 13 (Bates and Granger 1969: errors of different models cancel).
"""

import numpy as np
import numpy.typing as npt
from statsforecast.models import AutoETS, DynamicOptimizedTheta

from services.models.season import SEASON, WEEKLY, Season

Floats = npt.NDArray[np.float64]

SHORT_MEAN, LONG_MEAN = 4, 13
SHORTEST_WAVE = 3
"""Steps; a sine and a cosine of fewer are one thing."""

COMBINATION, SEASONAL_NAIVE = "combination", "seasonal naive"
CANDIDATES = (COMBINATION, "smoothing", "theta", "mean of 13", "mean of 4", "yearly wave", SEASONAL_NAIVE)
"""In the order of preference when two miss by the same."""


class NotModelled(Exception):
    """No model could be made of this series. The message says which model failed and why."""


def predictions(logs: Floats, horizon: int, season: Season = WEEKLY) -> dict[str, Floats]:
    """What each candidate says of the 1 to `horizon` weeks after `logs`, which has at least one week and varies.

    Raises NotModelled when a model fails, or gives something that is no number.
    """
    # Fresh models each time: statsforecast's keep state between calls.
    smoothing = _fitted("smoothing", AutoETS(season_length=season.fitted), logs, horizon)
    theta = _fitted("theta", DynamicOptimizedTheta(season_length=season.fitted), logs, horizon)
    steady = recent_mean(logs, horizon)
    return {
        COMBINATION: (smoothing + theta + steady) / 3,
        "smoothing": smoothing,
        "theta": theta,
        "mean of 13": steady,
        "mean of 4": recent_mean(logs, horizon, SHORT_MEAN),
        "yearly wave": yearly_wave(logs, horizon, season),
        SEASONAL_NAIVE: seasonal_naive(logs, horizon, season.lag),
    }


def recent_mean(logs: Floats, horizon: int, weeks: int = LONG_MEAN) -> Floats:
    return np.full(horizon, logs[-weeks:].mean())


def seasonal_naive(logs: Floats, horizon: int, lag: int = SEASON) -> Floats:
    if len(logs) < lag:
        return np.full(horizon, logs[-1])
    return np.resize(logs[-lag:], horizon)


def yearly_wave(logs: Floats, horizon: int, season: Season = WEEKLY) -> Floats:
    if season.lag < SHORTEST_WAVE or len(logs) < season.lag + LONG_MEAN:
        return recent_mean(logs, horizon)
    weeks = np.arange(len(logs) + horizon)
    angle = 2 * np.pi * weeks / season.wave
    shape = np.stack([np.ones(len(weeks)), weeks / len(logs), np.sin(angle), np.cos(angle)], axis=1)
    known = shape[: len(logs)]
    # einsum adds in one fixed order; a threaded matrix product might not.
    fit = np.linalg.solve(np.einsum("wa,wb->ab", known, known), np.einsum("wa,w->a", known, logs))
    wave = np.einsum("wa,a->w", shape, fit)
    level = (logs - wave[: len(logs)])[-LONG_MEAN:].mean()
    found: Floats = wave[len(logs) :] + level
    return found


def _fitted(name: str, model: AutoETS | DynamicOptimizedTheta, logs: Floats, horizon: int) -> Floats:
    try:
        found = np.asarray(model.forecast(y=logs, h=horizon)["mean"], dtype=np.float64)
    except Exception as error:  # statsforecast raises plain Exception, and what numpy and its compiled parts raise
        raise NotModelled(f"{name}: {error}") from error
    if not np.isfinite(found).all():
        raise NotModelled(f"{name} gave no finite numbers")
    return found
