"""Counts of two moments and what lies between."""

from collections import Counter

from orchestrator.measure import cost_of


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
