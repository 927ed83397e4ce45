"""site-forecast: which recipes and ingredients does each factory need in one week?"""

from contracts.component import Component
from contracts.configurator import MenuWeek, RunPlanned
from contracts.message import Command, DatasetRef, Event
from contracts.order_simulator import OrdersSimulated


class ForecastSite(Command):
    plan: RunPlanned
    week: MenuWeek
    simulated: OrdersSimulated


class SiteForecasted(Event):
    """What each factory needs in one week, sorted by factory, kind and name.

    Columns: week (date32), factory, kind ("recipe" or "ingredient"), name, unit (strings; a recipe's is "orders"), mean, p10,
    p50, p90 (float64). Quantiles are of the sums in each draw, not sums of quantiles.

    `totals` is each factory's orders of all recipes together: week (date32), factory, unit (strings, "orders"), mean, p10, p50,
    p90 (float64), sorted by factory. Answers from before there were totals have none.
    """

    forecast: DatasetRef
    totals: DatasetRef | None = None


SITE_FORECAST = Component(
    name="site-forecast",
    squad="dice",
    input=ForecastSite,
    output=SiteForecasted,
    concurrency=2,
)
