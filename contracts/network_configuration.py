"""network-configuration: what does one factory cook, and how much a week, for its regions under its cap?"""

from contracts.component import Component
from contracts.configurator import Factory, RunPlanned
from contracts.message import Command, DatasetRef, Event
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted


class ConfigureNetwork(Command):
    plan: RunPlanned
    factory: Factory
    volume: OrderVolumeForecasted
    popularity: RecipePopularityForecasted


class FactoryNetworkConfigured(Event):
    """What one factory takes on, sorted by week, region and unable.

    Columns: week (date32), region (string), boxes (float64, a week), overflow (bool: the region is another factory's) and
    unable (list of strings, sorted: the factories that cannot cook these boxes' recipes; recipes of the same ones share a row).
    Answers from before schema version 2 have no unable: it is empty. A box is `recipes_per_box` orders of recipes that may be
    cooked apart. A week that the network does not cover uses its latest one.
    """

    factory: str
    network: DatasetRef


NETWORK_CONFIGURATION = Component(
    name="network-configuration",
    squad="harbour",
    input=ConfigureNetwork,
    output=FactoryNetworkConfigured,
    concurrency=2,
    fallback=True,
)
