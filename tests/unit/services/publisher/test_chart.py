import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.publisher.page.chart import Frame, Series, chart, nice_ticks
from services.publisher.totals import Total
from tests.unit.services.publisher.publication import LAST, W1, total

WIDTH, HEIGHT = 340, 240


def numbers_of(svg: str) -> list[float]:
    places = re.findall(r'(?:x1|x2|cx|x|y1|y2|cy|y)="([^"]*)"', svg) + re.findall(r'points="([^"]*)"', svg)
    return [float(number) for place in places for number in re.split("[ ,]", place)]


amounts = st.floats(0, 1e9, allow_subnormal=False)


@st.composite
def series(draw: st.DrawFn) -> Series:
    back = draw(st.integers(0, 40))
    history = [(LAST - timedelta(weeks=n), draw(amounts)) for n in reversed(range(back))]
    forecast = []
    for ahead in range(draw(st.integers(0, 6))):
        p10, p50, p90 = sorted(draw(st.tuples(amounts, amounts, amounts)))
        forecast.append(Total(W1 + timedelta(weeks=ahead), "A", "orders", p50, p10, p50, p90))
    return Series(history, forecast, draw(st.none() | amounts))


@given(series(), st.integers(1, 52))
def test_everything_drawn_is_on_the_paper(given_series: Series, weeks: int) -> None:
    svg = chart(given_series, "title", WIDTH, HEIGHT, weeks)
    if not given_series.history and not given_series.forecast:
        assert svg == ""
        return
    found = numbers_of(svg)
    assert found
    assert all(0 <= number <= max(WIDTH, HEIGHT) for number in found)
    assert svg.count('class="history"') == min(len(given_series.history), weeks) + (
        min(len(given_series.history), weeks) > 1
    )


@given(amounts)
def test_ticks_reach_the_largest_and_not_far_beyond(largest: float) -> None:
    ticks = nice_ticks(largest)
    assert ticks[0] == 0
    assert len(ticks) <= 6
    if largest > 0:
        assert largest <= ticks[-1] * (1 + 1e-6)
        assert ticks[-2] < largest


@pytest.mark.parametrize(("largest", "last"), [(0, 1.0), (0.3, 0.3), (7, 8.0), (523_000, 600_000.0), (1_000_000, 1e6)])
def test_ticks_are_round(largest: float, last: float) -> None:
    assert nice_ticks(largest)[-1] == pytest.approx(last)


def test_more_is_higher_and_later_is_further_right() -> None:
    frame = Frame(WIDTH, HEIGHT, date(2026, 11, 14), date(2026, 11, 28), (0.0, 50.0, 100.0))
    assert frame.y(100) < frame.y(50) < frame.y(0)
    assert frame.x(date(2026, 11, 14)) < frame.x(date(2026, 11, 21)) < frame.x(date(2026, 11, 28))


def test_the_band_goes_from_p10_to_p90() -> None:
    svg = chart(Series([], [total(100.0), total(200.0, week=W1 + timedelta(weeks=1))]), "title", WIDTH, HEIGHT, 9)
    (points,) = re.findall(r'<polygon points="([^"]*)"', svg)
    heights = [float(point.split(",")[1]) for point in points.split()]
    frame = Frame(WIDTH, HEIGHT, W1, W1 + timedelta(weeks=1), nice_ticks(300))
    assert heights == pytest.approx([frame.y(150), frame.y(300), frame.y(160), frame.y(80)], abs=0.06)


def test_a_single_week_has_a_band_that_can_be_seen() -> None:
    svg = chart(Series([(LAST, 90.0)], [total(100.0)]), "title", WIDTH, HEIGHT, 9)
    (points,) = re.findall(r'<polygon points="([^"]*)"', svg)
    across = [float(point.split(",")[0]) for point in points.split()]
    assert max(across) - min(across) == pytest.approx(14)


@pytest.mark.parametrize(("cap", "shown"), [(120.0, True), (10_000.0, False), (None, False)])
def test_a_cap_is_drawn_where_it_matters(cap: float | None, shown: bool) -> None:
    svg = chart(Series([(LAST, 90.0)], [total(100.0)], cap), "title", WIDTH, HEIGHT, 9)
    assert ('class="cap"' in svg) == shown


def test_the_last_week_is_always_named() -> None:
    history = [(LAST - timedelta(weeks=n), 1.0) for n in reversed(range(30))]
    assert ">28 Nov</text>" in chart(Series(history, [total(1.0)]), "title", WIDTH, HEIGHT, 30)
