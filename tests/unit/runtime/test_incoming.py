"""From a message's body to what it asks for."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.component import Component
from contracts.envelope import MAX_MESSAGE_BYTES, StepKey
from contracts.errors import ContractViolation, PoisonMessage
from contracts.message import Command, Event
from services.runtime.incoming import CommandFor, EventOf, TickFor, parse, serialise, source_of, validate


class ChopDish(Command):
    dish: str
    pieces: int = 8


class DishChopped(Event):
    pieces: int


class Other(Event):
    pieces: int


CHOPPER = Component(name="chopper", squad="tests", input=ChopDish, output=DishChopped)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def envelope(**changes: Any) -> str:
    whole = {
        "specversion": "1.0",
        "id": "run-1/chopper/pie",
        "source": "/brigade/tests",
        "type": "chop-dish.v1",
        "time": "2026-11-25T12:00:00Z",
        "datacontenttype": "application/json",
        "runid": "run-1",
        "traceparent": TRACE,
        "data": {"dish": "pie"},
    }
    return json.dumps({name: value for name, value in (whole | changes).items() if value is not None})


def reason(body: str) -> str:
    with pytest.raises(PoisonMessage) as raised:
        parse(body, CHOPPER)
    return str(raised.value)


def test_a_command_names_its_step_and_holds_its_data() -> None:
    key = StepKey(run_id="run-1", component="chopper", item="pie")
    assert parse(envelope(), CHOPPER) == CommandFor(key, {"dish": "pie"}, TRACE)
    assert parse(envelope(traceparent=None), CHOPPER) == CommandFor(key, {"dish": "pie"}, None)


def test_a_clock_names_its_own_component_and_a_command_of_its_making_says_so() -> None:
    tick = envelope(id="run-1/chopper/-", type="tick.v1", style="scheduled", data={})
    assert parse(tick, CHOPPER) == TickFor(StepKey(run_id="run-1", component="chopper", item="-"), TRACE)
    assert reason(envelope(id="run-1/cook/-", type="tick.v1")) == "a command for cook in the queue of chopper"
    key = StepKey(run_id="run-1", component="chopper", item="pie")
    assert parse(envelope(style="scheduled"), CHOPPER) == CommandFor(key, {"dish": "pie"}, TRACE, style="scheduled")
    assert "style" in reason(envelope(style="haste"))


def test_anything_else_with_a_version_may_be_an_event() -> None:
    body = envelope(id="run-1/host/-", type="supper-planned.v1")
    assert parse(body, CHOPPER) == EventOf(StepKey(run_id="run-1", component="host", item="-"), "supper-planned.v1")


def test_an_additional_field_is_accepted() -> None:
    assert parse(envelope(music="loud", data={"dish": "pie", "music": "loud"}), CHOPPER) == CommandFor(
        StepKey(run_id="run-1", component="chopper", item="pie"), {"dish": "pie", "music": "loud"}, TRACE
    )


@pytest.mark.parametrize("name", ["id", "source", "type", "time", "runid", "data"])
def test_a_missing_attribute_is_named(name: str) -> None:
    body = json.loads(envelope())
    del body[name]
    assert reason(json.dumps(body)) == f"the body is no envelope: {name}: Field required"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"specversion": "0.3"}, "the body is no envelope: specversion: Input should be '1.0'"),
        ({"data": "pie"}, "the body is no envelope: data: Input should be an object"),
        ({"id": "run-1/chopper"}, "the id is not run/component/item"),
        ({"id": "run-1/chopper/pie/crust"}, "the id is not run/component/item"),
        ({"id": "run-1/chopper/p\0ie"}, "the id is not run/component/item"),
        ({"id": "run-1/chopper/pie\n"}, "the id is not run/component/item"),
        ({"runid": "run-2"}, "the id and the runid name different runs"),
        ({"id": "run-1/cook/pie"}, "a command for cook in the queue of chopper"),
        ({"type": "chop-dish"}, "unknown type chop-dish"),
        ({"type": "x" * 500}, f"unknown type {'x' * 100}"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], said: str) -> None:
    assert reason(envelope(**changes)) == said


def test_the_reason_does_not_repeat_what_the_body_holds() -> None:
    """It may be anything, and reasons are logged."""
    body = envelope(time="secret", specversion="secret", data="secret")
    assert "secret" not in reason(body)
    with pytest.raises(ContractViolation) as raised:
        validate(ChopDish, {"dish": "pie", "pieces": "secret"})
    assert str(raised.value).startswith("chop-dish.v1 does not fit its contract: pieces: ")
    assert "secret" not in str(raised.value)


def test_a_body_is_measured_in_bytes() -> None:
    """Each umlaut takes two."""
    room = MAX_MESSAGE_BYTES - len(json.dumps(json.loads(envelope(data={"dish": ""})), ensure_ascii=False).encode())

    def of(letters: int) -> str:
        return json.dumps(json.loads(envelope(data={"dish": "ü" * letters})), ensure_ascii=False)

    assert isinstance(parse(of(room // 2), CHOPPER), CommandFor)
    assert reason(of(room // 2 + 1)) == "the body is over 65,536 bytes"


DEEP = {
    "lists": "[" * 65_536,
    "closed lists": "[" * 32_000 + "]" * 32_000,
    "objects": '{"a":' * 13_000,
    "in the data": envelope(data={"dish": "deep"}).replace('"deep"', "[" * 30_000 + "]" * 30_000),
    "a number": envelope(data={"dish": "long"}).replace('"long"', "9" * 60_000),
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_what_is_nested_or_counted_too_far_is_refused_while_it_is_read(body: str) -> None:
    """The parser stops at its 200th level and at a number's 4,300th digit, before anything is made of them."""
    began = time.perf_counter()
    said = reason(body)
    assert time.perf_counter() - began < 0.1
    assert said.startswith("the body is no envelope: body: Invalid JSON: ")
    assert "recursion limit exceeded" in said or "number out of range" in said


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_understood_or_poison(body: str) -> None:
    with pytest.raises(PoisonMessage):
        parse(body, CHOPPER)


JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
)


@given(st.sampled_from(["specversion", "id", "source", "type", "time", "runid", "traceparent", "data"]), JSON)
def test_an_envelope_with_any_attribute_is_understood_or_poison(name: str, value: Any) -> None:
    try:
        asked = parse(envelope(**{name: value}), CHOPPER)
    except PoisonMessage:
        return
    assert "\0" not in asked.key.id


def test_an_answer_of_another_contract_is_refused() -> None:
    with pytest.raises(ContractViolation, match="answered Other, its contract says DishChopped"):
        serialise(Other(pieces=8), CHOPPER, "dish-chopped.v1")
    assert serialise(DishChopped(pieces=8), CHOPPER, "dish-chopped.v1") == ('{"pieces":8}', {"pieces": 8})


class Named(Event):
    name: str


NAMER = CHOPPER.model_copy(update={"output": Named})


@pytest.mark.parametrize("name", ["p\0ie", "\0", "\\\0"])
def test_an_answer_that_no_database_can_look_into_is_refused(name: str) -> None:
    with pytest.raises(ContractViolation, match="holds the character NUL, which no database takes: leave it out"):
        serialise(Named(name=name), NAMER, "named.v1")


@pytest.mark.parametrize("name", ["\\u0000", "\\\\u0000", "u0000", "\x01"])
def test_an_answer_may_write_about_it(name: str) -> None:
    assert serialise(Named(name=name), NAMER, "named.v1")[1] == {"name": name}


@pytest.mark.parametrize(
    ("body", "source"),
    [
        (envelope(), "/brigade/tests"),
        (envelope(id=None, time="never", data=[1]), "/brigade/tests"),
        ('{"data": {"source": "inner"}, "source": "outer"}', "outer"),
        (envelope()[:120], "/brigade/tests"),
        (envelope(data={"dish": "y" * 300_000}), "/brigade/tests"),
        ('{"source" : "é", "broken', "é"),
        ("no JSON", "unreadable"),
        ('{"source": ""}', "unreadable"),
        ('{"source": 7}', "unreadable"),
        ('"source', "unreadable"),
        ("[" * 65_536, "unreadable"),
        ("y" * 70_000 + envelope(), "unreadable"),
    ],
)
def test_whose_message_it_is_is_read_as_far_as_it_can_be(body: str, source: str) -> None:
    assert source_of(body) == source
