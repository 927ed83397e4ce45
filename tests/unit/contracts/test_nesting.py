"""Versions of components that are runs of pipelines."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.component import Component, Nested, Policy
from contracts.errors import BadRequest, PipelineError
from contracts.graph import WHOLE
from contracts.message import Command, Event
from contracts.nesting import checked, nested_request, nested_run_id, steps_of_nested, taken_over
from contracts.pipeline import Map, Parallel, Pipeline, Sequence
from contracts.pipelines import PIPELINES, nested_pipelines, workers
from contracts.run import RunRequest
from tests.unit.contracts.kitchen import (
    CLOSER,
    HERBS,
    HOST,
    LAYER,
    WAITER,
    Booked,
    HerbsChopped,
    KitchenClosed,
    TableServed,
    component,
)


class PlateHerbs(Command):
    plan: Booked
    herbs: HerbsChopped
    served: tuple[TableServed, ...]


class HerbsPlated(Event):
    pass


class SayGoodbye(Command):
    plan: Booked
    closed: KitchenClosed


class GoodbyeSaid(Event):
    pass


PLATER = component("plater", PlateHerbs, HerbsPlated, ("quick", "fine")).model_copy(
    update={"nested": (Nested(version="fine", pipeline="plating", timeout=500),)}
)
LAST = component("last", SayGoodbye, GoodbyeSaid)
TABLES = Map((LAYER, WAITER), over="plan.tables")
EVENING = Pipeline(name="evening", flow=Sequence((HOST, Parallel((HERBS, TABLES)), PLATER)))
PLATING = Pipeline(name="plating", flow=Sequence((HOST, TABLES, CLOSER, LAST)))

REQUEST = RunRequest(run_id="r1", pipeline="evening", date=date(2026, 11, 25), seed=7, versions=("plater=fine",))
PLAN: dict[str, Any] = {"tables": [{"key": "a", "seats": 2}, {"key": "b", "seats": 4}]}


def plating(*steps: Any) -> Pipeline:
    return Pipeline(name="plating", flow=Sequence(steps))


# What may be together


def test_pipelines_that_may_be_together_are_given_as_they_are() -> None:
    assert checked(EVENING, PLATING) == (EVENING, PLATING)
    assert checked(*PIPELINES) == PIPELINES


def test_a_run_of_no_pipeline() -> None:
    with pytest.raises(PipelineError, match="plater fine is a run of plating, which there is not"):
        checked(EVENING)


def test_a_run_that_starts_with_a_choice_of_versions() -> None:
    host = HOST.model_copy(update={"versions": ("v1", "v2")})
    evening = replace(EVENING, flow=Sequence((host, *EVENING.flow.steps[1:])))
    with pytest.raises(PipelineError, match="plating, which starts with host: that may have one version only"):
        checked(evening, plating(host, HERBS))


def test_a_run_that_has_nested_runs_itself() -> None:
    herbs = HERBS.model_copy(update={"nested": (Nested(version="v1", pipeline="plating"),)})
    evening = replace(EVENING, flow=Sequence((HOST, Parallel((herbs, TABLES)), PLATER)))
    with pytest.raises(PipelineError, match="plating, which has nested runs itself: put its steps into one of the two"):
        checked(evening, plating(HOST, herbs))


def test_a_run_of_the_pipeline_it_is_in() -> None:
    herbs = HERBS.model_copy(update={"nested": (Nested(version="v1", pipeline="plating"),)})
    with pytest.raises(PipelineError, match="herbs v1 is a run of plating, which has nested runs itself"):
        checked(plating(HOST, herbs))


@pytest.mark.parametrize("end", [TABLES, Parallel((HERBS, TABLES))])
def test_a_run_that_has_no_one_last_answer(end: Any) -> None:
    with pytest.raises(PipelineError, match="plating, which ends with several steps: let it end with one component"):
        checked(EVENING, plating(HOST, end))


def test_two_components_of_one_name() -> None:
    """They would share a queue, and a worker knows one of them only."""
    patient = HOST.model_copy(update={"policy": Policy(timeout=999)})
    with pytest.raises(PipelineError, match="two pipelines declare host differently: a component has one declaration"):
        checked(EVENING, plating(patient, TABLES, CLOSER))


def test_a_version_that_there_is_not() -> None:
    with pytest.raises(ValidationError, match="plater has no version slow to be a run of a pipeline"):
        Component(
            name="plater",
            squad="test",
            input=PlateHerbs,
            output=HerbsPlated,
            nested=(Nested(version="slow", pipeline="p"),),
        )


def test_a_stateless_component_remembers_no_run() -> None:
    with pytest.raises(ValidationError, match="plater is stateless, so nothing remembers which run it started"):
        Component(
            name="plater",
            squad="test",
            input=PlateHerbs,
            output=HerbsPlated,
            stateless=True,
            nested=(Nested(version="v1", pipeline="plating"),),
        )


def test_a_nested_version_may_take_as_long_as_its_run() -> None:
    assert (PLATER.policy_of("quick"), PLATER.policy_of("fine").timeout) == (PLATER.policy, 500)
    assert PLATER.policy_of("fine").model_copy(update={"timeout": PLATER.policy.timeout}) == PLATER.policy


# Which pipelines and workers there are


def test_a_worker_of_a_nested_version_is_needed_where_its_pipeline_is() -> None:
    names = [(each.name, version) for each, version in workers((EVENING,))]
    assert names == [("host", "v1"), ("herbs", "v1"), ("layer", "v1"), ("waiter", "v1"), ("plater", "quick")]
    both = [(each.name, version) for each, version in workers((EVENING, PLATING))]
    assert both == [*names, ("plater", "fine"), ("closer", "v1"), ("last", "v1")]


def test_which_pipelines_a_run_has_runs_of() -> None:
    pipelines = (EVENING, PLATING)
    assert nested_pipelines(EVENING, None, pipelines) == (PLATING,)
    assert nested_pipelines(EVENING, {}, pipelines) == ()
    assert nested_pipelines(EVENING, {"plater": "quick"}, pipelines) == ()
    assert nested_pipelines(EVENING, {"plater": "fine", "other": "v2"}, pipelines) == (PLATING,)
    assert nested_pipelines(PLATING, None, pipelines) == ()
    with pytest.raises(BadRequest, match="unknown pipeline 'plating': there is evening"):
        nested_pipelines(EVENING, None, (EVENING,))


# The run's id

run_ids = st.text("Ab1_-", min_size=1, max_size=64)
component_names = st.text("ab1-", max_size=39).map("c".__add__)
items = st.text("Ab1_.:-", min_size=1, max_size=64)


@given(run_ids, component_names, items)
def test_an_id_is_valid_and_always_the_same(run_id: str, name: str, item: str) -> None:
    asked = REQUEST.model_copy(update={"run_id": run_id})
    request = nested_request(asked, name, item, "plating")
    assert RunRequest.model_validate(request.model_dump()) == request
    assert nested_request(asked, name, item, "plating") == request
    assert request.run_id != run_id
    assert request.model_copy(update={"run_id": run_id, "pipeline": "evening"}) == asked


@given(run_ids, st.lists(st.tuples(component_names, items), min_size=2, max_size=5, unique=True))
def test_each_step_of_a_run_has_a_run_of_its_own(run_id: str, steps: list[tuple[str, str]]) -> None:
    assert len({nested_run_id(run_id, *step) for step in steps}) == len(steps)


def test_where_a_component_s_name_ends_is_seen_in_the_id() -> None:
    assert nested_run_id("r", "order", "volume") != nested_run_id("r", "order-volume", WHOLE)


@given(run_ids, items)
def test_an_id_can_be_read_when_it_is_short_enough(run_id: str, item: str) -> None:
    found = nested_run_id(run_id, "plater", item)
    plain = f"{run_id}-plater" + ("" if item == WHOLE else f"_{item}")
    readable = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", plain)
    assert (found == plain) if readable else found.startswith(run_id[:51])


def test_the_id_of_a_step_outside_any_map() -> None:
    run_id = "2026-11-25-choreographed-a1b2c3"
    assert nested_run_id(run_id, "order-volume", WHOLE) == f"{run_id}-order-volume"


# What is taken over


def test_what_both_declare_alike_on_inputs_that_are_alike_is_taken_over() -> None:
    assert taken_over(EVENING.graph, PLATING.graph) == ("host", "layer", "waiter")
    assert taken_over(PLATING.graph, EVENING.graph) == ("host", "layer", "waiter")
    assert taken_over(EVENING.graph, EVENING.graph) == ("host", "herbs", "layer", "waiter", "plater")


def test_what_is_declared_otherwise_is_made_anew_and_so_is_what_is_made_of_it() -> None:
    patient = LAYER.model_copy(update={"policy": Policy(timeout=999)})
    other = plating(HOST, Map((patient, WAITER), over="plan.tables"), CLOSER)
    assert taken_over(EVENING.graph, other.graph) == ("host",)
    host = HOST.model_copy(update={"policy": Policy(timeout=999)})
    assert taken_over(EVENING.graph, plating(host, TABLES, CLOSER).graph) == ()


def answers(*keys: str) -> dict[str, Any]:
    return {key: PLAN if key == "host/-" else {"of": key} for key in keys}


def nested_steps(*keys: str) -> list[tuple[str, tuple[str, ...], Any]]:
    request = nested_request(REQUEST, "plater", WHOLE, "plating")
    found = steps_of_nested(PLATING.graph, request, REQUEST, answers(*keys))
    assert all(step.reused is None or (step.reused.run_id, step.reused.date) == ("r1", REQUEST.date) for step in found)
    return [(step.key, step.needs, step.reused and step.reused.output) for step in found]


def test_without_the_plan_only_its_step_is_known() -> None:
    assert nested_steps() == [("host/-", (), None)]
    assert nested_steps("layer/a") == [("host/-", (), None)]


def test_answers_that_are_there_are_taken_over_and_the_others_made() -> None:
    assert nested_steps("host/-", "layer/a", "waiter/a", "layer/b") == [
        ("host/-", (), PLAN),
        ("layer/a", ("host/-",), {"of": "layer/a"}),
        ("layer/b", ("host/-",), {"of": "layer/b"}),
        ("waiter/a", ("layer/a",), {"of": "waiter/a"}),
        ("waiter/b", ("layer/b",), None),
        ("closer/-", ("host/-", "waiter/a", "waiter/b"), None),
        ("last/-", ("host/-", "closer/-"), None),
    ]
