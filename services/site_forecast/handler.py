"""Which recipes and ingredients does each factory need in one week? Reads simulated orders, writes mean and quantiles."""

from contracts.site_forecast import ForecastSite, SiteForecasted
from services.runtime.context import Context
from services.site_forecast.needs import needs, totals


def handle(inputs: ForecastSite, ctx: Context) -> SiteForecasted:
    """Raises BadData when an ingredient is measured in two units."""
    orders = ctx.read(inputs.simulated.orders)
    book = ctx.read(inputs.plan.recipe_book)
    table = needs(inputs.week.starts, orders, inputs.simulated.draws, book, inputs.plan.portions_per_order)
    return SiteForecasted(
        forecast=ctx.write("forecast", table),
        totals=ctx.write("totals", totals(inputs.week.starts, orders, inputs.simulated.draws)),
    )
