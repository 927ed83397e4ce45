"""order-simulator: simulate one week's orders from volume, popularity and all networks."""

from contracts.component import WAKE_SECONDS, Capacity, Component, Policy
from contracts.configurator import MenuWeek, RunPlanned
from contracts.message import Command, DatasetRef, Event
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted


class SimulateOrders(Command):
    plan: RunPlanned
    week: MenuWeek
    volume: OrderVolumeForecasted
    popularity: RecipePopularityForecasted
    networks: tuple[FactoryNetworkConfigured, ...]


class OrdersSimulated(Event):
    """The orders of one week in every Monte Carlo draw, sorted by draw, factory and recipe.

    Columns: draw (int32, from 0), factory, recipe (strings), orders (float64, one recipe for one household). A factory has no
    rows of a recipe that it cannot cook.
    """

    orders: DatasetRef
    draws: int


ORDER_SIMULATOR = Component(
    name="order-simulator",
    squad="dice",
    input=SimulateOrders,
    output=OrdersSimulated,
    versions=("v1", "v2"),
    policy=Policy(heartbeat=WAKE_SECONDS),
    concurrency=2,
    capacity=Capacity(cpus=0.5, memory=2048, seldom=("v2",)),  # of the runs that try it
)
