"""order-volume's model on other series than regions: each recipe, each centre, or each recipe of each centre."""

from collections.abc import Mapping

import numpy as np

from contracts.errors import BadData
from services.backtest.cases import Cases, truth
from services.backtest.history import Origin
from services.models.forecast import forecast_all

KEYS: Mapping[str, list[str]] = {
    "recipe": ["recipe"],
    "centre": ["centre"],
    "region": ["region"],
    "centre-recipe": ["centre", "recipe"],
}


def add_items(cases: Cases, origin: Origin, items: str, horizon: int) -> list[str]:
    """Forecast orders of every item at the weeks it was really on offer; gives the method of each series.

    Weeks without a row are left out of an item's history: a recipe that is not on the menu says nothing about its demand.

    Raises BadData when no item has a history.
    """
    orders = truth(origin, KEYS[items])
    known = {key: orders.past(key) for key in sorted(orders.series)}
    known = {key: past for key, past in known.items() if not np.isnan(past).all()}
    if not known:
        raise BadData(f"no {items} has orders before origin week {origin.known_weeks}: choose a later one")
    offered = [past[~np.isnan(past)] for past in known.values()]
    forecasts = forecast_all(offered, range(1, horizon + 1))
    for (key, past), forecast in zip(known.items(), forecasts, strict=True):
        to_come = orders.series[key][origin.known_weeks :][:horizon]
        for at in np.flatnonzero(~np.isnan(to_come)):
            quantiles = {"p10": forecast.p10[at], "p50": forecast.p50[at], "p90": forecast.p90[at]}
            cases.add(float(to_come[at]), quantiles, past, int(at) + 1)
    return [forecast.method for forecast in forecasts]
