"""What predictor gives to those who rely on it."""

from tests.contracts.predictor.test_relies import CONSUMER
from tests.contracts.provider import ProviderTests
from tests.contracts.states import SERIES_ARE_IMPORTED


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = SERIES_ARE_IMPORTED
