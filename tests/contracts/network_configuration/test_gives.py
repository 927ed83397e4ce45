"""What network-configuration gives to those who rely on it."""

from pathlib import Path

import pytest

from contracts.network_configuration import NETWORK_CONFIGURATION
from tests.contracts.consumer import cook
from tests.contracts.dropping import message_without
from tests.contracts.network_configuration.test_relies import CONSUMER
from tests.contracts.provider import PactBroken, ProviderTests, verify
from tests.contracts.states import FORECASTS_ARE_MADE


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = FORECASTS_ARE_MADE


def test_everyone_who_relies_on_a_field_is_named(tmp_path: Path) -> None:
    answer, _ = next(cook(CONSUMER, CONSUMER.relies_on, tmp_path, None))
    with pytest.raises(PactBroken) as broken:
        verify(NETWORK_CONFIGURATION, {FORECASTS_ARE_MADE: message_without(answer, NETWORK_CONFIGURATION, "factory")})
    assert sorted(str(broken.value).splitlines()) == [
        f"harbour (network-configuration) no longer gives what {consumer} relies on in factory-network-configured.v1: "
        "the message: Actual map is missing the following keys: factory"
        for consumer in ("dice (order-simulator)", "front-of-house (publisher)")
    ]
