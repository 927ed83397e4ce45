"""What dataset-group gives to those who rely on it."""

from tests.contracts.dataset_group.test_relies import CONSUMER
from tests.contracts.provider import ProviderTests
from tests.contracts.states import PLAN_IS_MADE


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = PLAN_IS_MADE
