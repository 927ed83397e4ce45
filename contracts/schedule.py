"""When a pipeline starts by itself: the expressions of EventBridge Scheduler, `cron(0 4 ? * MON-FRI *)` and `rate(6 hours)`.

The fields of cron are minutes, hours, day of month, month, day of week and year, as
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html describes them; times are UTC. A rate counts from
1970-01-01 00:00, so that everybody who asks gets the same times.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product

from contracts.errors import PipelineError

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""As AWS numbers them, from 1."""

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

YEARS = (1970, 2199)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Times = Callable[[datetime, datetime], datetime | None]
"""The last time at or before the first and after the second."""

_PART = re.compile(r"(\*|[A-Z0-9]+)(?:-([A-Z0-9]+))?(?:/([0-9]{1,4}))?")


@dataclass(frozen=True)
class Schedule:
    """One expression. Raises PipelineError when it is none that EventBridge Scheduler would take."""

    expression: str

    def __post_init__(self) -> None:
        _ = self._times

    def latest(self, now: datetime, since: datetime) -> datetime | None:
        """The last time at or before `now` and after `since`; both aware. None when there is none."""
        return self._times(now.astimezone(UTC), since.astimezone(UTC))

    def later(self, minutes: int) -> "Schedule":
        """The same so many minutes later, on the same days.

        Raises PipelineError when it is not one time on each of them, or too late for that.
        """
        found = re.fullmatch(r"cron\(([0-9]+) ([0-9]+) (.*)\)", self.expression)
        if not found:
            raise PipelineError(f"'{self.expression}' is not one time a day: no clock of a component can follow it")
        hour, minute = divmod(int(found[2]) * 60 + int(found[1]) + minutes, 60)
        if hour > 23:
            raise PipelineError(
                f"{minutes} minutes after '{self.expression}' is the next day: start earlier, or buffer less"
            )
        return Schedule(f"cron({minute} {hour} {found[3]})")

    @property
    def _times(self) -> Times:
        found = re.fullmatch(r"(cron|rate)\(([^()]*)\)", self.expression)
        if not found:
            raise PipelineError(f"'{self.expression}' is no schedule: write cron(0 4 ? * MON-FRI *) or rate(6 hours)")
        try:
            return _rate(found[2]) if found[1] == "rate" else _cron(found[2])
        except ValueError as error:
            raise PipelineError(f"'{self.expression}' is no schedule: {error}") from error


def _rate(text: str) -> Times:
    found = re.fullmatch(r"([1-9][0-9]{0,5}) (minute|hour|day)s?", text)
    if not found or (found[1] == "1") == text.endswith("s"):
        raise ValueError("a rate is a number and minutes, hours or days, as in rate(1 hour) and rate(6 hours)")
    every = int(found[1]) * UNITS[found[2]]

    def latest(now: datetime, since: datetime) -> datetime | None:
        last = EPOCH + (now - EPOCH) // every * every
        return last if last > since else None

    return latest


def _cron(text: str) -> Times:
    fields = text.upper().split()
    if len(fields) != 6:
        raise ValueError("cron has six fields: minutes, hours, day of month, month, day of week, year")
    minutes, hours = _numbers(fields[0], "minutes", 0, 59), _numbers(fields[1], "hours", 0, 23)
    months, years = _numbers(fields[3], "month", 1, 12, MONTHS), _numbers(fields[5], "year", *YEARS)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError("write ? for the day of month or for the day of week, and not for both")
    on_day = _weekday(fields[4]) if fields[2] == "?" else _month_day(fields[2])
    clock = sorted(product(hours, minutes), reverse=True)

    def latest(now: datetime, since: datetime) -> datetime | None:
        for day in _days_back(now.date(), since.date()):
            if day.year in years and day.month in months and on_day(day):
                times = (datetime(day.year, day.month, day.day, *time, tzinfo=UTC) for time in clock)
                found = next((time for time in times if time <= now), None)
                if found:
                    return found if found > since else None
        return None

    return latest


def _days_back(last: date, first: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield last - timedelta(days=number)


def _numbers(field: str, name: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """What `*`, `5`, `1-5`, `0/15`, `MON-FRI` and lists of them stand for. A range may not go backwards."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if not match or (match[1] == "*" and match[2]):
            raise ValueError(f"'{part}' is not understood as {name}")
        first = low if match[1] == "*" else _number(match[1], name, low, high, names)
        open_ended = match[1] == "*" or match[3]
        last = _number(match[2], name, low, high, names) if match[2] else high if open_ended else first
        step = int(match[3]) if match[3] else 1
        if last < first or step < 1:
            raise ValueError(f"'{part}' holds no {name}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + low
    if not re.fullmatch("[0-9]{1,4}", text) or not low <= int(text) <= high:
        raise ValueError(f"'{text}' is no {name}: they go from {low} to {high}")
    return int(text)


def _month_day(field: str) -> Callable[[date], bool]:
    """Days of the month; also `L`, the last one, and `15W`, the weekday nearest to the 15th in the same month."""
    if field == "L":
        return lambda day: day.day == _length(day)
    if field.endswith("W"):
        wanted = _number(field[:-1], "day of month", 1, 31, ())
        return lambda day: wanted <= _length(day) and day.day == _nearest_weekday(day, wanted)
    days = _numbers(field, "day of month", 1, 31)
    return lambda day: day.day in days


def _weekday(field: str) -> Callable[[date], bool]:
    """Days of the week; also `6L`, the month's last Friday, and `3#2`, its second Tuesday. `L` alone is Saturday."""
    number, found, nth = field.partition("#")
    if found:
        wanted = _number(number, "day of week", 1, 7, DAYS)
        count = _number(nth, "count of weeks", 1, 5, ())
        return lambda day: _of_week(day) == wanted and (day.day - 1) // 7 + 1 == count
    if field.endswith("L") and field != "L":
        wanted = _number(field[:-1], "day of week", 1, 7, DAYS)
        return lambda day: _of_week(day) == wanted and day.day + 7 > _length(day)
    days = _numbers("7" if field == "L" else field, "day of week", 1, 7, DAYS)
    return lambda day: _of_week(day) in days


def _of_week(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> int:
    """Saturday goes back to Friday, Sunday on to Monday, but never out of the month."""
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < _length(day) else wanted - 2
    return wanted
