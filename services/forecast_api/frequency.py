"""Steps of time: how long they are, where they begin, and which one an instant belongs to.

An instant has no time zone, as in Amazon Forecast: forecasts are in the zone of the data.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from services.forecast_api.errors import InvalidInput
from services.models.season import WEEKLY, Season

Instants = npt.NDArray[np.datetime64]
Numbers = npt.NDArray[np.int64]

LARGEST = {"min": 59, "H": 23, "D": 6, "W": 4, "M": 11, "Y": 1}
"""By unit, from the finest: the API Reference's valid values of ForecastFrequency."""

SECONDS = {"min": 60, "H": 3600, "D": 86400, "W": 604800}

MONDAY = 4 * 86400
"""Seconds from 1 January 1970 to the first Monday."""

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)

BOUNDARIES = {
    "D": {"Hour"},
    "W": {"DayOfWeek", "Hour"},
    "M": {"DayOfMonth", "Hour"},
    "Y": {"Month", "DayOfMonth", "Hour"},
}
"""What a time boundary of each unit may say."""


@dataclass(frozen=True)
class Frequency:
    """`count` units a step. A week begins on Monday and a day at midnight, unless the offsets say otherwise.

    `months` and `seconds` are where a step begins after the first month, or the first instant, of its unit.
    """

    count: int
    unit: str
    months: int = 0
    seconds: int = 0

    def steps(self, instants: Instants) -> Numbers:
        """The number of the step that each instant lies in; steps are counted from 1970."""
        seconds = instants.astype("datetime64[s]").astype(np.int64) - self.seconds
        if self.unit in SECONDS:
            anchor = MONDAY if self.unit == "W" else 0
            return (seconds - anchor) // (SECONDS[self.unit] * self.count)
        months = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) - self.months
        return months // (self.count * (12 if self.unit == "Y" else 1))

    def starts(self, steps: Numbers) -> Instants:
        """When each step begins."""
        if self.unit in SECONDS:
            anchor = MONDAY if self.unit == "W" else 0
            return (steps * (SECONDS[self.unit] * self.count) + anchor + self.seconds).astype("datetime64[s]")
        months = steps * (self.count * (12 if self.unit == "Y" else 1)) + self.months
        return (months.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64) + self.seconds).astype(
            "datetime64[s]"
        )

    @property
    def size(self) -> tuple[int, int]:
        """To compare two of them by."""
        return list(LARGEST).index(self.unit), self.count

    @property
    def season(self) -> Season:
        """A year of weeks or months, a week of days, a day of hours; nothing for years."""
        if self.unit == "W":
            return WEEKLY if self.count == 1 else Season(52 // self.count, WEEKLY.wave / self.count)
        whole = {"M": 12, "D": 7, "H": 24, "min": 1440, "Y": 1}[self.unit]
        lag = max(1, whole // self.count)
        return Season(lag, float(lag), lag if lag <= LONGEST_FITTED else 1)


LONGEST_FITTED = 24
"""Smoothing cannot tell seasons of more steps apart from noise (Hyndman, "Forecasting with long seasonal periods", 2010)."""


def parse(text: str, boundary: dict[str, Any] | None = None) -> Frequency:
    """`W`, `1W`, `15min`, with a TimeAlignmentBoundary. Raises InvalidInput when there is no such frequency."""
    found = re.fullmatch(r"(\d{0,2})(Y|M|W|D|H|min)", text, re.ASCII)
    count = int(found[1] or 1) if found else 0
    if not found or not 1 <= count <= LARGEST[found[2]]:
        raise InvalidInput(f"'{text}' is no frequency: 1-59min, 1-23H, 1-6D, 1-4W, 1-11M and Y are")
    unit, given = found[2], boundary or {}
    if not set(given) <= BOUNDARIES.get(unit, set()):
        raise InvalidInput(f"a time boundary of {text} has no {', '.join(sorted(set(given)))}")
    days = DAYS.index(given["DayOfWeek"]) if "DayOfWeek" in given else given.get("DayOfMonth", 1) - 1
    months = MONTHS.index(given["Month"]) if "Month" in given else 0
    return Frequency(count, unit, months, days * 86400 + given.get("Hour", 0) * 3600)


def instant(text: str) -> datetime:
    """Raises ValueError when it is no date, or date and time, as ISO 8601 writes them without a zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        raise ValueError("it has a time zone")
    return found
