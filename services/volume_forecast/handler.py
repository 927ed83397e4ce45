"""The predictor's forecast for one factory's regions."""

import csv
import io

from contracts.volume_forecast import FactoryVolumeForecasted, ForecastFactoryVolume
from services.runtime.context import Context
from services.runtime.resources import Forecast, resource_name


def handle(inputs: ForecastFactoryVolume, ctx: Context) -> FactoryVolumeForecasted:
    """Nothing for a factory without regions. Raises ResourcePending until the forecast is there."""
    regions = inputs.factory.regions
    if not regions:
        ctx.log.info("factory %s serves no region", inputs.factory.key)
        return FactoryVolumeForecasted()

    def items() -> str:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows((region,) for region in regions)
        return ctx.write_file("regions.csv", text.getvalue().encode(), "text/csv; charset=utf-8")

    name = resource_name("volume", ctx.run_id, inputs.factory.key)
    (arn,) = ctx.forecasting.ready([Forecast(name, inputs.predictor.predictor_arn, items)], inputs.group.waiting)
    return FactoryVolumeForecasted(forecast_arn=arn)
