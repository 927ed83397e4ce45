"""What volume-forecast gives to those who rely on it."""

from tests.contracts.provider import ProviderTests
from tests.contracts.states import PREDICTOR_IS_TRAINED
from tests.contracts.volume_forecast.test_relies import CONSUMER


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = PREDICTOR_IS_TRAINED
