"""Two versions of a message: how they are declared, given together and told apart, and what stays as it is without them."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.component import Component
from contracts.errors import ContractViolation, PipelineError
from contracts.message import Command, Event, Replacement
from contracts.pipeline import Map, Parallel, Pipeline, Sequence
from contracts.pipelines import PIPELINES
from contracts.versions import arranged, made, taken_apart
from services.runtime.incoming import refuse_other_versions, serialise, validate
from tests.unit.contracts.kitchen import (
    CLOSER,
    HERBS,
    HOST,
    LAYER,
    WAITER,
    Booked,
    ChopHerbs,
    HerbsChopped,
    component,
    pipeline,
)


class HerbsChoppedV2(Event):
    contract_version = 2

    kilograms: float

    def as_v1(self) -> HerbsChopped:
        return HerbsChopped(grams=round(self.kilograms * 1000))


class CookStew(Command):
    plan: Booked
    herbs: HerbsChopped


class CookSoup(Command):
    plan: Booked
    herbs: HerbsChoppedV2


class StewCooked(Event):
    pass


class SoupCooked(Event):
    pass


V1, V2 = HerbsChopped.wire_type(), HerbsChoppedV2.wire_type()
BOTH = Component(name="herbs", squad="test", input=ChopHerbs, output=HerbsChopped, also=(HerbsChoppedV2,))
NEW = component("herbs", ChopHerbs, HerbsChoppedV2)
STEW = component("stew", CookStew, StewCooked)
SOUP = component("soup", CookSoup, SoupCooked)
LEEK = Replacement(component="herbs", item="-", by="leek", why="no herbs")


def kitchen(herbs: Component) -> Pipeline:
    return pipeline(HOST, herbs, Parallel((STEW, SOUP)))


def test_a_class_is_named_after_its_version() -> None:
    assert (V1, V2) == ("herbs-chopped.v1", "herbs-chopped.v2")


def gives(*models: type[Event]) -> Component:
    return Component(name="herbs", squad="test", input=ChopHerbs, output=models[0], also=models[1:])


def test_only_later_versions_of_one_message_are_given_together() -> None:
    class HerbsMinced(Event):
        contract_version = 2

    class HerbsChoppedV3(HerbsChoppedV2):
        contract_version = 3

    name_it = "name the class HerbsChoppedV2, with contract_version = 2"
    with pytest.raises(ValidationError, match=f"also herbs-minced.v2, which is no later version of it: {name_it}"):
        gives(HerbsChopped, HerbsMinced)
    with pytest.raises(ValidationError, match=r"herbs gives herbs-chopped\.v2 and also herbs-chopped\.v1"):
        gives(HerbsChoppedV2, HerbsChopped)
    with pytest.raises(
        ValidationError, match=r"HerbsChoppedV3 must say how it is made: def as_v2\(self\) -> HerbsChoppedV2"
    ):
        gives(HerbsChopped, HerbsChoppedV2, HerbsChoppedV3)
    assert gives(HerbsChopped, HerbsChoppedV3).gives == (HerbsChopped, HerbsChoppedV3)


def test_a_newer_version_must_say_how_the_older_one_is_made() -> None:
    class HerbsChoppedV2(Event):
        contract_version = 2

    with pytest.raises(
        ValidationError, match=r"HerbsChoppedV2 must say how it is made: def as_v1\(self\) -> HerbsChopped"
    ):
        gives(HerbsChopped, HerbsChoppedV2)


@pytest.mark.parametrize(
    ("herbs", "taker", "given", "wanted"),
    [(HERBS, "soup", V1, V2), (NEW, "stew", V2, V1)],
    ids=["too early", "too late"],
)
def test_a_version_that_is_not_given_is_refused_naming_both(
    herbs: Component, taker: str, given: str, wanted: str
) -> None:
    with pytest.raises(PipelineError) as caught:
        kitchen(herbs)
    assert str(caught.value).startswith(f"{taker} takes `herbs: ")
    assert str(caught.value).endswith(
        f"in pipeline supper, but herbs gives {given} only: let it give {wanted}, too, or let {taker} take that"
    )


def test_another_component_cannot_give_a_version_too() -> None:
    with pytest.raises(PipelineError, match="herbs and gardener both give HerbsChoppedV2"):
        pipeline(HOST, BOTH, component("gardener", ChopHerbs, HerbsChoppedV2))


def test_only_the_last_of_a_branch_is_seen_outside_in_every_version() -> None:
    branches = Parallel((Sequence((BOTH, STEW)), Map((LAYER, WAITER), over="plan.tables")))
    with pytest.raises(PipelineError, match="soup takes `herbs` from herbs, but only stew"):
        pipeline(HOST, branches, SOUP)


def test_a_graph_without_second_versions_is_what_it_was() -> None:
    """Digests of runs under way depend on every byte."""
    table = Map((LAYER, WAITER), over="plan.tables")
    assert pipeline(HOST, HERBS, table, CLOSER).graph.digest == "964520c72ec04aa5"
    assert all('"also"' not in built.graph.model_dump_json() for built in PIPELINES)
    graph = kitchen(BOTH).graph
    assert (graph.node("herbs").event, graph.node("herbs").also) == (V1, (V2,))
    assert type(graph).model_validate_json(graph.model_dump_json()) == graph


def test_an_answer_in_one_version_is_what_it_was() -> None:
    assert serialise(HerbsChopped(grams=7), HERBS, V1) == ('{"grams":7}', {"grams": 7})
    assert serialise(HerbsChoppedV2(kilograms=7), NEW, V2) == ('{"kilograms":7.0}', {"kilograms": 7.0})


def test_an_answer_in_both_versions_is_read_in_either() -> None:
    text, answer = serialise(HerbsChoppedV2(kilograms=0.25, degraded=(LEEK,)), BOTH, V1)
    assert (
        json.loads(text)
        == answer
        == {
            "grams": 250,
            "degraded": [LEEK.model_dump()],
            V2: {"kilograms": 0.25, "degraded": [LEEK.model_dump()]},
        }
    )
    assert HerbsChopped.model_validate(answer) == HerbsChopped(grams=250, degraded=(LEEK,))
    assert HerbsChoppedV2.model_validate(answer) == HerbsChoppedV2(kilograms=0.25, degraded=(LEEK,))
    plan = Booked(tables=()).model_dump(mode="json")
    for model in (CookStew, CookSoup):
        assert validate(model, {"plan": plan, "herbs": answer}).replacements == (LEEK,)


def test_the_version_that_the_run_s_graph_names_is_on_top() -> None:
    """A run that started when version 1 had gone meets a worker that gives it again."""
    _, answer = serialise(HerbsChoppedV2(kilograms=0.25), BOTH, V2)
    assert answer == {"kilograms": 0.25, V1: {"grams": 250}}
    assert arranged(taken_apart(answer, V2), V1) == {"grams": 250, V2: {"kilograms": 0.25}}


def test_a_handler_answers_the_newest() -> None:
    with pytest.raises(ContractViolation, match="the handler answered HerbsChopped, its contract says HerbsChoppedV2"):
        serialise(HerbsChopped(), BOTH, V1)


def test_a_run_that_is_to_have_a_version_that_has_gone() -> None:
    reason = "this run is to have herbs-chopped.v1 of herbs, which gives herbs-chopped.v2 now: start a new run"
    with pytest.raises(ContractViolation, match=reason):
        serialise(HerbsChoppedV2(kilograms=1), NEW, V1)


def test_an_older_version_is_what_it_is_to_be() -> None:
    class HerbsChoppedV3(HerbsChoppedV2):
        contract_version = 3

        def as_v1(self) -> Any:
            return self

    with pytest.raises(ContractViolation, match=r"as_v1\(\) of HerbsChoppedV3 gave HerbsChoppedV3, not HerbsChopped"):
        made(HerbsChoppedV3(kilograms=1), (HerbsChopped, HerbsChoppedV3))


def test_one_version_is_never_taken_for_another() -> None:
    both, answer = kitchen(BOTH).graph, {"grams": 1, V2: {"kilograms": 0.001}}
    for taker in (STEW, SOUP):
        refuse_other_versions(taker, both, {"herbs": answer})
    reason = (
        "soup takes herbs-chopped.v2 now, and in this run herbs gave herbs-chopped.v1 without it: start a new run, or "
        "redrive this one with the soup that takes herbs-chopped.v1"
    )
    for data in ({"herbs": {"grams": 1}}, {"herbs": [answer, {"grams": 1}]}):
        with pytest.raises(ContractViolation, match=reason):
            refuse_other_versions(SOUP, both, data)
    refuse_other_versions(SOUP, both, {"herbs": 3})  # what is no answer is for its model to refuse
    refuse_other_versions(SOUP, both, {})
