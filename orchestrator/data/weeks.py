"""Menu weeks: Saturday to Friday, named by their Saturday."""

from datetime import date, timedelta

from contracts.errors import BadRequest

FRIDAY = 4  # as date.weekday() counts
WEEK = timedelta(days=7)
YEARS = range(1970, 2200)  # others are slips of the pen


def saturday_of(day: date) -> date:
    """The first day of the menu week that holds `day`."""
    return day - timedelta(days=(day.weekday() + 2) % 7)


def latest_friday(day: date) -> date:
    """The last day of the latest menu week that is over by the end of `day`."""
    return day - timedelta(days=(day.weekday() - FRIDAY) % 7)


def last_week_ending(ending: date) -> date:
    """The Saturday of the week whose last day is `ending`. Raises BadRequest when that is no Friday of this age."""
    if ending.year not in YEARS:
        raise BadRequest(f"{ending} is not in the years {YEARS[0]} to {YEARS[-1]}")
    if ending.weekday() != FRIDAY:
        raise BadRequest(
            f"{ending} is a {ending:%A}, but a menu week ends on a Friday: give for example {latest_friday(ending)}"
        )
    return saturday_of(ending)
