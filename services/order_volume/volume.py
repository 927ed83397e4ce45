"""From the extracted history to the plan's weeks, by any way to forecast a weekly series."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from contracts.configurator import RunPlanned
from services.models.futures import Forecast
from services.models.series import Floats, Series, weekly_boxes
from services.models.volume import SCHEMA, steps_ahead
from services.runtime.parquet import rounded


@dataclass(frozen=True)
class Volume:
    """A forecast for each region of the history, both sorted, with an entry for each week."""

    weeks: tuple[date, ...]
    series: tuple[Series, ...]
    forecasts: tuple[Forecast, ...]

    @property
    def problems(self) -> dict[str, str]:
        """Why a region took the mean of its last weeks, by region."""
        pairs = zip(self.series, self.forecasts, strict=True)
        return {series.region: forecast.problem for series, forecast in pairs if forecast.problem}

    def table(self) -> pa.Table:
        def by_week(name: str) -> Floats:
            return np.stack([getattr(forecast, name) for forecast in self.forecasts], axis=1).ravel()

        columns = {
            "week": np.repeat(np.array(self.weeks, dtype="datetime64[D]"), len(self.series)),
            "region": [each.region for each in self.series] * len(self.weeks),
            "factory": [each.factory for each in self.series] * len(self.weeks),
            **{name: by_week(name) for name in ("mean", "p10", "p50", "p90")},
            "method": [forecast.method for forecast in self.forecasts] * len(self.weeks),
        }
        return rounded(pa.table(columns, schema=SCHEMA))


def forecast_volume(
    plan: RunPlanned,
    histories: Sequence[pa.Table],
    forecast: Callable[[Sequence[Floats], Sequence[int]], list[Forecast]],
) -> Volume:
    """Boxes per plan week and region. The weeks between the history and the plan are forecast too, and left out.

    Raises BadData when the history holds no orders, or when a plan week does not come after it.
    """
    weeks = tuple(sorted(week.starts for week in plan.weeks))
    steps = [steps_ahead(week, plan.history.last_week) for week in weeks]
    series = weekly_boxes(histories, plan.history.last_week, plan.recipes_per_box)
    return Volume(weeks, series, tuple(forecast([each.boxes for each in series], steps)))
