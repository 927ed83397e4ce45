"""What two hours of training cost, by arithmetic, and what counts as a missed bound."""

from datetime import date

import pytest

from bench.polling import Waited, arithmetic, misses, project
from contracts.amazon_forecast import CALLBACK, POLLING
from orchestrator.compare.facts import aws_facts
from orchestrator.execute import Outcome
from orchestrator.history import Publication
from orchestrator.measure import Transitions

PRICES = aws_facts().prices


def waited(retried: int, entered: int = 20, sha256: str = "a1", again: int | None = None) -> Waited:
    published = Publication(uri="s3://b/k", csv_uri="s3://b/c", sha256=sha256, rows=8)
    outcome = Outcome(
        run_id="r",
        status="SUCCEEDED",
        style="orchestrated",
        date=date(2026, 11, 25),
        seconds=9.0,
        degraded=(),
        cause=None,
        published=published,
        steps=9,
        messages=10,
        api_calls={"sqs": {"ReceiveMessage": 9, "DeleteMessageBatch": 8}},
        idle_polls=3,
        state_transitions=entered + retried,
        alone=True,
    )
    return Waited(outcome, Transitions(entered, retried), retried if again is None else again)


def test_polling_two_hours_is_a_transition_every_half_minute() -> None:
    found = project(POLLING, 20)
    assert (found.entered, found.retried, found.requests) == (20, 240, 720)
    assert found.dollars(PRICES) == pytest.approx(
        {"Step Functions": 260 * 0.025 / 1_000, "SQS": 720 * 0.40 / 1_000_000}
    )


def test_waiting_within_an_attempt_is_no_transition_and_a_renewal_every_third_of_a_lease() -> None:
    found = project(CALLBACK, 20)
    assert (found.entered, found.retried, found.requests) == (20, 0, 720)
    assert "20 states + 7200 s / 30 s = 240 retries" in arithmetic(20)


def test_a_look_that_comes_after_the_end_is_one_too() -> None:
    assert project(POLLING, 20, seconds=61).retried == 3


def test_a_run_costs_its_transitions_and_its_messages() -> None:
    assert waited(12).dollars(PRICES) == pytest.approx(
        {"Step Functions": 32 * 0.025 / 1_000, "SQS": (9 + 8 + 10) * 0.40 / 1_000_000}
    )


@pytest.mark.parametrize(
    ("polling", "callback", "why"),
    [
        (waited(12), waited(0, sha256="b2"), "the variants published different forecasts"),
        (waited(12, entered=21), waited(0), "the variants entered different states"),
        (waited(12), waited(1), "the callback variant was tried again, 1 times"),
        (waited(0), waited(0), "nothing was compared"),
        (waited(12, again=11), waited(0), "polling: its execution's history has 12 retries, its steps' rows have 11"),
    ],
)
def test_what_is_missed_is_named(polling: Waited, callback: Waited, why: str) -> None:
    (miss,) = misses({POLLING: polling, CALLBACK: callback})
    assert why in miss


def test_nothing_is_missed_when_only_polling_is_tried_again() -> None:
    assert misses({POLLING: waited(12), CALLBACK: waited(0)}) == []
