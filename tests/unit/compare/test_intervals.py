"""Estimates and their intervals."""

from random import Random

import pytest

from orchestrator.compare import intervals


def test_of_one_value_there_is_no_interval() -> None:
    found = intervals.median([3.0], seed=1)
    assert found is not None
    assert (found.n, found.value, found.low, found.high) == (1, 3.0, None, None)


def test_of_no_value_there_is_no_estimate() -> None:
    assert intervals.median([], seed=1) is None
    assert intervals.mean([], seed=1) is None
    assert intervals.median_difference([1.0], [], seed=1) is None


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [Random(4).gauss(10, 2) for _ in range(12)]
    assert intervals.median(values, seed=7) == intervals.median(values, seed=7)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_an_interval_is_around_its_estimate_and_narrows_with_more_values(share: float) -> None:
    random = Random(4)
    few, many = ([random.gauss(10, 2) for _ in range(count)] for count in (10, 1_000))
    widths = []
    for values in (few, many):
        found = intervals.quantile(values, share, seed=1)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]


def test_nine_in_ten_intervals_hold_the_true_median_and_more() -> None:
    """Of samples of 20, 95 % in theory; a percentile interval of so few holds it a little less often."""
    random, held = Random(5), 0
    for _ in range(100):
        found = intervals.median([random.gauss(10, 2) for _ in range(20)], seed=1)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 10 <= found.high
    assert held >= 88


def test_a_difference_is_of_medians() -> None:
    found = intervals.median_difference([5.0, 6.0, 7.0], [1.0, 2.0, 3.0], seed=1)
    assert found is not None
    assert found.value == 4
    assert found.low is not None
    assert found.low > 0


def test_values_that_are_all_alike_have_an_interval_of_no_width() -> None:
    found = intervals.mean([7.0, 7.0, 7.0], seed=1)
    assert found is not None
    assert (found.low, found.high) == (7.0, 7.0)
