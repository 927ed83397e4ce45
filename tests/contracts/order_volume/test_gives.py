"""What order-volume gives to those who rely on it."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.message import Event
from contracts.order_volume import ORDER_VOLUME
from services.order_volume import handler, handler_nested
from services.runtime.context import Context
from tests.contracts.consumer import cook
from tests.contracts.dropping import without_column
from tests.contracts.order_volume.test_relies import CONSUMER
from tests.contracts.provider import PactBroken, ProviderTests, message_of, verify
from tests.contracts.states import HISTORY_IS_EXTRACTED
from tests.contracts.volume_export.test_relies import CONSUMER as VOLUME_EXPORT


class TestProvider(ProviderTests):
    consumer = CONSUMER
    state = HISTORY_IS_EXTRACTED


class TestNestedProvider(ProviderTests):
    """The version that is a run of a pipeline gives what volume-export has given there."""

    consumer = CONSUMER
    state = HISTORY_IS_EXTRACTED

    @pytest.fixture
    def answers(self, tmp_path: Path) -> list[Event]:
        ((published, _),) = cook(VOLUME_EXPORT, VOLUME_EXPORT.relies_on, tmp_path / "run", None)

        def handle(inputs: Any, ctx: Context) -> Event:
            run = replace(ctx, nested=lambda: published.model_dump(mode="json"))
            return handler_nested.handle(inputs, run)

        nested = replace(CONSUMER, handlers=(handle,))
        return [answer for answer, _ in cook(nested, CONSUMER.relies_on, tmp_path, None)]


def verify_without(column: str, folder: Path) -> None:
    changed = replace(CONSUMER, handlers=(without_column(handler.handle, column),))
    ((answer, _),) = cook(changed, CONSUMER.relies_on, folder, None)
    verify(ORDER_VOLUME, {HISTORY_IS_EXTRACTED: partial(message_of, answer, ORDER_VOLUME)})


def test_a_column_that_one_relies_on_cannot_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(PactBroken) as broken:
        verify_without("p10", tmp_path)
    (line,) = str(broken.value).splitlines()
    assert line.startswith(
        "pickles (order-volume) no longer gives what dice (order-simulator) relies on in order-volume-forecasted.v1: "
        "column p10 of volume: "
    )
    assert "missing" in line


def test_everyone_who_relies_on_a_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(PactBroken) as broken:
        verify_without("mean", tmp_path)
    first, second = sorted(str(broken.value).splitlines())
    assert "what dice (order-simulator) relies on" in first
    assert "what harbour (network-configuration) relies on" in second


def test_a_column_that_nobody_relies_on_can_be_dropped(tmp_path: Path) -> None:
    verify_without("method", tmp_path)
