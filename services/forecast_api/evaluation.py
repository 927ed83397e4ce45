"""Amazon Forecast's accuracy metrics (https://docs.aws.amazon.com/forecast/latest/dg/metrics.html).

With y the actual and f the forecast at n places of all series:
- WAPE: sum |y - f| / sum |y|.
- RMSE: the root of the mean of (y - f)^2.
- MAPE: the mean of |y - f| / |y|, where y is not 0.
- MASE: the mean of |y - f| over the mean change from the step a season before in the series' history.
- wQL[q]: 2 * sum(q * max(y - f, 0) + (1 - q) * max(f - y, 0)) / sum |y|.

RMSE of a window is that of the mean forecast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from services.forecast_api.predictors import MEAN
from services.models.futures import Floats, Forecast
from services.models.quantiles import quantile_loss

Json = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """One series: what came, with NaN where nobody knows, what was forecast, and its history."""

    actual: Floats
    forecast: Forecast
    history: Floats


def values_of(forecast: Forecast, forecast_type: str) -> Floats:
    return forecast.mean if forecast_type == MEAN else forecast.quantile(float(forecast_type))


def metrics(compared: Sequence[Compared], types: Sequence[str], season: int) -> Json:
    """Metrics that cannot be computed, as of a window without a value, are left out."""
    actual = np.concatenate([each.actual for each in compared])
    known = ~np.isnan(actual)
    actual = actual[known]
    if len(actual) == 0:
        return {}
    scale = np.concatenate([np.full(len(each.actual), _change(each.history, season)) for each in compared])[known]
    by_type = {
        name: np.concatenate([values_of(each.forecast, name)[: len(each.actual)] for each in compared])[known]
        for name in dict.fromkeys([*types, MEAN])
    }
    losses = [
        {"Quantile": float(name), "LossValue": quantile_loss(actual, by_type[name], float(name)) / actual.sum()}
        for name in types
        if name != MEAN and actual.sum() > 0
    ]
    errors = [{"ForecastType": name, **_errors(actual, by_type[name], scale)} for name in types]
    found: Json = {"ErrorMetrics": errors, "WeightedQuantileLosses": losses}
    found["RMSE"] = _errors(actual, by_type[MEAN], scale)["RMSE"]
    if losses:
        found["AverageWeightedQuantileLoss"] = fmean(each["LossValue"] for each in losses)
    return found


def summary(windows: Sequence[Json]) -> Json:
    """The mean of the windows' metrics."""
    return {
        "EvaluationType": "SUMMARY",
        "TestWindowStart": min(each["TestWindowStart"] for each in windows),
        "TestWindowEnd": max(each["TestWindowEnd"] for each in windows),
        "ItemCount": max(each["ItemCount"] for each in windows),
        "Metrics": _averaged([each["Metrics"] for each in windows if each["Metrics"]] or [{}]),
    }


def _averaged(found: Sequence[Any]) -> Any:
    """Numbers by their mean, lists entry by entry, objects member by member; names as they are."""
    first = found[0]
    if isinstance(first, dict):
        return {name: _averaged([each[name] for each in found if name in each]) for name in first}
    if isinstance(first, list):
        return [_averaged(list(each)) for each in zip(*found, strict=False)]
    return fmean(found) if isinstance(first, float) else first


def _errors(actual: Floats, point: Floats, scale: Floats) -> Json:
    missed, total, some = np.abs(actual - point), actual.sum(), actual > 0
    moving = scale > 0
    found: Json = {"RMSE": float(np.sqrt(((actual - point) ** 2).mean()))}
    if total > 0:
        found["WAPE"] = float(missed.sum() / total)
        found["MAPE"] = float((missed[some] / actual[some]).mean())
    if moving.any():
        found["MASE"] = float((missed[moving] / scale[moving]).mean())
    return found


def _change(history: Floats, season: int) -> float:
    """The mean change from the step a season before, or from the one before where the history is shorter."""
    lag = season if len(history) > season else 1
    return float(np.abs(history[lag:] - history[:-lag]).mean()) if len(history) > lag else 0.0
