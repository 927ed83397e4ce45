"""Counts of two moments and what lies between."""

from collections import Counter

import pytest

from orchestrator.measure import Transitions, cost_of, transitions_in


def test_a_cost_is_what_was_added() -> None:
    before = Counter({"sqs.ReceiveMessage": 5, "sqs.ReceiveMessage.idle": 90, "messages": 7, "s3.GetObject": 3})
    after = Counter(
        {
            "sqs.ReceiveMessage": 9,
            "sqs.ReceiveMessage.idle": 97,
            "messages": 27,
            "s3.GetObject": 3,
            "states.SendTaskSuccess": 20,
        }
    )
    cost = cost_of(before, after, state_transitions=30)
    assert cost.model_dump() == {
        "messages": 20,
        "api_calls": {"sqs": {"ReceiveMessage": 4}, "states": {"SendTaskSuccess": 20}},
        "idle_polls": 7,
        "state_transitions": 30,
    }


def test_nothing_costs_nothing() -> None:
    moment = Counter({"sqs.ReceiveMessage": 5, "messages": 7})
    assert cost_of(moment, moment, 0).model_dump() == {
        "messages": 0,
        "api_calls": {},
        "idle_polls": 0,
        "state_transitions": 0,
    }


Event = tuple[str, int]
"""Type, and the number of the event before it, from 1."""


def counted(*events: Event) -> Transitions:
    history = [{"id": n, "type": kind, "previousEventId": before} for n, (kind, before) in enumerate(events, start=1)]
    return transitions_in(history)


def test_a_retry_is_billed_though_no_state_is_entered() -> None:
    found = counted(
        ("ExecutionStarted", 0),
        ("TaskStateEntered", 1),
        ("TaskScheduled", 2),
        ("TaskStarted", 3),
        ("TaskFailed", 4),
        ("TaskScheduled", 5),
        ("TaskStarted", 6),
        ("TaskTimedOut", 7),
        ("TaskScheduled", 8),
        ("TaskSucceeded", 9),
        ("TaskStateExited", 10),
        ("ExecutionSucceeded", 11),
    )
    assert found == Transitions(entered=1, retried=2)
    assert found.billed == 3


def test_branches_side_by_side_are_told_apart() -> None:
    """The first branch's task was entered, and the execution stopped before it was scheduled; the second's was retried."""
    found = counted(
        ("ExecutionStarted", 0),
        ("ParallelStateEntered", 1),
        ("ParallelStateStarted", 2),
        ("TaskStateEntered", 2),
        ("TaskStateEntered", 2),
        ("TaskScheduled", 5),
        ("TaskFailed", 6),
        ("TaskScheduled", 7),
    )
    assert found == Transitions(entered=3, retried=1)


@pytest.mark.parametrize("kind", ["Pass", "Choice", "Map", "Parallel", "Succeed", "Fail", "Task"])
def test_every_state_that_is_entered_is_billed_once(kind: str) -> None:
    assert counted(("ExecutionStarted", 0), (f"{kind}StateEntered", 1)).billed == 1
