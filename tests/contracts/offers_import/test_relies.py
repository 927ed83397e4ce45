"""What offers-import relies on in the messages that it takes."""

from datetime import date

import pyarrow as pa

from contracts.amazon_forecast import CALLBACK
from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.dataset_group import DATASET_GROUP
from contracts.offers_import import OFFERS_IMPORT
from services.offers_import import handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, ORDERS_ARE_LOADED, PLAN_IS_MADE

LAST_WEEK = date(2026, 11, 14)
WEEK = date(2026, 11, 28)

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "history": {"last_week": LAST_WEEK},
        "weeks": [{"starts": WEEK}],
        "offers": pa.table(
            {"week": pa.array([WEEK], pa.date32()), "price": [9.0], "emailer": [0.25], "homepage": [0.5]},
        ),
    },
)

GROUP = Reliance(DATASET_GROUP, given=PLAN_IS_MADE, message={"waiting": CALLBACK})

HISTORY = Reliance(
    DATA_EXTRACTOR,
    given=ORDERS_ARE_LOADED,
    message={
        "history": pa.table(
            {
                "week": pa.array([LAST_WEEK], pa.date32()),
                "region": ["north"],
                "recipe": ["pie"],
                "price": [10.0],
                "emailer": [True],
                "homepage": [False],
            }
        )
    },
)


CONSUMER = Consumer(OFFERS_IMPORT, (PLAN, GROUP, HISTORY), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
