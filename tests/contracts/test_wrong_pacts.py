"""Each way in which a pact can be wrong is found, with what to do about it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pact.types import Message

from contracts.order_simulator import ORDER_SIMULATOR
from contracts.publisher import PUBLISHER
from tests.contracts import consumer, reliance
from tests.contracts.consumer import WRITE, Consumer, ConsumerTests
from tests.contracts.provider import verify
from tests.contracts.reliance import PACTS, document_of, file_of, pact_of
from tests.contracts.site_forecast.test_relies import CONSUMER, PLAN, SIMULATED
from tests.contracts.states import NETWORKS_ARE_CONFIGURED


def suite_of(changed: Consumer) -> ConsumerTests:
    made: ConsumerTests = type("Changed", (ConsumerTests,), {"consumer": changed})()
    return made


def stating(message: Mapping[str, Any]) -> ConsumerTests:
    return suite_of(replace(CONSUMER, relies_on=(replace(PLAN, message=message), SIMULATED)))


@pytest.mark.parametrize("field", ["portions_per_order", "weeks", "recipe_book"])
def test_a_pact_that_says_too_little_does_not_suffice(field: str, tmp_path: Path) -> None:
    less = stating({name: value for name, value in PLAN.message.items() if name != field})
    with pytest.raises((AssertionError, FileNotFoundError)):
        less.test_what_it_relies_on_suffices(tmp_path, None)


def test_a_pact_that_says_too_much_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nobody reads configurator: seed: state only what the handlers rely on"):
        stating({**PLAN.message, "seed": 7}).test_it_relies_on_nothing_that_does_not_matter(tmp_path, None)


@pytest.fixture
def pacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the committed pacts, with those of site-forecast."""
    monkeypatch.delenv(WRITE, raising=False)
    for module in (consumer, reliance):
        monkeypatch.setattr(module, "PACTS", tmp_path)
    for each in CONSUMER.relies_on:
        file_of(CONSUMER.component, each.provider).write_text(document_of(pact_of(CONSUMER.component, each)))
    suite_of(CONSUMER).test_its_pacts_are_the_committed_ones()
    return tmp_path


@pytest.mark.usefixtures("pacts")
def test_a_pact_that_was_not_written_again_is_stale() -> None:
    with pytest.raises(
        AssertionError, match=r"site-forecast-configurator\.json: not what the tests state; run `make pa"
    ):
        stating({**PLAN.message, "seed": 7}).test_its_pacts_are_the_committed_ones()


@pytest.mark.usefixtures("pacts")
def test_a_pact_that_is_stated_no_more_is_stale() -> None:
    with pytest.raises(AssertionError, match=r"site-forecast-order-simulator\.json: not what the tests state"):
        suite_of(replace(CONSUMER, relies_on=(PLAN,))).test_its_pacts_are_the_committed_ones()


def test_pacts_are_written_when_asked_for(pacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed = {path.name: path.read_bytes() for path in pacts.iterdir()}
    monkeypatch.setenv(WRITE, "1")
    suite_of(replace(CONSUMER, relies_on=(PLAN,))).test_its_pacts_are_the_committed_ones()
    assert [path.name for path in pacts.iterdir()] == ["site-forecast-configurator.json"]
    suite_of(CONSUMER).test_its_pacts_are_the_committed_ones()
    assert {path.name: path.read_bytes() for path in pacts.iterdir()} == committed, "the same bytes each time"


def never() -> Message:
    raise AssertionError("nothing is asked for a message")


def test_a_state_that_the_provider_does_not_know_is_named() -> None:
    with pytest.raises(ValueError, match=f"asks for '{NETWORKS_ARE_CONFIGURED}', which order-simulator's tests do not"):
        verify(ORDER_SIMULATOR, {"a quiet evening": never})


def test_a_pact_about_another_version_is_named(pacts: Path) -> None:
    file = pacts / "site-forecast-order-simulator.json"
    file.write_text(file.read_text().replace("orders-simulated.v1", "orders-simulated.v7"))
    with pytest.raises(ValueError, match=r"is about orders-simulated\.v7, order-simulator gives orders-simulated\.v1"):
        verify(ORDER_SIMULATOR, {NETWORKS_ARE_CONFIGURED: never}, pacts)


def test_a_provider_on_which_nobody_relies_has_nothing_to_verify() -> None:
    with pytest.raises(ValueError, match="no pact names publisher"):
        verify(PUBLISHER, {})


def test_every_committed_pact_says_whose_it_is() -> None:
    for path in PACTS.iterdir():
        pact = json.loads(path.read_text(encoding="utf-8"))
        assert set(pact["metadata"]["squads"]) == {"consumer", "provider"}
        assert "pactRust" not in pact["metadata"]
