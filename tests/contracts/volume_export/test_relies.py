"""What volume-export relies on in the messages that it takes."""

from datetime import date

from contracts.amazon_forecast import CALLBACK
from contracts.configurator import CONFIGURATOR
from contracts.dataset_group import DATASET_GROUP
from contracts.volume_export import VOLUME_EXPORT
from contracts.volume_forecast import VOLUME_FORECAST
from services.volume_export import handler
from tests.contracts.amazon_forecast import WEEK
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED, PLAN_IS_MADE, PREDICTOR_IS_TRAINED

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={"date": date(2026, 11, 25), "weeks": [{"starts": WEEK}], "factories": [{"key": "A"}]},
)

GROUP = Reliance(DATASET_GROUP, given=PLAN_IS_MADE, message={"waiting": CALLBACK})

FORECASTS = Reliance(
    VOLUME_FORECAST,
    given=PREDICTOR_IS_TRAINED,
    message={"forecast_arn": "arn:aws:forecast:::forecast/volume_A"},
)


CONSUMER = Consumer(VOLUME_EXPORT, (PLAN, GROUP, FORECASTS), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
