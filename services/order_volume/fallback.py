"""The last good forecast, fitted to the plan's weeks; without one, the week a year ago."""

from datetime import date
from typing import Any

import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.order_volume import ORDER_VOLUME, ForecastOrderVolume, OrderVolumeForecasted
from services.models.forecast import forecast_naively
from services.models.volume import SCHEMA
from services.order_volume.volume import forecast_volume
from services.runtime.context import Context


def handle(inputs: ForecastOrderVolume, ctx: Context) -> OrderVolumeForecasted:
    """The history is read only when there is no last good forecast.

    Raises BadData when it then holds no orders, or when a plan week does not come after it.
    """
    table, by = _last_good(inputs.plan, ctx) or _naive(inputs, ctx)
    return OrderVolumeForecasted(volume=ctx.write("volume", table), degraded=ctx.replaced(by=by))


def _last_good(plan: RunPlanned, ctx: Context) -> tuple[pa.Table, str] | None:
    last = plan.last_good.get(ORDER_VOLUME.name)
    if last is None:
        return None
    answer = OrderVolumeForecasted.model_validate(last.output)
    table = fitted(ctx.read(answer.volume), plan)
    return (table, f"the forecast of run {last.run_id} of {last.date:%-d %B %Y}") if table is not None else None


def fitted(volume: pa.Table, plan: RunPlanned) -> pa.Table | None:
    """An earlier forecast for the plan's weeks, regions and factories: a week it has not takes its latest one's boxes.

    None when it lacks a column, or in one of these weeks a region of the plan.
    """
    homes = {region: factory.key for factory in plan.factories for region in factory.regions}
    if not set(SCHEMA.names) <= set(volume.column_names):
        return None
    by_week: dict[date, dict[str, dict[str, Any]]] = {}
    for row in volume.to_pylist():
        by_week.setdefault(row["week"], {})[row["region"]] = row
    latest = by_week[max(by_week)] if by_week else {}
    rows = []
    for week in sorted(week.starts for week in plan.weeks):
        found = by_week.get(week, latest)
        if not homes.keys() <= found.keys():
            return None
        rows += [{**found[region], "week": week, "factory": homes[region]} for region in sorted(homes)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _naive(inputs: ForecastOrderVolume, ctx: Context) -> tuple[pa.Table, str]:
    histories = [ctx.read(extracted.history) for extracted in inputs.history]
    volume = forecast_volume(inputs.plan, histories, forecast_naively)
    return volume.table(), "the boxes of the same weeks a year ago, or of the last week where nothing is that old"
