"""What one component replaced is told by all that was made from it, up to the publication and the planner's page."""

import json
import math
from pathlib import Path
from typing import Any, TypeVar

import pytest
from statsforecast.models import AutoETS

from contracts.message import Command, Event, Replacement
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from contracts.order_simulator import OrdersSimulated, SimulateOrders
from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from contracts.pipelines import component_named
from contracts.publisher import ForecastPublished, PublishForecast
from contracts.recipe_popularity import ForecastRecipePopularity, RecipePopularityForecasted
from contracts.site_forecast import ForecastSite, SiteForecasted
from services.runtime.attempt import cook
from services.runtime.handlers import Kitchen, find_handler
from services.runtime.telemetry import Metrics
from services.runtime.testing import local_context
from tests.support.plans import Order, extracted, plan_of

EAST: list[Order] = [(back, "east", recipe, 900.0 + back % 7) for back in range(40) for recipe in ("pie", "ramen")]
WEST: list[Order] = [(back, "west", recipe, 30.0 + back % 5) for back in range(40) for recipe in ("pie", "ramen")]

E = TypeVar("E", bound=Event)


class Kitchens:
    """Each component's own handler, called as a worker calls it: contracts are held and replacements handed on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.statements: list[Any] = []

    async def answer(self, name: str, inputs: Command, expected: type[E], item: str = "-") -> E:
        component = component_named(name)
        context = local_context(self.folder, name, item)
        kitchen = Kitchen(find_handler(component, component.versions[0]), 1)
        try:
            _, answer = await cook(component, kitchen, inputs.model_dump(mode="json"), context, Metrics(name, "v1"))
        finally:
            kitchen.close()
        self.statements += context.statements
        return expected.model_validate(answer)

    async def publish(self, orders: list[Order]) -> ForecastPublished:
        """From the history to the publication, without a database: nothing was published before."""
        ctx = local_context(self.folder, "test")
        plan, history = plan_of(ctx, ahead=(2,)), extracted(ctx, orders)
        week = plan.weeks[0]
        volume = await self.answer(
            "order-volume", ForecastOrderVolume(plan=plan, history=history), OrderVolumeForecasted
        )
        popularity = await self.answer(
            "recipe-popularity", ForecastRecipePopularity(plan=plan, history=history), RecipePopularityForecasted
        )
        networks = []
        for factory in plan.factories:
            network = ConfigureNetwork(plan=plan, factory=factory, volume=volume, popularity=popularity)
            networks.append(await self.answer("network-configuration", network, FactoryNetworkConfigured, factory.key))
        simulation = SimulateOrders(
            plan=plan, week=week, volume=volume, popularity=popularity, networks=tuple(networks)
        )
        simulated = await self.answer("order-simulator", simulation, OrdersSimulated, week.key)
        site = ForecastSite(plan=plan, week=week, simulated=simulated)
        forecast = await self.answer("site-forecast", site, SiteForecasted, week.key)
        publication = PublishForecast(plan=plan, forecasts=(forecast,), history=history, networks=tuple(networks))
        return await self.answer("publisher", publication, ForecastPublished)


@pytest.fixture
def kitchens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kitchens:
    monkeypatch.setattr("services.publisher.handler.read_previous", lambda ctx, before: None)
    return Kitchens(tmp_path)


def page_of(published: ForecastPublished) -> str:
    return Path(published.page_uri.removeprefix("file://")).read_text(encoding="utf-8")


async def test_a_region_no_model_fits_is_told_in_the_publication_and_on_its_page(
    kitchens: Kitchens, monkeypatch: pytest.MonkeyPatch
) -> None:
    smoothing = AutoETS.forecast

    def fails_for_small(self: AutoETS, y: Any, h: int) -> Any:
        if y.mean() < math.log(100):
            raise Exception("no model able to be fitted")  # as statsforecast does
        return smoothing(self, y=y, h=h)

    monkeypatch.setattr(AutoETS, "forecast", fails_for_small)
    published = await kitchens.publish(EAST + WEST)
    told = Replacement(
        component="order-volume",
        item="-",
        by="the mean of the last weeks for 1 of 2 regions: west",
        why="no model fits west: smoothing: no model able to be fitted",
    )
    assert published.degraded == (told,)
    (version,) = [each for each in kitchens.statements if "INTO publications" in each.sql]
    assert [told.model_dump()] in [json.loads(value) for value in version.rows[0] if str(value).startswith("[")]
    page = page_of(published)
    assert "Degraded." in page
    assert told.by in page
    assert told.why in page


async def test_a_run_in_which_every_model_fits_is_told_as_whole(kitchens: Kitchens) -> None:
    published = await kitchens.publish(EAST + WEST)
    assert published.degraded == ()
    assert "Degraded." not in page_of(published)
