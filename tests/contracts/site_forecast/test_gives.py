"""What site-forecast gives to those who rely on it."""

from tests.contracts.provider import ProviderTests
from tests.contracts.site_forecast.test_relies import CONSUMER
from tests.contracts.states import ORDERS_ARE_SIMULATED


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = ORDERS_ARE_SIMULATED
