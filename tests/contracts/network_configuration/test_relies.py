"""What network-configuration relies on in the messages that it takes."""

from datetime import date

import pyarrow as pa

from contracts.configurator import CONFIGURATOR
from contracts.network_configuration import NETWORK_CONFIGURATION
from contracts.order_volume import ORDER_VOLUME
from contracts.recipe_popularity import RECIPE_POPULARITY
from services.network_configuration import fallback, handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Own, Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, HISTORY_IS_EXTRACTED

WEEK = date(2026, 11, 28)

EARLIER = {"week": WEEK, "region": "north", "boxes": 9.0, "overflow": False, "unable": []}
"""Of the factory's own last network, which this week's stays close to."""

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "weeks": [{"starts": WEEK}],
        "factories": [
            {
                "key": "A",
                "weekly_cap": 900.0,
                "regions": ["north"],
                "last": {
                    "run_id": "earlier",
                    "date": date(2026, 11, 18),
                    "output": {"factory": "A", "network": Own(pa.Table.from_pylist([EARLIER], schema=handler.SCHEMA))},
                },
            }
        ],
        "costs": pa.table({"factory": ["A"], "region": ["north"], "cost": [1.5]}),
        "cannot_cook": pa.table({"recipe": ["soup"], "factories": [["B"]]}),
    },
)

VOLUME = Reliance(
    ORDER_VOLUME,
    given=HISTORY_IS_EXTRACTED,
    message={"volume": pa.table({"week": pa.array([WEEK], pa.date32()), "region": ["north"], "mean": [100.0]})},
)

POPULARITY = Reliance(
    RECIPE_POPULARITY,
    given=HISTORY_IS_EXTRACTED,
    message={
        "popularity": pa.table(
            {
                "week": pa.array([WEEK, WEEK], pa.date32()),
                "region": ["north", "north"],
                "recipe": ["pie", "soup"],
                "share": [0.75, 0.25],
            }
        )
    },
)


CONSUMER = Consumer(NETWORK_CONFIGURATION, (PLAN, VOLUME, POPULARITY), (handler.handle, fallback.handle))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
