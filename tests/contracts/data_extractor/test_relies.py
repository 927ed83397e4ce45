"""What data-extractor relies on in the messages that it takes."""

from datetime import date

import psycopg
import pytest

from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from services.data_extractor import handler
from tests.contracts.consumer import Connect, Consumer, ConsumerTests
from tests.contracts.order_history import load
from tests.contracts.reliance import Reliance
from tests.contracts.states import EVERYTHING_IS_LOADED

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "history": {"first_week": date(2026, 11, 7), "last_week": date(2026, 11, 14)},
        "batches": [{"centres": ["c1"]}],
    },
)

CONSUMER = Consumer(DATA_EXTRACTOR, (PLAN,), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER

    @pytest.fixture
    def connect(self, database_url: str) -> Connect | None:
        load(database_url)
        return lambda: psycopg.connect(database_url)
