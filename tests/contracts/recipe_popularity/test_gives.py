"""What recipe-popularity gives to those who rely on it."""

from tests.contracts.provider import ProviderTests
from tests.contracts.recipe_popularity.test_relies import CONSUMER
from tests.contracts.states import HISTORY_IS_EXTRACTED


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = HISTORY_IS_EXTRACTED
