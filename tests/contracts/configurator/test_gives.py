"""What configurator gives to those who rely on it. It takes the run request only, so it relies on nobody."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.configurator import CONFIGURATOR, ConfigureRun
from contracts.message import DatasetRef, EarlierResult, Event
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted
from contracts.run import RunRequest
from services.configurator.handler import handle
from services.runtime.testing import local_context
from tests.contracts.consumer import Consumer
from tests.contracts.order_history import RUN_DATE, load
from tests.contracts.provider import ProviderTests
from tests.contracts.states import EVERYTHING_IS_LOADED


def reference(name: str) -> DatasetRef:
    return DatasetRef(uri=f"s3://bucket/{name}.parquet", rows=1, sha256=hashlib.sha256(name.encode()).hexdigest())


def earlier(output: Event) -> EarlierResult:
    return EarlierResult(run_id="earlier", date=RUN_DATE - timedelta(days=7), output=output.model_dump(mode="json"))


EARLIER = {
    ("network-configuration", factory): earlier(FactoryNetworkConfigured(factory=factory, network=reference(factory)))
    for factory in ("A", "B")
} | {
    ("order-volume", "-"): earlier(OrderVolumeForecasted(volume=reference("volume"))),
    ("recipe-popularity", "-"): earlier(RecipePopularityForecasted(popularity=reference("popularity"))),
}


class TestProvider(ProviderTests):
    consumer = Consumer(CONFIGURATOR, (), (handle,))
    state = EVERYTHING_IS_LOADED

    @pytest.fixture
    def answers(self, tmp_path: Path, database_url: str) -> list[Event]:
        load(database_url)
        ctx = local_context(tmp_path, "configurator", database_url=database_url, earlier=EARLIER)
        request = RunRequest(run_id="r", pipeline="order-simulation", date=RUN_DATE, seed=7)
        return [handle(ConfigureRun(request=request), ctx)]
