from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.forecast_api.errors import InvalidInput
from services.forecast_api.frequency import Instants, parse

ALL = ("min", "15min", "59min", "H", "6H", "D", "6D", "W", "2W", "M", "3M", "Y")


def times(*texts: str) -> Instants:
    return np.array(texts, dtype="datetime64[s]")


@pytest.mark.parametrize(
    ("text", "boundary", "at", "begins"),
    [
        ("15min", None, "2026-11-25T10:29:59", "2026-11-25T10:15:00"),
        ("H", None, "2026-11-25T10:29:59", "2026-11-25T10:00:00"),
        ("D", None, "2026-11-25T23:59:59", "2026-11-25T00:00:00"),
        ("D", {"Hour": 6}, "2026-11-25T05:59:59", "2026-11-24T06:00:00"),
        ("W", None, "2026-11-29T12:00:00", "2026-11-23T00:00:00"),  # a Sunday, and the most recent Monday
        ("W", None, "2026-11-23T00:00:00", "2026-11-23T00:00:00"),
        ("W", {"DayOfWeek": "SATURDAY"}, "2026-11-25T00:00:00", "2026-11-21T00:00:00"),
        ("M", None, "2026-02-28T00:00:00", "2026-02-01T00:00:00"),
        ("M", {"DayOfMonth": 15}, "2026-03-14T00:00:00", "2026-02-15T00:00:00"),
        ("3M", None, "2026-05-31T00:00:00", "2026-04-01T00:00:00"),
        ("Y", None, "2026-05-31T00:00:00", "2026-01-01T00:00:00"),
        ("Y", {"Month": "JULY"}, "2026-05-31T00:00:00", "2025-07-01T00:00:00"),
        ("Y", {"Month": "JULY", "DayOfMonth": 4}, "2026-07-03T00:00:00", "2025-07-04T00:00:00"),
        ("D", None, "1969-12-31T23:00:00", "1969-12-31T00:00:00"),
    ],
)
def test_a_step_begins_at_its_boundary(text: str, boundary: dict[str, Any] | None, at: str, begins: str) -> None:
    """The documented defaults, and boundaries of one's own."""
    frequency = parse(text, boundary)
    assert frequency.starts(frequency.steps(times(at))).tolist() == [datetime.fromisoformat(begins)]


@pytest.mark.parametrize("text", ALL)
@given(moment=st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2100-01-01")))
def test_an_instant_lies_in_its_step(text: str, moment: datetime) -> None:
    frequency = parse(text)
    at = np.array([moment.replace(microsecond=0)], dtype="datetime64[s]")
    (step,) = frequency.steps(at)
    start, following = frequency.starts(np.array([step, step + 1]))
    assert start <= at[0] < following
    assert frequency.steps(np.array([start])).tolist() == [step]


@pytest.mark.parametrize("text", ["", "5W", "60min", "24H", "7D", "12M", "2Y", "0D", "W1", "\u0661D", "-1D"])
def test_what_overlaps_with_the_next_larger_unit_is_no_frequency(text: str) -> None:
    with pytest.raises(InvalidInput, match="no frequency"):
        parse(text)


def test_frequencies_are_compared_by_their_length() -> None:
    sizes = [parse(text).size for text in ALL]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("text", "lag", "fitted"),
    [("W", 52, 1), ("M", 12, 12), ("3M", 4, 4), ("D", 7, 7), ("H", 24, 24), ("15min", 96, 1), ("Y", 1, 1)],
)
def test_each_unit_has_its_season(text: str, lag: int, fitted: int) -> None:
    season = parse(text).season
    assert (season.lag, season.fitted) == (lag, fitted)
