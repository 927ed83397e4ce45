"""What anybody can forecast without a model. Histories are weekly; a week in which a recipe was not on offer is NaN."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LAST, MEAN, SEASONAL = "last value", "last-4 mean", "seasonal naive"
NAMES = (LAST, MEAN, SEASONAL)
SEASON = 52


def baselines(past: Floats, step: int, unseen: float) -> dict[str, float]:
    """Forecasts for `step` weeks after `past`, by name, over the weeks on offer; `unseen` where there were none.

    Seasonal naive is the value 52 weeks before the week forecast (for steps beyond a year: the latest such week known), and the
    last value where that week is not in the history.
    """
    offered = past[~np.isnan(past)]
    if len(offered) == 0:
        return dict.fromkeys(NAMES, unseen)
    last = float(offered[-1])
    ago = len(past) - 1 + step - SEASON * -(-step // SEASON)
    year_ago = float(past[ago]) if ago >= 0 else np.nan
    return {LAST: last, MEAN: float(offered[-4:].mean()), SEASONAL: last if np.isnan(year_ago) else year_ago}


def scale(past: Floats) -> float:
    """The mean change between successive weeks on offer: what a one-step last value misses. 0 when there is none."""
    offered = past[~np.isnan(past)]
    return float(np.abs(np.diff(offered)).mean()) if len(offered) > 1 else 0.0
