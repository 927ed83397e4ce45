"""What recipe-popularity relies on in the messages that it takes."""

from datetime import date, timedelta

import pyarrow as pa

from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.recipe_popularity import RECIPE_POPULARITY
from services.recipe_popularity import fallback, handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Own, Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, ORDERS_ARE_LOADED

LAST_WEEK = date(2026, 11, 14)
WEEK = date(2026, 11, 28)

EARLIER = {"week": WEEK, "region": "north", "recipe": "pie", "share": 1.0, "spread": 0.2}
"""Of its own last good forecast, which its fallback fits to the plan."""

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "history": {"last_week": LAST_WEEK},
        "weeks": [{"starts": WEEK, "recipes": ["pie"]}],
        "recipe_book": pa.table({"recipe": ["pie"], "category": ["baked"], "cuisine": ["british"]}),
        "offers": pa.table(
            {
                "week": pa.array([WEEK], pa.date32()),
                "recipe": ["pie"],
                "price": [9.0],
                "base_price": [10.0],
                "emailer": [1.0],
                "homepage": [0.0],
            }
        ),
        "factories": [{"regions": ["north"]}],
        "last_good": {
            "recipe-popularity": {
                "run_id": "earlier",
                "date": date(2026, 11, 18),
                "output": {"popularity": Own(pa.Table.from_pylist([EARLIER], schema=handler.SCHEMA))},
            }
        },
    },
)

HISTORY = Reliance(
    DATA_EXTRACTOR,
    given=ORDERS_ARE_LOADED,
    message={
        "history": pa.table(
            {
                "week": pa.array([LAST_WEEK - timedelta(weeks=1), LAST_WEEK], pa.date32()),
                "region": ["north", "north"],
                "recipe": ["pie", "pie"],
                "orders": [300.0, 330.0],
                "price": [10.0, 9.0],
                "base_price": [10.0, 10.0],
                "emailer": [False, True],
                "homepage": [False, False],
            }
        )
    },
)


CONSUMER = Consumer(RECIPE_POPULARITY, (PLAN, HISTORY), (handler.handle, fallback.handle))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
