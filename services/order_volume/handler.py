"""How many boxes, when? Reads the extracted history, forecasts each region, writes the plan's weeks."""

from contracts.message import Replacement
from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from services.models.forecast import forecast_all
from services.order_volume.volume import Volume, forecast_volume
from services.runtime.context import Context


def handle(inputs: ForecastOrderVolume, ctx: Context) -> OrderVolumeForecasted:
    """A region on which a model fails is reported as replaced and keeps the rest going.

    Raises BadData when the history holds no orders, or when a plan week does not come after it.
    """
    histories = [ctx.read(extracted.history) for extracted in inputs.history]
    volume = forecast_volume(inputs.plan, histories, forecast_all)
    ctx.log.info("%d regions by %s", len(volume.series), ", ".join(sorted({f.method for f in volume.forecasts})))
    return OrderVolumeForecasted(volume=ctx.write("volume", volume.table()), degraded=_replaced(volume, ctx))


def _replaced(volume: Volume, ctx: Context) -> tuple[Replacement, ...]:
    for region, problem in volume.problems.items():
        ctx.log.warning("region %s takes the mean of its last weeks, because no model fits: %s", region, problem)
    if not volume.problems:
        return ()
    count = f"{len(volume.problems)} of {len(volume.series)} regions"
    return ctx.replaced(
        by=f"the mean of the last weeks for {count}: {', '.join(volume.problems)}",
        why="; ".join(f"no model fits {region}: {problem}" for region, problem in volume.problems.items()),
    )
