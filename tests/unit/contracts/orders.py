"""The order simulation of eight components, for tests that name its parts: whatever is added to the real one, it stays."""

from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.network_configuration import NETWORK_CONFIGURATION
from contracts.order_simulator import ORDER_SIMULATOR
from contracts.order_volume import ORDER_VOLUME
from contracts.pipeline import Choice, Map, Parallel, Pipeline, Sequence
from contracts.publisher import PUBLISHER
from contracts.recipe_popularity import RECIPE_POPULARITY
from contracts.site_forecast import SITE_FORECAST

ORDERS = Pipeline(
    name="order-simulation",
    flow=Sequence(
        (
            CONFIGURATOR,
            Map((DATA_EXTRACTOR,), over="plan.batches"),
            Parallel((ORDER_VOLUME, RECIPE_POPULARITY)),
            Choice(
                on="plan.weekday",
                cases={
                    "friday": Map((NETWORK_CONFIGURATION,), over="plan.factories", only=("A",)),
                    "monday": Map((NETWORK_CONFIGURATION,), over="plan.factories", only=("B",)),
                },
                otherwise=Map((NETWORK_CONFIGURATION,), over="plan.factories"),
            ),
            Map((ORDER_SIMULATOR, SITE_FORECAST), over="plan.weeks"),
            PUBLISHER,
        )
    ),
)
