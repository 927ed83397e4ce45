"""What a forecast missed, in five numbers.

- WAPE: sum |actual - P50| / sum actual.
- RMSLE: the root of the mean squared difference of log1p(actual) and log1p(P50).
- MASE: the mean of |actual - P50| over the mean change from one week to the next in the history of the same series
  (Hyndman and Koehler 2006). Series that never changed are left out.
- WQL: twice the quantile loss at P10, P50 and P90, averaged over the three, over the sum of the actuals, as Amazon
  Forecast defines it.
- coverage: how many of the actuals lie between P10 and P90, both included. 0.8 is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.models.quantiles import quantile_loss

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Forecasts of one component beside what came, one entry per series, origin and step, all in the same unit.

    `baselines` hold point forecasts by name. `scale` is the mean change from week to week in the series' history.
    """

    actual: Floats
    p10: Floats
    p50: Floats
    p90: Floats
    scale: Floats
    baselines: Mapping[str, Floats]


def joined(parts: list[Compared]) -> Compared:
    """`parts` is not empty, and all have the same baselines."""
    names = ("actual", "p10", "p50", "p90", "scale")
    return Compared(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
        baselines={name: np.concatenate([part.baselines[name] for part in parts]) for name in parts[0].baselines},
    )


def scores(compared: Compared) -> dict[str, dict[str, float | None]]:
    """The metrics of the model and of each baseline; a baseline has no quantiles, so no WQL and no coverage."""
    quantiles = {0.1: compared.p10, 0.5: compared.p50, 0.9: compared.p90}
    inside = (compared.p10 <= compared.actual) & (compared.actual <= compared.p90)
    model = _point_scores(compared, compared.p50) | {
        "wql": weighted_quantile_loss(compared.actual, quantiles),
        "coverage": float(inside.mean()),
    }
    nothing: dict[str, float | None] = {"wql": None, "coverage": None}
    return {"model": model} | {
        name: _point_scores(compared, point) | nothing for name, point in compared.baselines.items()
    }


def weighted_quantile_loss(actual: Floats, quantiles: Mapping[float, Floats]) -> float | None:
    """None when there were no orders at all."""
    losses = [quantile_loss(actual, value, level) for level, value in quantiles.items()]
    total = actual.sum()
    return float(np.mean(losses) / total) if total > 0 else None


def _point_scores(compared: Compared, point: Floats) -> dict[str, float | None]:
    missed, total = np.abs(compared.actual - point), compared.actual.sum()
    moving = compared.scale > 0
    logs = np.log1p(compared.actual) - np.log1p(point)
    return {
        "wape": float(missed.sum() / total) if total > 0 else None,
        "rmsle": float(np.sqrt((logs**2).mean())),
        "mase": float((missed[moving] / compared.scale[moving]).mean()) if moving.any() else None,
    }
