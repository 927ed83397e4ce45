"""A forecast: the trained model on the data as it is now, for every series and step of the horizon."""

from typing import Any

import numpy as np
import pyarrow as pa

from services.forecast_api import kinds
from services.forecast_api.creating import TIMESTAMP_FORMATS
from services.forecast_api.errors import JobFailed
from services.forecast_api.evaluation import values_of
from services.forecast_api.predictors import Plan, label, plan_of
from services.forecast_api.querying import DATE
from services.forecast_api.reading import read
from services.forecast_api.schemas import ITEM, columns_of
from services.forecast_api.series import Key
from services.forecast_api.training import Model, load
from services.forecast_api.work import Done, Work, to_bytes
from services.models.futures import Forecast
from services.runtime.parquet import rounded

MICROSECONDS = pa.timestamp("us")


def run(work: Work) -> Done:
    """Raises JobFailed when the data does not allow it."""
    predictor = work.find(kinds.PREDICTOR, work.resource.request["PredictorArn"])
    plan = plan_of(predictor.request)
    data = load(work, work.resource.details["DatasetImportJobArns"], plan)
    keys, known = data.known(data.last + 1, plan.horizon)
    forecasts = Model.from_bytes(work.content(predictor.arn)).forecast(keys, known, plan)
    pairs = list(zip(keys, forecasts, strict=True))
    wanted = _selected(work, plan)
    if wanted is not None:
        pairs = [(key, each) for key, each in pairs if key in wanted]
    dates = data.frequency.starts(data.last + 1 + np.arange(plan.horizon))
    table = _table(pairs, dates, plan, work.resource.request["ForecastTypes"])
    return Done({"ForecastDimensions": list(plan.dimensions)}, to_bytes(table))


def _table(pairs: list[tuple[Key, Forecast]], dates: Any, plan: Plan, types: list[str]) -> pa.Table:
    names = (ITEM, *plan.dimensions)
    columns: dict[str, Any] = {
        name: pa.array([key[at] for key, _ in pairs for _ in dates], pa.string()) for at, name in enumerate(names)
    }
    columns[DATE] = pa.array(np.tile(dates, len(pairs)).astype("datetime64[us]"), MICROSECONDS)
    for each in types:
        found = [values_of(forecast, each) for _, forecast in pairs]
        columns[label(each)] = pa.array(np.concatenate(found) if found else np.empty(0), pa.float64())
    return rounded(pa.table(columns))


def _selected(work: Work, plan: Plan) -> set[Key] | None:
    """The series that TimeSeriesSelector names; those that are not in the data are left out, as AWS does."""
    selector = (work.resource.request.get("TimeSeriesSelector") or {}).get("TimeSeriesIdentifiers")
    if not selector:
        return None
    names, columns = (ITEM, *plan.dimensions), columns_of(selector["Schema"])
    if missing := [name for name in names if columns.get(name) != "string"]:
        raise JobFailed(f"TimeSeriesSelector.TimeSeriesIdentifiers.Schema has no string {missing[0]}")
    path = selector["DataSource"]["S3Config"]["Path"]
    table, _ = read(work.s3, path, selector.get("Format", "CSV"), columns, TIMESTAMP_FORMATS[1])
    return set(zip(*(table[name].to_pylist() for name in names), strict=True))
