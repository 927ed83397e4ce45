"""What order-simulator gives to those who rely on it."""

from pathlib import Path

import pytest

from contracts.order_simulator import ORDER_SIMULATOR
from tests.contracts.consumer import cook
from tests.contracts.dropping import message_without
from tests.contracts.order_simulator.test_relies import CONSUMER
from tests.contracts.provider import PactBroken, ProviderTests, verify
from tests.contracts.states import NETWORKS_ARE_CONFIGURED


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = NETWORKS_ARE_CONFIGURED


def verify_without(folder: Path, *field: str) -> None:
    answer, _ = next(cook(CONSUMER, CONSUMER.relies_on, folder, None))
    verify(ORDER_SIMULATOR, {NETWORKS_ARE_CONFIGURED: message_without(answer, ORDER_SIMULATOR, *field)})


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (("draws",), "the message: Actual map is missing the following keys: draws"),
        (("orders", "sha256"), "orders: Actual map is missing the following keys: sha256"),
    ],
)
def test_a_field_that_one_relies_on_cannot_be_dropped(tmp_path: Path, field: tuple[str, ...], said: str) -> None:
    with pytest.raises(PactBroken) as broken:
        verify_without(tmp_path, *field)
    assert str(broken.value) == (
        f"dice (order-simulator) no longer gives what dice (site-forecast) relies on in orders-simulated.v1: {said}"
    )


def test_a_field_that_nobody_relies_on_can_be_dropped(tmp_path: Path) -> None:
    verify_without(tmp_path, "orders", "rows")
