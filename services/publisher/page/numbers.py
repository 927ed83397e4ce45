"""Numbers and dates as planners read them."""

from datetime import date

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"

LARGE_UNITS = {"g": "kg", "ml": "l"}
"""A thousand of the first are one of the second."""

LARGE = 10_000
"""From this amount on the larger unit is shown."""


def decimals(value: float) -> int:
    """Three digits or more: an order or a gram less does not matter once there are a hundred."""
    size = abs(value)
    return 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2


def number(value: float, places: int) -> str:
    text = f"{abs(value):,.{places}f}"
    negative = value < 0 and any(digit in text for digit in "123456789")
    return f"{MINUS}{text}" if negative else text


def signed(value: float, places: int) -> str:
    text = number(value, places)
    is_zero = not any(digit in text for digit in "123456789")
    return text if is_zero or value < 0 else f"+{text}"


def per_cent(part: float | None) -> str:
    """A signed share: `+3.1 %`. None, a change from nothing, has no per cent."""
    if part is None:
        return NOTHING
    return f"{signed(part * 100, 0 if abs(part) >= 1 else 1)} %"


def compact(value: float) -> str:
    """For an axis: 1.2M, 400k, 25."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def scale_of(unit: str, largest: float) -> tuple[str, int]:
    """The unit to show amounts in, and how many of `unit` it holds."""
    if unit in LARGE_UNITS and largest >= LARGE:
        return LARGE_UNITS[unit], 1000
    return unit, 1


def day(when: date) -> str:
    """28 November 2026."""
    return f"{when.day} {when:%B %Y}"


def short_day(when: date) -> str:
    """28 Nov."""
    return f"{when.day} {when:%b}"


def counted(count: int, noun: str) -> str:
    """1 recipe, 2 recipes; 1 factory, 2 factories."""
    if count == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {plural}"
