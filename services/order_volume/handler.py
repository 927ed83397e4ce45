"""How many boxes, when? Reads the extracted history, forecasts each region, writes the plan's weeks."""

from datetime import date

import numpy as np
import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.errors import BadData
from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from services.order_volume.model import forecast_all
from services.order_volume.series import WEEK, weekly_boxes
from services.runtime.context import Context

SCHEMA = pa.schema(
    [("week", pa.date32()), ("region", pa.string()), ("factory", pa.string())]
    + [(name, pa.float64()) for name in ("mean", "p10", "p50", "p90")]
)


def handle(inputs: ForecastOrderVolume, ctx: Context) -> OrderVolumeForecasted:
    """Raises BadData when the history holds no orders, or when a plan week does not come after it."""
    histories = [ctx.read(extracted.history) for extracted in inputs.history]
    return OrderVolumeForecasted(volume=ctx.write("volume", forecast(inputs.plan, histories)))


def forecast(plan: RunPlanned, histories: list[pa.Table]) -> pa.Table:
    """Boxes per plan week and region. The weeks between the history and the plan are forecast too, and left out."""
    weeks = sorted(week.starts for week in plan.weeks)
    steps = [_steps_ahead(week, plan.history.last_week) for week in weeks]
    series = weekly_boxes(histories, plan.history.last_week, plan.recipes_per_box)
    found = forecast_all([each.boxes for each in series], steps)
    columns = {
        "week": np.repeat(np.array(weeks, dtype="datetime64[D]"), len(series)),
        "region": [each.region for each in series] * len(weeks),
        "factory": [each.factory for each in series] * len(weeks),
        **{name: np.stack([getattr(f, name) for f in found], axis=1).ravel() for name in ("mean", "p10", "p50", "p90")},
    }
    return pa.table(columns, schema=SCHEMA)


def _steps_ahead(week: date, last_week: date) -> int:
    if week <= last_week:
        raise BadData(
            f"the plan's week {week} is not after the history, which ends with {last_week}: plan a later date"
        )
    return (week - last_week) // WEEK
