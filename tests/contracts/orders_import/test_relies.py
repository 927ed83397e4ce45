"""What orders-import relies on in the messages that it takes."""

from datetime import date, timedelta

import pyarrow as pa

from contracts.amazon_forecast import CALLBACK
from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.dataset_group import DATASET_GROUP
from contracts.orders_import import ORDERS_IMPORT
from services.orders_import import handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, ORDERS_ARE_LOADED, PLAN_IS_MADE

LAST_WEEK = date(2026, 11, 14)

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={"history": {"last_week": LAST_WEEK}, "recipes_per_box": 3.0},
)

GROUP = Reliance(DATASET_GROUP, given=PLAN_IS_MADE, message={"waiting": CALLBACK})

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


CONSUMER = Consumer(ORDERS_IMPORT, (PLAN, GROUP, HISTORY), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
