from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadRequest
from orchestrator.data.weeks import last_week_ending, latest_friday, saturday_of

DAYS = st.dates(min_value=date(1971, 1, 1), max_value=date(2199, 12, 31))


@given(DAYS)
def test_every_day_is_in_the_week_its_saturday_names(day: date) -> None:
    saturday = saturday_of(day)
    assert f"{saturday:%A}" == "Saturday"
    assert timedelta(0) <= day - saturday < timedelta(days=7)


@given(DAYS)
def test_the_latest_friday_is_less_than_a_week_ago(day: date) -> None:
    friday = latest_friday(day)
    assert f"{friday:%A}" == "Friday"
    assert timedelta(0) <= day - friday < timedelta(days=7)
    assert last_week_ending(friday) == friday - timedelta(days=6)


def test_a_week_that_ends_on_another_day_is_refused_with_the_friday_before() -> None:
    with pytest.raises(BadRequest, match=r"2026-11-21 is a Saturday.*2026-11-20"):
        last_week_ending(date(2026, 11, 21))


def test_a_year_that_must_be_a_slip_is_refused() -> None:
    with pytest.raises(BadRequest, match="0202-11-19 is not in the years 1970 to 2199"):
        last_week_ending(date(202, 11, 19))
