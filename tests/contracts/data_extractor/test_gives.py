"""What data-extractor gives to those who rely on it."""

import psycopg
import pytest

from tests.contracts.consumer import Connect
from tests.contracts.data_extractor.test_relies import CONSUMER
from tests.contracts.order_history import load
from tests.contracts.provider import ProviderTests
from tests.contracts.states import ORDERS_ARE_LOADED


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = ORDERS_ARE_LOADED

    @pytest.fixture
    def connect(self, database_url: str) -> Connect | None:
        load(database_url)
        return lambda: psycopg.connect(database_url)
