"""One factory's orders as a chart: what was ordered, then the forecast's P50 inside its P10-P90 band."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.publisher.page.markup import Markup, el, join
from services.publisher.page.numbers import compact, number, short_day
from services.publisher.totals import Total

TOP, RIGHT, BOTTOM, LEFT = 14, 14, 30, 48
"""Room around the plot, in the chart's own pixels."""

WHISKER = 7
"""Half the width of the band of a forecast of a single week."""


@dataclass(frozen=True)
class Series:
    """Weekly orders of one factory, weeks in order. `cap` is in orders, the most it can pack in a week."""

    history: Sequence[tuple[date, float]]
    forecast: Sequence[Total]
    cap: float | None = None


@dataclass(frozen=True)
class Frame:
    """Where a week and an amount are on the paper. `ticks` are the marked amounts, from 0 to the top."""

    width: int
    height: int
    first: date
    last: date
    ticks: tuple[float, ...]

    def x(self, week: date) -> float:
        days = max((self.last - self.first).days, 1)
        return LEFT + (self.width - LEFT - RIGHT) * (week - self.first).days / days

    def y(self, amount: float) -> float:
        return TOP + (self.height - TOP - BOTTOM) * (1 - amount / self.ticks[-1])


def chart(series: Series, title: str, width: int, height: int, history_weeks: int) -> Markup:
    """An SVG of at most so many weeks of history and the whole forecast; empty when there is neither.

    `title` is what a screen reader says of the chart; the same numbers are in the table below it.
    """
    history = list(series.history)[-history_weeks:]
    weeks = [week for week, _ in history] + [total.week for total in series.forecast]
    if not weeks:
        return Markup("")
    largest = max([amount for _, amount in history] + [total.p90 for total in series.forecast])
    shown_cap = series.cap if series.cap and series.cap <= largest * 1.5 else None
    frame = Frame(width, height, min(weeks), max(weeks), nice_ticks(max(largest, shown_cap or 0)))
    return el(
        "svg",
        _axes(frame, weeks),
        _cap(frame, shown_cap),
        _band(frame, series.forecast),
        _gap(frame, history, series.forecast),
        _line(frame, history, "history"),
        _line(frame, [(total.week, total.p50) for total in series.forecast], "p50"),
        *(_dot(frame, week, amount, "history", f"{number(amount, 0)} ordered") for week, amount in history),
        *(_dot(frame, total.week, total.p50, "p50", _range(total)) for total in series.forecast),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=title,
    )


def nice_ticks(largest: float, wanted: int = 4) -> tuple[float, ...]:
    """Amounts from 0 up to `largest` or a little more, in steps of 1, 2 or 5 times a power of ten."""
    if largest <= 0:
        return (0.0, 1.0)
    rough = largest / wanted
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return tuple(step * count for count in range(math.ceil(largest / step - 1e-9) + 1))


def _axes(frame: Frame, weeks: Sequence[date]) -> Markup:
    across = frame.width - RIGHT
    lines = [
        el("line", x1=float(LEFT), x2=float(across), y1=frame.y(tick), y2=frame.y(tick), class_="grid")
        for tick in frame.ticks
    ]
    amounts = [
        el("text", compact(tick), x=float(LEFT - 6), y=frame.y(tick) + 4, text_anchor="end") for tick in frame.ticks
    ]
    room = max(1, (frame.width - LEFT - RIGHT) // 64)
    every = math.ceil(len(weeks) / room)
    # Counted from the end, so that the last week of the forecast is always named.
    named = weeks[::-1][::every]
    days = [
        el("text", short_day(week), x=frame.x(week), y=float(frame.height - 10), text_anchor=_anchor(frame, week))
        for week in named
    ]
    return join(*lines, *amounts, *days)


def _anchor(frame: Frame, week: date) -> str:
    return "end" if week == frame.last else "start" if week == frame.first else "middle"


def _cap(frame: Frame, cap: float | None) -> Markup | None:
    if cap is None:
        return None
    height = frame.y(cap)
    label = el("text", f"cap {compact(cap)}", x=float(LEFT + 4), y=height + 13, class_="cap")
    return join(el("line", x1=float(LEFT), x2=float(frame.width - RIGHT), y1=height, y2=height, class_="cap"), label)


def _band(frame: Frame, forecast: Sequence[Total]) -> Markup | None:
    if not forecast:
        return None
    upper = [(frame.x(total.week), frame.y(total.p90)) for total in forecast]
    lower = [(frame.x(total.week), frame.y(total.p10)) for total in forecast]
    if len(forecast) == 1:
        (x, top), (_, bottom) = upper[0], lower[0]
        upper, lower = [(x - WHISKER, top), (x + WHISKER, top)], [(x - WHISKER, bottom), (x + WHISKER, bottom)]
    return el("polygon", points=_points([*upper, *lower[::-1]]), class_="band")


def _gap(frame: Frame, history: Sequence[tuple[date, float]], forecast: Sequence[Total]) -> Markup | None:
    """From the last known week to the first forecast one: weeks in between are over or under way, and not known."""
    if not (history and forecast):
        return None
    ends = [history[-1], (forecast[0].week, forecast[0].p50)]
    return el("polyline", points=_points([(frame.x(week), frame.y(amount)) for week, amount in ends]), class_="gap")


def _line(frame: Frame, values: Sequence[tuple[date, float]], name: str) -> Markup | None:
    if len(values) < 2:
        return None
    return el("polyline", points=_points([(frame.x(week), frame.y(amount)) for week, amount in values]), class_=name)


def _dot(frame: Frame, week: date, amount: float, name: str, text: str) -> Markup:
    title = el("title", f"Week of {short_day(week)}: {text}")
    return el("circle", title, cx=frame.x(week), cy=frame.y(amount), r=3, class_=name)


def _range(total: Total) -> str:
    return f"P50 {number(total.p50, 0)}, P10 {number(total.p10, 0)} to P90 {number(total.p90, 0)}"


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
