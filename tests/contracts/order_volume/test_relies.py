"""What order-volume relies on in the messages that it takes."""

from datetime import date, timedelta

import pyarrow as pa

from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.order_volume import ORDER_VOLUME
from services.models.volume import SCHEMA
from services.order_volume import fallback, handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Own, Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, ORDERS_ARE_LOADED

LAST_WEEK = date(2026, 11, 14)
WEEK = date(2026, 11, 28)

EARLIER = {
    "week": WEEK,
    "region": "north",
    "factory": "A",
    "mean": 9.0,
    "p10": 8.0,
    "p50": 9.0,
    "p90": 10.0,
    "method": "t",
}
"""Of its own last good forecast, which its fallback fits to the plan."""

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "history": {"last_week": LAST_WEEK},
        "weeks": [{"starts": WEEK}],
        "recipes_per_box": 3.0,
        "factories": [{"key": "B", "regions": ["north"]}],
        "last_good": {
            "order-volume": {
                "run_id": "earlier",
                "date": date(2026, 11, 18),
                "output": {"volume": Own(pa.Table.from_pylist([EARLIER], schema=SCHEMA))},
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
                "factory": ["A", "A"],
                "orders": [300.0, 330.0],
            }
        )
    },
)


CONSUMER = Consumer(ORDER_VOLUME, (PLAN, HISTORY), (handler.handle, fallback.handle))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
