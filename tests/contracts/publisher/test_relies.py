"""What publisher relies on in the messages that it takes."""

from contextlib import nullcontext
from datetime import date
from unittest.mock import MagicMock

import pyarrow as pa
import pytest

from contracts.configurator import CONFIGURATOR
from contracts.data_extractor import DATA_EXTRACTOR
from contracts.network_configuration import NETWORK_CONFIGURATION
from contracts.publisher import PUBLISHER
from contracts.site_forecast import SITE_FORECAST
from services.publisher import handler
from tests.contracts.consumer import Connect, Consumer, ConsumerTests
from tests.contracts.reliance import Reliance
from tests.contracts.states import (
    EVERYTHING_IS_LOADED,
    FORECASTS_ARE_MADE,
    ORDERS_ARE_LOADED,
    ORDERS_ARE_SIMULATED,
)

WEEK = date(2026, 11, 28)

NETWORK = {
    "factory": "A",
    "network": {"uri": "s3://bucket/network.parquet", "sha256": "0" * 64, "rows": 2, "schema_version": 2},
}
"""Nobody reads the file here. A network is told from an earlier one, which is reused, by the whole reference."""

PLAN = Reliance(
    CONFIGURATOR,
    given=EVERYTHING_IS_LOADED,
    message={
        "date": date(2026, 11, 25),
        "weekday": "wednesday",
        "seed": 7,
        "history": {"first_week": date(2026, 9, 12), "last_week": date(2026, 11, 14)},
        "weeks": [{"starts": WEEK}],
        "factories": [
            {
                "key": "A",
                "weekly_cap": 900.0,
                "regions": ["north"],
                "last": {"run_id": "earlier", "date": date(2026, 11, 18), "output": NETWORK},
            }
        ],
        "batches": [{"centres": ["c1"]}],
        "recipe_book": pa.table({"recipe": ["pie"], "category": ["baked"], "cuisine": ["british"]}),
        "recipes_per_box": 3.0,
        "portions_per_order": 2.5,
    },
)

HISTORY = Reliance(
    DATA_EXTRACTOR,
    given=ORDERS_ARE_LOADED,
    message={
        "history": pa.table(
            {"week": pa.array([date(2026, 11, 14)], pa.date32()), "factory": ["A"], "orders": [300.0]},
        )
    },
)

NETWORKS = Reliance(NETWORK_CONFIGURATION, given=FORECASTS_ARE_MADE, message=NETWORK)

NEED = {"factory": ["A"], "kind": ["recipe"], "name": ["pie"], "unit": ["orders"]}
AMOUNTS = {"mean": [310.0], "p10": [280.0], "p50": [309.0], "p90": [341.0]}

FORECASTS = Reliance(
    SITE_FORECAST,
    given=ORDERS_ARE_SIMULATED,
    message={
        "forecast": pa.table({"week": pa.array([WEEK], pa.date32()), **NEED, **AMOUNTS}),
        "totals": pa.table(
            {"week": pa.array([WEEK], pa.date32()), "factory": ["A"], "unit": ["orders"], **AMOUNTS},
        ),
    },
)


CONSUMER = Consumer(PUBLISHER, (PLAN, HISTORY, NETWORKS, FORECASTS), (handler.handle,))


class TestConsumer(ConsumerTests):
    consumer = CONSUMER

    @pytest.fixture
    def connect(self) -> Connect | None:
        """To a database in which nothing was published before."""
        connection = MagicMock()
        connection.execute.return_value.fetchone.return_value = None
        return lambda: nullcontext(connection)
