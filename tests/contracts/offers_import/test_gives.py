"""What offers-import gives to those who rely on it."""

from tests.contracts.offers_import.test_relies import CONSUMER
from tests.contracts.provider import ProviderTests
from tests.contracts.states import GROUP_IS_CREATED


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = GROUP_IS_CREATED
