"""What may be asked for."""

from datetime import date

import pytest
from pydantic import ValidationError

from contracts.errors import BadRequest
from contracts.pipelines import component_named, pipeline_named
from contracts.run import RunRequest, pin_versions
from tests.unit.contracts.orders import ORDERS

VERSIONS = {component.name: component.versions for component in ORDERS.components}


def test_without_flags_every_flagged_component_gets_its_first_version() -> None:
    assert pin_versions(VERSIONS, {}) == ("order-simulator=v1", "order-volume=direct")


def test_a_flag_chooses() -> None:
    assert pin_versions(VERSIONS, {"order-simulator": "v2"}) == ("order-simulator=v2", "order-volume=direct")


def test_the_order_does_not_depend_on_how_it_was_asked() -> None:
    available = {"b": ("v1", "v2"), "a": ("v1", "v3"), "c": ("v1",)}
    assert pin_versions(available, {"b": "v2", "a": "v3"}) == pin_versions(available, {"a": "v3", "b": "v2"})
    assert pin_versions(available, {"b": "v2"}) == ("a=v1", "b=v2")


@pytest.mark.parametrize("flag", ["recipe-popularity", "order_simulator", ""])
def test_an_unknown_flag_names_those_there_are(flag: str) -> None:
    with pytest.raises(BadRequest, match=f"unknown flag '{flag}': components with versions.* order-simulator"):
        pin_versions(VERSIONS, {flag: "v1"})


def test_an_unknown_flag_where_there_are_none() -> None:
    with pytest.raises(BadRequest, match=r"unknown flag 'a': .*none"):
        pin_versions({"a": ("v1",)}, {"a": "v2"})


def test_an_unknown_version_names_those_there_are() -> None:
    with pytest.raises(BadRequest, match="order-simulator has no version 'v9': choose one of v1, v2"):
        pin_versions(VERSIONS, {"order-simulator": "v9"})


def test_a_request_knows_the_version_of_every_component() -> None:
    request = request_of(versions=("order-simulator=v2",))
    assert request.version_of("order-simulator", "v1") == "v2"
    assert request.version_of("publisher", "v3") == "v3"
    assert request.version_of("order", "v1") == "v1"


@pytest.mark.parametrize("run_id", ["", "a/b", "a b", "x" * 65, "ü"])
def test_a_run_id_that_would_break_a_step_id(run_id: str) -> None:
    with pytest.raises(ValidationError, match="run_id"):
        request_of(run_id=run_id)


def test_unknown_names_are_answered_with_those_there_are() -> None:
    with pytest.raises(BadRequest, match="unknown pipeline 'order': there is order-simulation"):
        pipeline_named("order", (ORDERS,))
    with pytest.raises(BadRequest, match=r"unknown component 'order': there is configurator, .*, publisher$"):
        component_named("order", (ORDERS,))
    assert component_named("publisher", (ORDERS,)) is ORDERS.components[-1]
    assert pipeline_named("order-simulation", (ORDERS,)) is ORDERS


def request_of(run_id: str = "r1", versions: tuple[str, ...] = ()) -> RunRequest:
    return RunRequest(run_id=run_id, pipeline="order-simulation", date=date(2026, 11, 25), versions=versions)
