"""docs/catalogue.html: well formed, loads nothing, and says of every component and message what the contracts say."""

import dataclasses
import json
from typing import Any

import pytest

from contracts.component import Component, Policy
from contracts.message import Event
from contracts.pipelines import PIPELINES, all_components
from contracts.schedule import Schedule
from orchestrator import catalogue
from orchestrator.catalogue.content import Given, Station, read
from orchestrator.catalogue.messages import prose, typed
from orchestrator.catalogue.stations import section
from tests.support.html import Page
from tests.unit.contracts.kitchen import CLOSER, HERBS, HOST, pipeline
from tests.unit.orchestrator.test_asl import BY_EVENING, TASTER

CONTENT = read(PIPELINES)
PAGE = Page(catalogue.text(PIPELINES))


def station(name: str, **changes: Any) -> Station:
    found = next(each for each in CONTENT.stations if each.component.name == name)
    return dataclasses.replace(found, **changes)


def said(shown: Station) -> str:
    return Page(section(CONTENT, shown)).text


def test_it_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    assert PAGE.problems == []
    assert "script" not in PAGE.tags
    (policy,) = (meta["content"] or "" for meta in PAGE.of("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert "script-src 'none'" in policy


def test_it_is_the_same_every_time() -> None:
    assert catalogue.text(PIPELINES) == catalogue.text(PIPELINES)


def test_any_pipelines_have_one() -> None:
    for pipelines in ((pipeline(HOST, HERBS, BY_EVENING, CLOSER),), (pipeline(HOST, HERBS, TASTER),)):
        assert Page(catalogue.text(pipelines)).problems == []


def test_every_component_is_below_its_squad() -> None:
    owners: dict[str, str] = {}
    squad = ""
    for found in PAGE.ids:
        squad = found.removeprefix("squad-") if found.startswith("squad-") else squad
        owners[found] = squad
    for component in all_components():
        assert owners[component.name] == component.squad
        assert owners[component.output.wire_type()] == component.squad
        assert owners[component.input.wire_type()] == component.squad


def test_every_message_has_its_schema_and_its_example() -> None:
    blocks = dict(zip([str(block["aria-label"]) for block in PAGE.of("pre")], PAGE.words_in("pre"), strict=True))
    assert {name: json.loads(blocks[f"Schema of {name}"]) for name in CONTENT.examples} == {
        name: CONTENT.documents[name] for name in CONTENT.examples
    }
    assert {name: json.loads(blocks[f"Example of {name}"]) for name in CONTENT.examples} == CONTENT.examples


def test_who_depends_on_whom_is_what_the_graphs_say() -> None:
    """In any pipeline: a squad that changes its message has to know all who take it."""
    nodes = [node for built in PIPELINES for node in built.graph.nodes]
    edges = {(need.component, node.component) for node in nodes for need in node.needs}
    for shown in CONTENT.stations:
        name = shown.component.name
        given = {taker.name for each in shown.gives for taker in each.takers}
        taken = {each.giver.name for each in shown.takes if each.giver}
        assert given == {taker for giver, taker in edges if giver == name}
        assert taken == {giver for giver, taker in edges if taker == name}


def test_a_component_says_which_pipelines_it_is_in() -> None:
    for built in PIPELINES:
        for component in built.components:
            assert built.name in station(component.name).pipelines
    assert "Pipelines order-simulation, order-volume Queue" in said(station("data-extractor"))
    assert "Pipelines order-simulation Queue" in said(station("publisher"))


def test_a_version_that_is_a_run_of_a_pipeline_says_of_which() -> None:
    text = said(station("order-volume"))
    assert "direct, or with --flag order-volume=nested ; nested is a run of the pipeline order-volume" in text


def test_a_component_says_what_it_takes_and_how_often() -> None:
    text = said(station("order-simulator"))
    assert "Simulate one week's orders from volume, popularity and all networks." in text
    assert "run-planned.v1 as plan and one of its weeks, from configurator larder" in text
    assert "factory-network-configured.v1 all as networks, from network-configuration harbour" in text
    assert "v1: brigade-order-simulator , dead letters in brigade-order-simulator-dead-letters" in text
    assert "v2: brigade-order-simulator-v2 , dead letters in brigade-order-simulator-v2-dead-letters" in text
    assert "v1, or with --flag order-simulator=v2" in text
    assert "no: after the last attempt the run fails" in text


def test_a_component_says_how_far_it_may_be_pushed() -> None:
    component = HERBS.model_copy(update={"policy": Policy(timeout=77, heartbeat=30, lease=7), "fallback": True})
    text = said(station("order-volume", component=component))
    assert (
        "77 s an attempt, heartbeat 30 s, lease 7 s, 3 attempts, 100 attempts at ResourcePending, 4 tries of I/O"
        in text
    )
    assert "yes: after the last attempt it answers instead" in text


def test_a_pipeline_that_starts_by_itself_says_when() -> None:
    built = pipeline(HOST, HERBS)
    assert "starts by itself" not in Page(catalogue.text((built,))).text
    daily = dataclasses.replace(built, schedule=Schedule("rate(1 day)"))
    assert "It starts by itself at rate(1 day) , UTC." in Page(catalogue.text((daily,))).text


def test_the_first_component_is_started_by_a_request() -> None:
    assert "run-request.v1 from whoever starts the run" in said(station("configurator"))


def test_an_event_that_is_announced_or_replaced_or_that_nobody_takes_says_so() -> None:
    event = "order-volume-forecasted.v1"
    assert "needed by readers outside the pipelines" in said(station("publisher"))
    assert "nobody takes it" in said(station("order-volume", gives=(Given(event, (), announced=False),)))
    older = Given(event, (), announced=False, replaced_by="order-volume-forecasted.v2")
    assert "replaced by order-volume-forecasted.v2" in said(station("order-volume", gives=(older,)))
    newer = Given(event, (), announced=False, inside="order-volume-forecasted.v0")
    assert "sent inside of order-volume-forecasted.v0" in said(station("order-volume", gives=(newer,)))


class Tasted(Event):
    """`<b>` & <script>alert(1)</script>.

    Columns: none.
    """


def test_whatever_a_contract_says_is_text() -> None:
    odd = Component(name="herbs", squad="<i>", input=HERBS.input, output=Tasted)
    page = Page(catalogue.text((pipeline(HOST, odd),)))
    assert "script" not in page.tags
    assert "<b> & <script>alert(1)</script>." in page.text.replace("  ", " ")


def test_prose_has_paragraphs_and_code() -> None:
    assert prose("One `two`\nthree.\n\nFour.") == "<p>One <code>two</code> three.</p><p>Four.</p>"
    assert prose("") == ""


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/$defs/DatasetRef"}, "DatasetRef"),
        ({"anyOf": [{"$ref": "#/$defs/DatasetRef"}, {"type": "null"}]}, "DatasetRef or null"),
        ({"type": "array", "items": {"type": "string"}}, "list of text"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map to number"),
        ({"type": "object"}, "object"),
        ({"enum": ["friday", "monday"], "type": "string"}, "one of friday, monday"),
        ({"format": "date", "type": "string"}, "date"),
        ({"type": "boolean"}, "true or false"),
        ({"exclusiveMinimum": 0, "type": "number"}, "number over 0"),
        ({"minimum": 1, "maximum": 9, "type": "integer"}, "integer from 1 to 9"),
        ({}, "anything"),
    ],
)
def test_a_type_in_words(schema: dict[str, Any], words: str) -> None:
    assert typed(schema) == words
