"""The components of order-simulation, run one after another at an origin, as a run would, and compared with what came."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from contracts.order_simulator import OrdersSimulated, SimulateOrders
from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from contracts.recipe_popularity import ForecastRecipePopularity, RecipePopularityForecasted
from contracts.site_forecast import ForecastSite
from services.backtest.cases import Cases, add_recipes, add_totals, add_volume
from services.backtest.history import Origin, Progress
from services.backtest.shares import add_shares
from services.network_configuration.handler import handle as configure_network
from services.order_simulator.handler import handle as simulate
from services.order_simulator.handler_v2 import handle as simulate_v2
from services.order_volume.handler import handle as forecast_volume
from services.recipe_popularity.handler import handle as forecast_popularity
from services.runtime.context import Context
from services.runtime.testing import local_context
from services.site_forecast.handler import handle as forecast_site

VOLUME, POPULARITY, PIPELINE = "order-volume", "recipe-popularity", "order-simulation"
RECIPES, TOTALS = "end to end, recipes", "end to end, totals"

MEASURED = {
    VOLUME: "boxes by region and week",
    POPULARITY: "orders by region, recipe and week, the region's total given",
    RECIPES: "orders by factory, recipe and week",
    TOTALS: "orders by factory and week",
}

SIMULATORS: dict[str, Callable[[SimulateOrders, Context], OrdersSimulated]] = {"v1": simulate, "v2": simulate_v2}


@dataclass(frozen=True)
class Bench:
    """Runs components at one origin and adds what they said to `cases`, by the names of `MEASURED`."""

    origin: Origin
    folder: Path
    cases: dict[str, Cases]
    progress: Progress

    def volume(self) -> OrderVolumeForecasted:
        ctx = self._context(VOLUME)
        inputs = ForecastOrderVolume(plan=self.origin.plan, history=(self.origin.known,))
        answer = forecast_volume(inputs, ctx)
        add_volume(self._cases(VOLUME), ctx.read(answer.volume), self.origin)
        return answer

    def popularity(self) -> RecipePopularityForecasted:
        ctx = self._context(POPULARITY)
        inputs = ForecastRecipePopularity(plan=self.origin.plan, history=(self.origin.known,))
        answer = forecast_popularity(inputs, ctx)
        add_shares(self._cases(POPULARITY), ctx.read(answer.popularity), self.origin)
        return answer

    def pipeline(self, simulator: str) -> None:
        """All components. Raises BadData when the factories' caps are too small for what is forecast."""
        volume, popularity = self.volume(), self.popularity()
        plan = self.origin.plan
        networks: list[FactoryNetworkConfigured] = []
        for factory in plan.factories:
            network = ConfigureNetwork(plan=plan, factory=factory, volume=volume, popularity=popularity)
            networks.append(configure_network(network, self._context("network-configuration", factory.key)))
        for week in plan.weeks:
            simulation = SimulateOrders(
                plan=plan, week=week, volume=volume, popularity=popularity, networks=tuple(networks)
            )
            simulated = SIMULATORS[simulator](simulation, self._context("order-simulator", week.key))
            ctx = self._context("site-forecast", week.key)
            answer = forecast_site(ForecastSite(plan=plan, week=week, simulated=simulated), ctx)
            assert answer.totals is not None, "site-forecast writes totals"
            add_recipes(self._cases(RECIPES), ctx.read(answer.forecast), self.origin)
            add_totals(self._cases(TOTALS), ctx.read(answer.totals), self.origin)

    def _cases(self, name: str) -> Cases:
        return self.cases.setdefault(name, Cases())

    def _context(self, component: str, item: str = "-") -> Context:
        self.progress(f"{component} {'' if item == '-' else item}".rstrip())
        return local_context(self.folder, component, item)
