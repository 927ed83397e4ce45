"""What counts as a missed bound."""

from bench.contestants import Meter, Result
from bench.worker import ENTRIES, ROUNDS, Results, misses


def result(cpu_seconds: float, receives: int = 100, deletes: int = 100) -> Result:
    calls = {"sqs.ReceiveMessage": receives, "sqs.DeleteMessageBatch": deletes, "sns.PublishBatch": 500}
    return Result(messages=1000, cpu_seconds=cpu_seconds, wall_seconds=1.0, received=1000, calls=calls)


def results(**cpu_seconds: float) -> Results:
    """Every contestant with the CPU seconds given, or as fast as the bare loop."""
    return {entry.name: [result(cpu_seconds.get(entry.name, 1.0))] * ROUNDS for entry in ENTRIES}


def test_nothing_is_missed_at_the_bounds() -> None:
    assert misses(results(stateless=2.0, steps=3.0)) == []


def test_a_contestant_that_is_too_slow_is_named_with_its_bound() -> None:
    (miss,) = misses(results(stateless=2.1))
    assert miss == "stateless: 2.10 times the CPU of 'bare', the bound is 2.0"


def test_a_ratio_is_of_one_round_and_one_bad_round_does_not_count() -> None:
    found = results(stateless=1.9, steps=2.9)
    found["steps"][0] = result(30.0)
    found["bare"][1], found["stateless"][1], found["steps"][1] = result(2.0), result(3.8), result(5.8)
    assert misses(found) == []


def test_one_round_with_too_many_calls_of_sqs_counts() -> None:
    found = results()
    found["steps"][2] = result(1.0, receives=160)
    (miss,) = misses(found)
    assert miss == "steps: 0.260 SQS API calls per message, the bound is 0.25"


def test_the_clocks_start_when_the_warm_up_is_over() -> None:
    meter = Meter(messages=2, warm_up=1)
    assert [meter.handled(count) for count in (1, 2, 3)] == [False, False, True]
    read = meter.read({"messages": 3, "sqs.ReceiveMessage": 1})
    assert (read.messages, read.received, read.calls) == (2, 3, {"sqs.ReceiveMessage": 1})
    assert read.cpu_seconds >= 0
    assert read.wall_seconds > 0
