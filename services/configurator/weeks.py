"""The calendar of a run: which menu weeks it reads and which it forecasts. A menu week runs Saturday to Friday."""

from datetime import date, timedelta

from contracts.configurator import History
from contracts.errors import BadData

WEEK = timedelta(weeks=1)
WEEKS_AHEAD = 4
STALE_AFTER = 4 * WEEK
"""A history that ended longer ago than this says too little about the first menu week."""

_SATURDAY = 5


def menu_saturdays(run_date: date) -> tuple[date, ...]:
    """The first days of the menu weeks to forecast: four Saturdays, the first strictly after the run date."""
    until_saturday = (_SATURDAY - run_date.weekday()) % 7 or 7
    first = run_date + timedelta(days=until_saturday)
    return tuple(first + ahead * WEEK for ahead in range(WEEKS_AHEAD))


def readable_history(first_week: date, last_week: date, run_date: date) -> History:
    """The loaded weeks that were over by the end of the run date. `first_week` and `last_week` are Saturdays.

    Raises BadData when no loaded week had ended by then.
    """
    last_ended = menu_saturdays(run_date)[0] - WEEK
    if last_ended + timedelta(days=6) > run_date:
        last_ended -= WEEK
    history = History(first_week=first_week, last_week=min(last_week, last_ended))
    if history.last_week < first_week:
        raise BadData(
            f"no order history before {run_date}: the first loaded week ends {_friday(first_week)}; "
            f"choose a date from {_friday(first_week)} or load older weeks with 'brigade load'"
        )
    return history


def refuse_stale(history: History, run_date: date) -> None:
    """Raises BadData when the history ends more than four weeks before the first menu week."""
    first = menu_saturdays(run_date)[0]
    end = _friday(history.last_week)
    if first > end + STALE_AFTER:
        raise BadData(
            f"no menu for week {first} can be planned: the history ends {end}; "
            f"load newer weeks or choose a date up to {end + STALE_AFTER - WEEK}"
        )


def latest_weeks(history: History, count: int) -> History:
    """The last weeks of a history, all of it when it is shorter."""
    first = max(history.first_week, history.last_week - (count - 1) * WEEK)
    return History(first_week=first, last_week=history.last_week)


def _friday(week: date) -> date:
    return week + timedelta(days=6)
