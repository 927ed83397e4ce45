from datetime import date

import pytest

from services.publisher.page.numbers import (
    compact,
    counted,
    day,
    decimals,
    number,
    per_cent,
    scale_of,
    short_day,
    signed,
)

MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("value", "text"), [(1234567.8, "1,234,568"), (99.96, "100.0"), (12.34, "12.3"), (1.234, "1.23"), (0, "0")]
)
def test_small_numbers_keep_decimals_and_large_ones_do_not(value: float, text: str) -> None:
    assert number(value, decimals(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1200.4, "+1,200"), (-1200.4, f"{MINUS}1,200"), (0.4, "0"), (-0.4, "0"), (0.0, "0")]
)
def test_signed_numbers_have_a_sign_unless_they_are_shown_as_zero(value: float, text: str) -> None:
    assert signed(value, 0) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.031, "+3.1 %"), (-0.5, f"{MINUS}50.0 %"), (2.0, "+200 %"), (0.0, "0.0 %"), (None, "\u2013")]
)
def test_shares_are_signed_per_cent(share: float | None, text: str) -> None:
    assert per_cent(share) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.25, "0.25"), (999, "999"), (1500, "1.5k"), (400_000, "400k"), (1.2e6, "1.2M"), (3e9, "3G")],
)
def test_axes_are_compact(value: float, text: str) -> None:
    assert compact(value) == text


@pytest.mark.parametrize(
    ("unit", "largest", "shown"),
    [("g", 9_999, ("g", 1)), ("g", 10_000, ("kg", 1000)), ("ml", 1e6, ("l", 1000)), ("pieces", 1e6, ("pieces", 1))],
)
def test_large_amounts_are_in_larger_units(unit: str, largest: float, shown: tuple[str, int]) -> None:
    assert scale_of(unit, largest) == shown


def test_days_have_no_leading_zeros() -> None:
    assert day(date(2026, 12, 5)) == "5 December 2026"
    assert short_day(date(2026, 12, 5)) == "5 Dec"


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "factory", "1 factory"),
        (2, "factory", "2 factories"),
        (0, "recipe", "0 recipes"),
        (1500, "row", "1,500 rows"),
    ],
)
def test_things_are_counted(count: int, noun: str, text: str) -> None:
    assert counted(count, noun) == text
