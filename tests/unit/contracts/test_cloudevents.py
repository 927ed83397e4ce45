"""The envelope is a CloudEvent to whoever reads it with the official SDK."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event, to_structured_event

from contracts.component import Component
from contracts.envelope import Envelope, StepKey, seal
from contracts.pipelines import all_components

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DEFINED = {"id", "source", "type", "specversion", "datacontenttype", "time", "data"}
"""The attributes of CloudEvents 1.0 that the envelope has; its others are extensions."""


def body(component: Component, trace: str | None = TRACE) -> str:
    key = StepKey(run_id="2026-11-25-orchestrated-1a2b3c", component=component.name, item="-")
    return seal(key, component.output.wire_type(), component.name, {"boxes": 3, "by": None}, NOON, trace)


def through_the_sdk(text: str) -> str:
    message = HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=text.encode())
    return to_structured_event(from_structured_event(message)).body.decode()


@pytest.mark.parametrize("component", all_components(), ids=lambda component: component.name)
@pytest.mark.parametrize("trace", [TRACE, None])
def test_it_goes_through_the_sdk_and_comes_back_the_same(component: Component, trace: str | None) -> None:
    sent = Envelope[dict[str, Any]].model_validate_json(body(component, trace))
    assert Envelope[dict[str, Any]].model_validate_json(through_the_sdk(body(component, trace))) == sent


def test_the_mode_of_a_fallback_goes_through_as_well() -> None:
    component = all_components()[0]
    text = json.dumps({**json.loads(body(component)), "mode": "fallback"})
    assert Envelope[dict[str, Any]].model_validate_json(through_the_sdk(text)).mode == "fallback"


def test_the_sdk_reads_the_attributes_and_the_data() -> None:
    event = from_structured_event(
        HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=body(all_components()[0]).encode())
    )
    assert event.get_id() == "2026-11-25-orchestrated-1a2b3c/configurator/-"
    assert event.get_type() == "run-planned.v1"
    assert event.get_time() == NOON
    assert event.get_extension("runid") == "2026-11-25-orchestrated-1a2b3c"
    assert event.get_extension("traceparent") == TRACE
    assert event.get_data() == {"boxes": 3, "by": None}


def test_extensions_are_named_as_the_specification_asks() -> None:
    """Lower-case letters and digits; at most 20 of them, so that every protocol can carry them."""
    extensions = Envelope[dict[str, Any]].model_fields.keys() - DEFINED
    assert extensions == {"runid", "traceparent", "mode", "style"}
    assert [name for name in extensions if not re.fullmatch(r"[a-z0-9]{1,20}", name)] == []
