"""Schedules mean what EventBridge Scheduler says they mean."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PipelineError
from contracts.pipelines import ORDER_SIMULATION
from contracts.schedule import DAYS, Schedule

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def latest(expression: str, now: str, since: datetime = LONG_AGO) -> str | None:
    found = Schedule(expression).latest(at(now), since)
    return f"{found:%a %Y-%m-%d %H:%M}" if found else None


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        ("cron(0 4 ? * MON-FRI *)", "2026-11-25T04:00", "Wed 2026-11-25 04:00"),
        ("cron(0 4 ? * MON-FRI *)", "2026-11-25T03:59:59", "Tue 2026-11-24 04:00"),
        ("cron(0 4 ? * MON-FRI *)", "2026-11-29T12:00", "Fri 2026-11-27 04:00"),
        ("cron(0 4 ? * mon-fri *)", "2026-11-29T12:00", "Fri 2026-11-27 04:00"),
        ("cron(0 4 ? * 2-6 *)", "2026-11-29T12:00", "Fri 2026-11-27 04:00"),
        ("cron(15 10 ? * 1 *)", "2026-11-25T00:00", "Sun 2026-11-22 10:15"),
        ("cron(0/15 8-17 * * ? *)", "2026-11-25T12:34", "Wed 2026-11-25 12:30"),
        ("cron(5,35 */6 * * ? *)", "2026-11-25T12:34", "Wed 2026-11-25 12:05"),
        ("cron(0-10/5 0 1 * ? *)", "2026-11-25T12:34", "Sun 2026-11-01 00:10"),
        ("cron(0 18 L * ? *)", "2026-11-25T12:34", "Sat 2026-10-31 18:00"),
        ("cron(0 18 L 2 ? *)", "2024-03-25T12:34", "Thu 2024-02-29 18:00"),
        ("cron(0 8 1W * ? *)", "2026-08-20T00:00", "Mon 2026-08-03 08:00"),  # the 1st is a Saturday
        ("cron(0 8 31W * ? *)", "2026-06-20T00:00", "Fri 2026-05-29 08:00"),  # the 31st is a Sunday
        ("cron(0 8 15W * ? *)", "2026-11-25T00:00", "Mon 2026-11-16 08:00"),  # the 15th is a Sunday
        ("cron(0 8 30W * ? *)", "2026-03-01T00:00", "Fri 2026-01-30 08:00"),  # February has no 30th
        ("cron(15 10 ? * 6L 2024-2025)", "2026-11-25T00:00", "Fri 2025-12-26 10:15"),
        ("cron(0 1 ? * 3#2 *)", "2026-11-25T00:00", "Tue 2026-11-10 01:00"),
        ("cron(0 1 ? * L *)", "2026-11-25T00:00", "Sat 2026-11-21 01:00"),
        ("cron(0 0 29 FEB ? *)", "2026-11-25T00:00", "Thu 2024-02-29 00:00"),
        ("cron(0 0 1 1 ? 2023)", "2026-11-25T00:00", None),
        ("rate(1 minute)", "2026-11-25T12:34:56", "Wed 2026-11-25 12:34"),
        ("rate(6 hours)", "2026-11-25T12:34", "Wed 2026-11-25 12:00"),
        ("rate(1 day)", "2026-11-25T12:34", "Wed 2026-11-25 00:00"),
    ],
)
def test_the_latest_time(expression: str, now: str, expected: str | None) -> None:
    assert latest(expression, now) == expected


def test_what_was_before_somebody_cared_is_not_found() -> None:
    expression = "cron(0 4 * * ? *)"
    assert latest(expression, "2026-11-25T05:00", at("2026-11-25T03:59")) == "Wed 2026-11-25 04:00"
    assert latest(expression, "2026-11-25T05:00", at("2026-11-25T04:00")) is None
    assert latest("rate(6 hours)", "2026-11-25T12:34", at("2026-11-25T12:00")) is None


def test_times_are_utc_whatever_now_is_given_in() -> None:
    elsewhere = datetime(2026, 11, 25, 5, 30, tzinfo=timezone(timedelta(hours=2)))
    assert Schedule("cron(0 4 * * ? *)").latest(elsewhere, LONG_AGO) == at("2026-11-24T04:00")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("0 4 * * *", "write cron"),
        ("cron(0 4 * * *)", "cron has six fields"),
        ("cron(0 4 * * * *)", "write \\? for the day of month or for the day of week"),
        ("cron(0 4 ? * ? *)", "write \\? for the day of month or for the day of week"),
        ("cron(60 4 * * ? *)", "'60' is no minutes: they go from 0 to 59"),
        ("cron(0 24 * * ? *)", "'24' is no hours"),
        ("cron(0 4 0 * ? *)", "'0' is no day of month"),
        ("cron(0 4 * 13 ? *)", "'13' is no month"),
        ("cron(0 4 * MON ? *)", "'MON' is no month"),
        ("cron(0 4 ? * 8 *)", "'8' is no day of week"),
        ("cron(0 4 ? * 3#6 *)", "'6' is no count of weeks"),
        ("cron(0 4 ? * FRI-MON *)", "'FRI-MON' holds no day of week"),
        ("cron(0/0 4 * * ? *)", "'0/0' holds no minutes"),
        ("cron(*-5 4 * * ? *)", "'\\*-5' is not understood as minutes"),
        ("cron(, 4 * * ? *)", "'' is not understood as minutes"),
        ("cron(\N{ARABIC-INDIC DIGIT FOUR} 4 * * ? *)", "is not understood as minutes"),
        ("cron(0 4 * * ? 1969)", "'1969' is no year"),
        ("rate(0 minutes)", "a rate is a number and"),
        ("rate(1 minutes)", "a rate is a number and"),
        ("rate(5 minute)", "a rate is a number and"),
        ("rate(5 weeks)", "a rate is a number and"),
        ("at(2026-11-25T04:00:00)", "write cron"),
    ],
)
def test_what_is_no_schedule_is_refused_where_it_is_written(expression: str, reason: str) -> None:
    with pytest.raises(PipelineError, match=f"is no schedule: .*{reason}"):
        Schedule(expression)


def test_a_schedule_is_not_part_of_what_a_run_is_routed_by() -> None:
    assert ORDER_SIMULATION.schedule is not None
    assert replace(ORDER_SIMULATION, schedule=None).graph.digest == ORDER_SIMULATION.graph.digest


def listed(numbers: set[int], names: tuple[str, ...] = ()) -> str:
    return ",".join(names[number - 1] if names else str(number) for number in sorted(numbers))


@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=4),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=4),
    days=st.sets(st.integers(1, 7), min_size=1, max_size=3),
    now=st.integers(0, 8 * 365 * 86_400).map(lambda seconds: LONG_AGO + timedelta(days=3, seconds=seconds)),
    back=st.timedeltas(timedelta(0), timedelta(days=2)),
)
def test_it_finds_what_trying_every_minute_finds(
    minutes: set[int], hours: set[int], days: set[int], now: datetime, back: timedelta
) -> None:
    def fires(when: datetime) -> bool:
        return when.minute in minutes and when.hour in hours and when.isoweekday() % 7 + 1 in days

    since = now - back
    tried = now.replace(second=0, microsecond=0)
    while tried > since and not fires(tried):
        tried -= timedelta(minutes=1)
    expression = f"cron({listed(minutes)} {listed(hours)} ? * {listed(days, DAYS)} *)"
    assert Schedule(expression).latest(now, since) == (tried if tried > since else None)


@given(st.text(max_size=30))
def test_no_text_is_worse_than_refused(text: str) -> None:
    for expression in (text, f"rate({text})", f"cron({text})", f"cron({text} 4 {text} * ? *)"):
        with suppress(PipelineError):
            Schedule(expression)
