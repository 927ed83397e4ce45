import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from contracts.configurator import Factory
from contracts.errors import BadData
from contracts.message import DatasetRef, EarlierResult, Replacement
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted
from services.network_configuration.fallback import handle
from services.runtime.testing import local_context
from tests.unit.services.network_configuration.test_handler import A, plan_of

FAILURE = "BadData: the factories' caps cannot hold week 2026-11-28: raise weekly_cap"


def reference(name: str) -> DatasetRef:
    return DatasetRef(uri=f"file:///{name}", rows=1, sha256="0" * 64)


def answer(folder: Path, factory: Factory) -> FactoryNetworkConfigured:
    """Neither file is there: a fallback must not need what may have made the handler fail."""
    inputs = ConfigureNetwork(
        plan=plan_of(factory),
        factory=factory,
        volume=OrderVolumeForecasted(volume=reference("volume")),
        popularity=RecipePopularityForecasted(popularity=reference("popularity")),
    )
    return handle(inputs, replace(local_context(folder, "network-configuration", factory.key), failure=FAILURE))


def test_gives_the_last_network_as_it_is(tmp_path: Path) -> None:
    before = FactoryNetworkConfigured(factory="A", network=reference("network"))
    last = EarlierResult(run_id="r1", date=date(2026, 11, 18), output=before.model_dump(mode="json"))
    by = "its network of run r1 of 18 November 2026"
    replaced = Replacement(component="network-configuration", item="A", by=by, why=FAILURE)
    found = answer(tmp_path, A.model_copy(update={"last": last}))
    assert found == before.model_copy(update={"degraded": (replaced,)})


def test_without_a_last_network_it_says_what_failed_first(tmp_path: Path) -> None:
    with pytest.raises(
        BadData, match=f"^factory A has no earlier network to use instead of its own: {re.escape(FAILURE)}$"
    ):
        answer(tmp_path, A)
