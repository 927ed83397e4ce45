"""What volume-forecast relies on in the messages that it takes."""

from contracts.amazon_forecast import CALLBACK
from contracts.configurator import CONFIGURATOR
from contracts.dataset_group import DATASET_GROUP
from contracts.predictor import PREDICTOR
from contracts.volume_forecast import VOLUME_FORECAST
from services.volume_forecast import handler
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, PLAN_IS_MADE, SERIES_ARE_IMPORTED

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={"factories": [{"key": "A", "regions": ["north"]}]},
)

GROUP = Reliance(DATASET_GROUP, given=PLAN_IS_MADE, message={"waiting": CALLBACK})

TRAINED = Reliance(
    PREDICTOR, given=SERIES_ARE_IMPORTED, message={"predictor_arn": "arn:aws:forecast:::predictor/volume"}
)


CONSUMER = Consumer(VOLUME_FORECAST, (PLAN, GROUP, TRAINED), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
