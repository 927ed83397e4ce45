"""What a run costs, by the price list."""

import pytest

from orchestrator.compare import money
from orchestrator.compare.facts import aws_facts
from orchestrator.compare.recorded import Work
from tests.unit.compare.recordings import run, work

PRICES = aws_facts().prices


def test_a_bill_is_counts_times_prices() -> None:
    """7 sends that were not counted beside 14 requests that were; 19 transitions; 3 writes and 6 reads; 21 kB of logs."""
    assert money.dollars_of(work("orchestrated"), PRICES) == pytest.approx(
        {
            "SQS": 21 * 0.40e-6,
            "SNS": 0.0,
            "Step Functions": 19 * 0.025e-3,
            "S3": 3 * 0.005e-3 + 6 * 0.0004e-3,
            "CloudWatch Logs": 21e-6 * 0.50,
        }
    )


def test_answers_to_step_functions_are_free_and_publishing_is_not() -> None:
    assert money.dollars_of(work("choreographed"), PRICES)["SNS"] == pytest.approx(5 * 0.50e-6)
    assert money.dollars_of(work("choreographed"), PRICES)["Step Functions"] == 0


@pytest.mark.parametrize(
    ("calls", "sent"), [({}, 12), ({"SendMessage": 5}, 7), ({"SendMessageBatch": 1}, 2), ({"SendMessageBatch": 3}, 0)]
)
def test_sends_that_were_not_counted_are_requests_too(calls: dict[str, int], sent: int) -> None:
    given = Work(messages=12, api_calls={"sqs": calls}, idle_polls=0, state_transitions=0)
    assert money.sent_by_aws(given) == sent


def test_deletes_in_s3_are_free() -> None:
    given = Work(messages=0, api_calls={"s3": {"DeleteObject": 9}}, idle_polls=0, state_transitions=0)
    assert money.dollars_of(given, PRICES)["S3"] == 0


def test_express_is_billed_by_request_and_in_steps_of_100_ms() -> None:
    short = money.express_dollars(run(0, "orchestrated", seconds=2.01), PRICES)
    assert short == pytest.approx(1e-6 + 2.1 * 0.0625 * 0.00001667)
    assert money.express_dollars(run(0, "orchestrated", seconds=301), PRICES) is None


def test_at_its_break_even_express_costs_what_standard_does() -> None:
    seconds = money.express_break_even(10, PRICES)
    assert seconds == pytest.approx((10 * 0.025e-3 - 1e-6) / (0.0625 * 0.00001667))
    at_it = money.express_dollars(run(0, "orchestrated", seconds=round(seconds, 1)), PRICES)
    assert at_it == pytest.approx(10 * 0.025e-3, rel=0.001)


def test_idle_polls_pass_with_time() -> None:
    assert money.idle_dollars_a_month(9, PRICES) == pytest.approx(9 * 30 * 86_400 / 20 * 0.40e-6)


def test_every_price_has_a_source_and_a_date() -> None:
    assert all(price.source.startswith("https://aws.amazon.com/") for price in PRICES.items)
    assert PRICES.as_of.year >= 2026
