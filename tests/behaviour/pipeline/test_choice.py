"""What the state machine's Choice and Maps did, held against the steps that were resolved; and reuse, in both styles."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from contracts.pipelines import ORDER_SIMULATION
from orchestrator import asl
from orchestrator.asl_checks import all_states
from orchestrator.database import fetch_all
from orchestrator.execute import Outcome
from tests.behaviour.pipeline.conftest import Fleet, Story

Json = dict[str, Any]
MACHINE = asl.render(ORDER_SIMULATION)
NETWORK = "network-configuration"


def component_of(state: Json) -> str | None:
    """The component a task sends its command to."""
    step = state.get("Parameters", {}).get("MessageBody", {}).get("id.$", "")
    found = re.search(r"\{\}/(.+)/\{\}", step)
    return found[1] if found else None


TASKS = {name: component_of(state) for name, state in all_states(MACHINE) if component_of(state)}
MAPS = {name: state for name, state in all_states(MACHINE) if state["Type"] == "Map"}


def events_of(fleet: Fleet, run: Outcome) -> list[Any]:
    execution = fleet.history(run).execution
    assert execution
    pages = fleet.aws.stepfunctions.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def entered(events: list[Any]) -> list[tuple[str, Json]]:
    """The names of the states entered, and their data."""
    details = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    return [(detail["name"], json.loads(detail["input"])) for detail in details]


def steps_of(fleet: Fleet, run: Outcome) -> list[Any]:
    query = "SELECT component, item, version, state FROM steps WHERE run_id = %(run_id)s"
    return fetch_all(fleet.connection, query, {"run_id": run.run_id})


@pytest.fixture(params=["first_friday", "wednesday", "friday"])
def run(request: pytest.FixtureRequest, story: Story) -> Outcome:
    """An orchestrated run."""
    found = getattr(story, request.param)
    chosen: Outcome = found["orchestrated"] if isinstance(found, dict) else found
    assert chosen.status == "SUCCEEDED", chosen.cause
    return chosen


def test_the_steps_that_ran_are_those_resolved(fleet: Fleet, run: Outcome) -> None:
    """Each computed step was one task, in the state of its version, for its item."""
    ran = Counter(
        (name.split(", ")[0], data.get("item", {}).get("key", "-"))
        for name, data in entered(events_of(fleet, run))
        if name in TASKS
    )
    flagged = {component.name for component in ORDER_SIMULATION.components if component.flagged}
    resolved = Counter(
        (f"{step['component']} {step['version']}" if step["component"] in flagged else step["component"], step["item"])
        for step in steps_of(fleet, run)
        if step["state"] == "done"
    )
    assert ran == resolved


def test_the_reused_steps_are_those_that_were_passed_over(fleet: Fleet, run: Outcome) -> None:
    passed = Counter(
        data["item"]["key"] for name, data in entered(events_of(fleet, run)) if name.startswith(f"Reuse {NETWORK}")
    )
    assert passed == Counter(step["item"] for step in steps_of(fleet, run) if step["state"] == "reused")


def test_the_choice_took_the_map_of_its_weekday(fleet: Fleet, run: Outcome) -> None:
    seen = [name for name, _ in entered(events_of(fleet, run))]
    choice = MACHINE["States"]["Which network-configuration by weekday?"]
    weekday = f"{run.date:%A}".lower()
    expected = next((rule["Next"] for rule in choice["Choices"] if rule["StringEquals"] == weekday), choice["Default"])
    assert [name for name in seen if name in MAPS and NETWORK in name] == [expected]


def test_each_map_ran_once_for_each_of_its_items(fleet: Fleet, run: Outcome) -> None:
    events = events_of(fleet, run)
    started = Counter(
        event["mapIterationStartedEventDetails"]["name"] for event in events if event["type"] == "MapIterationStarted"
    )
    items = Counter(step["component"] for step in steps_of(fleet, run))
    ran = [name for name, _ in entered(events) if name in MAPS]
    assert len(ran) == 3
    for name in ran:
        tasks = {TASKS[task] for task, _ in all_states(MAPS[name]["ItemProcessor"]) if task in TASKS}
        assert {items[str(component)] for component in tasks} == {started[name]}


def test_nothing_was_tried_twice(fleet: Fleet, run: Outcome) -> None:
    scheduled = [event for event in events_of(fleet, run) if event["type"] == "TaskScheduled"]
    assert len(scheduled) == sum(step["state"] == "done" for step in steps_of(fleet, run))


def test_a_friday_without_runs_before_it_makes_both_factories(fleet: Fleet, story: Story) -> None:
    assert fleet.states(story.first_friday, NETWORK) == {"A": "done", "B": "done"}


def test_a_wednesday_makes_both_factories(fleet: Fleet, story: Story) -> None:
    for run in story.wednesday.values():
        assert fleet.states(run, NETWORK) == {"A": "done", "B": "done"}


def test_a_friday_makes_a_and_reuses_b_of_the_latest_earlier_date(fleet: Fleet, story: Story) -> None:
    for run in story.friday.values():
        assert fleet.states(run, NETWORK) == {"A": "done", "B": "reused"}
        made, reused = (step for step in fleet.history(run).steps if step.component == NETWORK)
        assert run.run_id in made.output["network"]["uri"]
        assert story.wednesday["choreographed"].run_id in reused.output["network"]["uri"]
        assert (reused.status, reused.attempt, reused.worker) == ("reused", 0, None)


def test_a_monday_makes_b_and_reuses_a(fleet: Fleet, story: Story) -> None:
    assert fleet.states(story.monday, NETWORK) == {"A": "reused", "B": "done"}
    reused, _ = (step for step in fleet.history(story.monday).steps if step.component == NETWORK)
    assert story.first_friday.run_id in reused.output["network"]["uri"]


def test_a_friday_does_not_reuse_what_a_later_date_made(fleet: Fleet, story: Story) -> None:
    """Nor what the same date made: the outcome does not depend on what ran first."""
    again = fleet.run("choreographed", story.first_friday.date)
    assert fleet.states(again, NETWORK) == {"A": "done", "B": "done"}
    assert again.published
    assert story.first_friday.published
    assert again.published.sha256 == story.first_friday.published.sha256
