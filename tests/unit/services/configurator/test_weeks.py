from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.configurator import History
from contracts.errors import BadData
from services.configurator.weeks import latest_weeks, menu_saturdays, readable_history, refuse_stale

FIRST, LAST = date(2026, 9, 12), date(2026, 11, 14)
dates = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("run_date", "first"),
    [
        (date(2026, 11, 25), date(2026, 11, 28)),  # Wednesday
        (date(2026, 11, 27), date(2026, 11, 28)),  # Friday
        (date(2026, 11, 28), date(2026, 12, 5)),  # Saturday: its own week has begun
        (date(2026, 11, 29), date(2026, 12, 5)),  # Sunday
    ],
)
def test_the_first_menu_week_is_the_saturday_after_the_date(run_date: date, first: date) -> None:
    assert menu_saturdays(run_date)[0] == first


@settings(deadline=None)
@given(dates)
def test_four_consecutive_saturdays_lie_ahead(run_date: date) -> None:
    weeks = menu_saturdays(run_date)
    assert [week.weekday() for week in weeks] == [5] * 4
    assert [week - weeks[0] for week in weeks] == [timedelta(weeks=n) for n in range(4)]
    assert timedelta(0) < weeks[0] - run_date <= timedelta(7)


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(-1000, 5000))
def test_the_history_is_the_loaded_weeks_over_by_the_date(weeks: int, days: int) -> None:
    last = FIRST + timedelta(weeks=weeks)
    run_date = FIRST + timedelta(days=days)
    over = [FIRST + timedelta(weeks=n) for n in range(weeks + 1) if FIRST + timedelta(weeks=n, days=6) <= run_date]
    if over:
        assert readable_history(FIRST, last, run_date) == History(first_week=FIRST, last_week=over[-1])
    else:
        with pytest.raises(BadData, match="no order history before"):
            readable_history(FIRST, last, run_date)


def test_a_date_before_the_first_week_ends_says_from_when_it_works() -> None:
    with pytest.raises(BadData, match="choose a date from 2026-09-18"):
        readable_history(FIRST, LAST, date(2026, 9, 17))
    assert readable_history(FIRST, LAST, date(2026, 9, 18)).last_week == FIRST


def test_a_history_that_ended_long_ago_is_refused_naming_the_last_date_that_works() -> None:
    history = History(first_week=FIRST, last_week=LAST)
    refuse_stale(history, date(2026, 12, 11))
    with pytest.raises(
        BadData,
        match=r"^no menu for week 2026-12-19 .*: the history ends 2026-11-20; .* choose a date up to 2026-12-11$",
    ):
        refuse_stale(history, date(2026, 12, 12))


def test_the_latest_weeks_stay_within_a_short_history() -> None:
    history = History(first_week=FIRST, last_week=LAST)
    assert latest_weeks(history, 3) == History(first_week=date(2026, 10, 31), last_week=LAST)
    assert latest_weeks(history, 99) == history
