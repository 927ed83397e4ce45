"""How many boxes, when? As a run of the pipeline that asks Amazon Forecast's API."""

from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from contracts.volume_export import OrderVolumePublished
from services.runtime.context import Context


def handle(inputs: ForecastOrderVolume, ctx: Context) -> OrderVolumeForecasted:
    """The run takes the plan and the history over from this one. Raises NestedRunFailed when it fails."""
    published = OrderVolumePublished.model_validate(ctx.run_nested())
    return OrderVolumeForecasted(volume=published.volume, degraded=published.degraded)
