"""What site-forecast relies on in the messages that it takes."""

from datetime import date

import pyarrow as pa

from contracts.configurator import CONFIGURATOR
from contracts.order_simulator import ORDER_SIMULATOR
from contracts.site_forecast import SITE_FORECAST
from services.site_forecast import handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, NETWORKS_ARE_CONFIGURED

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "weeks": [{"starts": date(2026, 11, 28)}],
        "portions_per_order": 2.5,
        "recipe_book": pa.table({"recipe": ["pie"], "ingredient": ["flour"], "quantity": [120.0], "unit": ["g"]}),
    },
)

SIMULATED = Reliance(
    ORDER_SIMULATOR,
    given=NETWORKS_ARE_CONFIGURED,
    message={
        "draws": 2,
        "orders": pa.table(
            {
                "draw": pa.array([0, 1], pa.int32()),
                "factory": ["A", "A"],
                "recipe": ["pie", "pie"],
                "orders": [10.0, 12.0],
            }
        ),
    },
)


CONSUMER = Consumer(SITE_FORECAST, (PLAN, SIMULATED), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
