"""How many boxes, when? Reads the extracted history, forecasts each region, writes the plan's weeks."""

from datetime import date

import numpy as np
import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.errors import BadData
from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from services.order_volume.model import forecast_all
from services.order_volume.series import WEEK, weekly_boxes
from services.runtime.context import Context, Log

SCHEMA = pa.schema(
    [("week", pa.date32()), ("region", pa.string()), ("factory", pa.string())]
    + [(name, pa.float64()) for name in ("mean", "p10", "p50", "p90")]
    + [("method", pa.string())]
)


def handle(inputs: ForecastOrderVolume, ctx: Context) -> OrderVolumeForecasted:
    """Raises BadData when the history holds no orders, or when a plan week does not come after it."""
    histories = [ctx.read(extracted.history) for extracted in inputs.history]
    return OrderVolumeForecasted(volume=ctx.write("volume", forecast(inputs.plan, histories, ctx.log)))


def forecast(plan: RunPlanned, histories: list[pa.Table], log: Log) -> pa.Table:
    """Boxes per plan week and region. The weeks between the history and the plan are forecast too, and left out.

    A region on which a model fails is reported in the log and keeps the rest going.
    """
    weeks = sorted(week.starts for week in plan.weeks)
    steps = [_steps_ahead(week, plan.history.last_week) for week in weeks]
    series = weekly_boxes(histories, plan.history.last_week, plan.recipes_per_box)
    found = forecast_all([each.boxes for each in series], steps)
    for each, one in zip(series, found, strict=True):
        if one.problem:
            log.warning(
                "region %s takes the mean of its last weeks, because no model fits: %s", each.region, one.problem
            )
    log.info("%d regions by %s", len(series), ", ".join(sorted({one.method for one in found})))
    columns = {
        "week": np.repeat(np.array(weeks, dtype="datetime64[D]"), len(series)),
        "region": [each.region for each in series] * len(weeks),
        "factory": [each.factory for each in series] * len(weeks),
        **{name: np.stack([getattr(f, name) for f in found], axis=1).ravel() for name in ("mean", "p10", "p50", "p90")},
        "method": [one.method for one in found] * len(weeks),
    }
    return pa.table(columns, schema=SCHEMA)


def _steps_ahead(week: date, last_week: date) -> int:
    if week <= last_week:
        raise BadData(
            f"the plan's week {week} is not after the history, which ends with {last_week}: plan a later date"
        )
    return (week - last_week) // WEEK
