"""QueryForecast: one item's quantiles, from the forecast's table."""

import io
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.forecast_api import kinds
from services.forecast_api.creating import Asked
from services.forecast_api.errors import InvalidInput, InvalidNextToken, NotFound
from services.forecast_api.frequency import instant
from services.forecast_api.predictors import label
from services.forecast_api.schemas import ITEM

DATE = "date"


def query_forecast(asked: Asked) -> dict[str, Any]:
    """Raises InvalidInput when the filters do not name one series, or the dates are not its own, and NotFound without it."""
    found = asked.ready(kinds.FORECAST, asked.request["ForecastArn"])
    if asked.request.get("NextToken"):
        raise InvalidNextToken("NextToken is none that this forecast gave: its answers have one page")
    content = asked.store.content(found.arn)
    assert content is not None, "a forecast that is ACTIVE has its table"
    table = pq.read_table(io.BytesIO(content), use_threads=False)
    series = _between(_one_series(table, asked.request["Filters"], found.details), asked.request)
    dates = [each.isoformat() for each in series[DATE].to_pylist()]
    labels = [label(each) for each in found.request["ForecastTypes"]]
    predictions = {
        name: [{"Timestamp": at, "Value": value} for at, value in zip(dates, series[name].to_pylist(), strict=True)]
        for name in labels
    }
    return {"Forecast": {"Predictions": predictions}}


def _one_series(table: pa.Table, filters: dict[str, str], details: dict[str, Any]) -> pa.Table:
    keys = [ITEM, *details["ForecastDimensions"]]
    if set(filters) != set(keys):
        raise InvalidInput(f"Filters name one series by {' and '.join(keys)}")
    for name, value in filters.items():
        table = table.filter(pc.equal(table[name], value))
    if table.num_rows == 0:
        raise NotFound(f"the forecast has no series with {', '.join(f'{n} {v[:64]}' for n, v in filters.items())}")
    return table


def _between(series: pa.Table, request: dict[str, Any]) -> pa.Table:
    """Both dates belong to it."""
    dates = series[DATE].to_pylist()
    start, end = _date(request, "StartDate") or dates[0], _date(request, "EndDate") or dates[-1]
    if not dates[0] <= start <= end <= dates[-1]:
        raise InvalidInput(f"StartDate and EndDate lie between {dates[0].isoformat()} and {dates[-1].isoformat()}")
    unit = series[DATE].type
    inside = pc.and_(
        pc.greater_equal(series[DATE], pa.scalar(start, unit)), pc.less_equal(series[DATE], pa.scalar(end, unit))
    )
    return series.filter(inside)


def _date(request: dict[str, Any], name: str) -> datetime | None:
    given = request.get(name)
    try:
        return instant(given) if given else None
    except ValueError as error:
        raise InvalidInput(f"{name} is a date and time as 2026-11-25T00:00:00") from error
