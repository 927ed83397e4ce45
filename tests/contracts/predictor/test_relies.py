"""What predictor relies on in the messages that it takes."""

from datetime import date

from contracts.amazon_forecast import CALLBACK
from contracts.configurator import CONFIGURATOR
from contracts.dataset_group import DATASET_GROUP
from contracts.offers_import import OFFERS_IMPORT
from contracts.orders_import import ORDERS_IMPORT
from contracts.predictor import PREDICTOR
from services.predictor import handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, GROUP_IS_CREATED, PLAN_IS_MADE

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={"history": {"last_week": date(2026, 11, 14)}, "weeks": [{"starts": date(2026, 11, 28)}]},
)

GROUP = Reliance(
    DATASET_GROUP,
    given=PLAN_IS_MADE,
    message={"dataset_group_arn": "arn:aws:forecast:::dataset-group/brigade", "waiting": CALLBACK},
)

ORDERS = Reliance(ORDERS_IMPORT, given=GROUP_IS_CREATED, message={"dataset_arn": "arn:aws:forecast:::dataset/orders"})

OFFERS = Reliance(OFFERS_IMPORT, given=GROUP_IS_CREATED, message={"dataset_arn": "arn:aws:forecast:::dataset/offers"})


CONSUMER = Consumer(PREDICTOR, (PLAN, GROUP, ORDERS, OFFERS), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
