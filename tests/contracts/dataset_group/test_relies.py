"""What dataset-group relies on in the messages that it takes."""

from contracts.configurator import CONFIGURATOR
from contracts.dataset_group import DATASET_GROUP
from services.dataset_group import handler, handler_callback
from tests.contracts.consumer import Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED

PLAN = Reliance(CONFIGURATOR, given=EVERYTHING_IS_LOADED, message={})
"""That there is one: the group is the run's, whatever it covers."""

CONSUMER = Consumer(DATASET_GROUP, (PLAN,), (handler.handle, handler_callback.handle))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER
