"""Envelopes, step ids and wire names."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.envelope import MAX_MESSAGE_BYTES, Envelope, StepKey, seal
from contracts.message import Command, Event
from contracts.order_simulator import ORDER_SIMULATOR
from contracts.pipelines import ORDER_SIMULATION, all_components
from contracts.resolve import assemble, first_step, resolve
from contracts.run import RunRequest
from tests.unit.contracts.plans import DAY, answer, earlier, reference

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
GRAPH = ORDER_SIMULATION.graph
KEY = StepKey(run_id="2026-11-25-orchestrated-1a2b3c", component="order-volume", item="-")
PART = st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True)


@given(run_id=PART, component=PART, item=PART)
def test_a_step_id_is_read_back(run_id: str, component: str, item: str) -> None:
    key = StepKey(run_id=run_id, component=component, item=item)
    assert StepKey.parse(key.id) == key
    assert key.id == f"{run_id}/{key.local}"


@pytest.mark.parametrize("step_id", ["", "run", "run/component", "run/component/item/more"])
def test_what_is_no_step_id(step_id: str) -> None:
    with pytest.raises(ValueError, match="unpack"):
        StepKey.parse(step_id)


def test_an_envelope_has_the_attributes_of_cloudevents() -> None:
    body = json.loads(seal(KEY, "order-volume-forecasted.v1", "order-volume", {"boxes": 3}, NOON, "00-ab-cd-01"))
    assert body == {
        "specversion": "1.0",
        "id": "2026-11-25-orchestrated-1a2b3c/order-volume/-",
        "source": "/brigade/order-volume",
        "type": "order-volume-forecasted.v1",
        "time": "2026-11-25T12:00:00Z",
        "datacontenttype": "application/json",
        "runid": "2026-11-25-orchestrated-1a2b3c",
        "traceparent": "00-ab-cd-01",
        "data": {"boxes": 3},
    }


def test_the_same_step_seals_the_same_body() -> None:
    assert seal(KEY, "t.v1", "s", {"a": 1}, NOON) == seal(KEY, "t.v1", "s", {"a": 1}, NOON)


def test_an_unknown_attribute_is_accepted_and_dropped() -> None:
    body = json.loads(seal(KEY, "t.v1", "s", {}, NOON)) | {"subject": "new"}
    assert "subject" not in Envelope[dict[str, Any]].model_validate(body).model_dump()


@pytest.mark.parametrize("change", [{"specversion": "0.3"}, {"runid": ""}, {"id": None}, {"time": "noon"}])
def test_what_is_no_envelope(change: dict[str, Any]) -> None:
    body = json.loads(seal(KEY, "t.v1", "s", {}, NOON)) | change
    with pytest.raises(ValidationError, match=next(iter(change))):
        Envelope[dict[str, Any]].model_validate(body)


def test_an_envelope_adds_little_to_its_data() -> None:
    """So a handler's answer that fits the limit by some room fits in its message."""
    key = StepKey(run_id="r" * 64, component="c" * 40, item="i" * 64)
    overhead = len(seal(key, "t" * 80, "s" * 40, {}, NOON, "00-" + "f" * 52)) - len("{}")
    assert overhead < 700 < MAX_MESSAGE_BYTES / 64


def test_the_largest_command_of_a_large_plan_fits() -> None:
    """Data travels as references, so what grows is the plan: 200 centres, 100 recipes in each of four weeks, 20 factories."""
    saturday = date(2026, 11, 28)
    plan = RunPlanned(
        date=DAY,
        weekday="friday",
        seed=1,
        history=History(first_week=saturday - timedelta(weeks=104), last_week=saturday - timedelta(weeks=1)),
        weeks=tuple(
            MenuWeek(key=f"{starts}", starts=starts, recipes=tuple(f"recipe-of-the-week-{n}" for n in range(100)))
            for starts in (saturday + timedelta(weeks=n) for n in range(4))
        ),
        factories=tuple(
            Factory(key=f"factory-{n}", weekly_cap=10_000, regions=(f"region-{n}",), last=earlier(f"factory-{n}"))
            for n in range(20)
        ),
        batches=tuple(Batch(key=f"b{n}", centres=tuple(f"centre-{n}-{m}" for m in range(25))) for n in range(8)),
        recipe_book=reference("recipes"),
        recipes_per_box=3,
        portions_per_order=2,
    )
    request = RunRequest(run_id="r" * 64, pipeline="order-simulation", date=DAY)
    as_json = plan.model_dump(mode="json")
    steps = (first_step(GRAPH, request), *resolve(GRAPH, request, as_json))
    answers = {step.key: answer(step.component, step.item, plan) for step in steps}
    for step in steps:
        node = GRAPH.node(step.component)
        data = assemble(GRAPH, node, step.item, request, answers)
        body = seal(KEY, node.command, "start", data, NOON)
        assert len(body.encode()) < MAX_MESSAGE_BYTES / 2, step.key


def test_wire_names_are_kebab_case_with_a_version() -> None:
    assert ORDER_SIMULATOR.input.wire_type() == "simulate-orders.v1"
    assert ORDER_SIMULATOR.output.wire_type() == "orders-simulated.v1"


class TakeHTTPOrder2(Command):
    contract_version: ClassVar[int] = 3


def test_an_odd_class_name() -> None:
    assert TakeHTTPOrder2.wire_type() == "take-httporder2.v3"


def test_no_two_messages_share_a_wire_name() -> None:
    """A worker tells a command from an event by nothing else."""
    messages: list[type[Command | Event]] = [c.input for c in all_components()]
    messages += [c.output for c in all_components()]
    names = [message.wire_type() for message in messages]
    assert len(set(names)) == len(names)
