import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadRequest
from orchestrator.data.history import OrderRow
from orchestrator.data.orders import OrderParser
from orchestrator.data.rejects import Reject
from orchestrator.data.sheet import BadRow, Row, Sheet
from tests.unit.data.files import write

WEEK = date(2026, 11, 14)
COLUMNS = ("centre", "recipe", "orders", "price", "base_price", "emailer", "homepage")


def row(**cells: str) -> Row:
    return Row(2, cells, {name: name for name in cells})


def parser() -> OrderParser:
    return OrderParser({"mill"}, {"Ramen"}, "centres.csv", "recipes.csv")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "orders is empty"),
        ("-3", "orders is negative: -3"),
        ("ten", "orders is no number: 'ten'"),
        ("1_000", "orders is no number: '1_000'"),
        ("1,5", "orders is no number: '1,5'"),
        ("nan", "orders is no number: 'nan'"),
        ("inf", "orders is no number: 'inf'"),
        ("1e400", "orders is over 1e+09: 1e400"),
        ("\u0663", "orders is no number: '\u0663'"),
    ],
)
def test_what_is_no_number_is_named(text: str, reason: str) -> None:
    with pytest.raises(BadRow) as refused:
        row(orders=text).number("orders")
    assert str(refused.value) == reason


@pytest.mark.parametrize(("text", "number"), [("12", 12), (" 0 ", 0), ("1.50", 1.5), ("+.5", 0.5), ("2e3", 2000)])
def test_numbers(text: str, number: float) -> None:
    assert row(orders=text).number("orders") == number


@pytest.mark.parametrize("text", ["0", "10000", "-1", "1.0", "x", "99999999999999999999"])
def test_week_numbers_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(BadRow, match="week is no whole number from 1 to 9999"):
        row(week=text).whole("week", 9999)


@pytest.mark.parametrize("text", ["20.11.2026", "2026-02-30", "soon"])
def test_what_is_no_date_is_named(text: str) -> None:
    with pytest.raises(BadRow, match=f"week is no date like 2026-11-20: '{text}'"):
        row(week=text).day("week")


def test_dates_of_other_centuries_are_refused() -> None:
    with pytest.raises(BadRow, match="week is not in the years 1970 to 2199: 0202-11-20"):
        row(week="0202-11-20").day("week")


@pytest.mark.parametrize("text", ["a\x00b", "two\nlines", "x" * 201])
def test_names_the_database_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(BadRow, match="recipe must be at most 200 characters on one line"):
        row(recipe=text).name("recipe")


def test_flags() -> None:
    assert [row(emailer=text).flag_or_none("emailer") for text in ("0", "1", "True", "no", "")] == [
        False,
        True,
        True,
        False,
        None,
    ]
    with pytest.raises(BadRow, match="emailer is neither 0 nor 1: '2'"):
        row(emailer="2").flag_or_none("emailer")


def test_a_column_that_is_not_there_is_not_the_one_without_a_name(tmp_path: Path) -> None:
    sheet = Sheet(write(tmp_path / "a.csv", ",orders\n7,1\n"), ["orders"])
    assert list(sheet.parse(lambda found: found.text("price"), [])) == [None]


def test_header_in_any_case_with_a_byte_order_mark_and_empty_lines(tmp_path: Path) -> None:
    sheet = Sheet(write(tmp_path / "a.csv", "\ufeff Orders ,Other\n\n5,x\n"), ["orders"])
    assert list(sheet.parse(lambda found: (found.line, found.number("orders")), [])) == [(3, 5)]


def test_a_row_of_another_width_is_rejected_whole(tmp_path: Path) -> None:
    rejects: list[Reject] = []
    sheet = Sheet(write(tmp_path / "a.csv", 'a,b\n1\n"x\ny",2,3\n1,2\n'), ["a"])
    assert list(sheet.parse(lambda found: found.line, rejects)) == [5]
    assert [str(reject) for reject in rejects] == [
        "a.csv, row 2: 1 values where the header has 2",
        "a.csv, row 4: 3 values where the header has 2",
    ]
    assert rejects[1].cells == {"a": "x\ny", "b": "2", "value 3": "3"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "a.csv is empty"),
        (b"centre\n", "a.csv lacks the column num_orders/n"),
        (b"centre;num_orders\n", "a.csv is separated by ;, not by commas"),
        (b"centre,n,N\n", "a.csv has two columns of one name"),
        (b"centre,n\n\xff,1\n", "a.csv is not UTF-8 text"),
        (b'centre,n\n"mill,1\n', "a.csv is not a comma-separated file"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    with pytest.raises(BadRequest, match=message):
        list(Sheet(path, ["centre", "orders"], {"orders": ("num_orders", "n")}).parse(lambda found: found, []))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"cannot read .*none.csv: No such file"):
        Sheet(tmp_path / "none.csv", [])


def test_progress_counts_every_row(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    sheet = Sheet(write(tmp_path / "a.csv", "a\n" + "1\n" * 10_001), ["a"])
    list(sheet.parse(lambda found: None, [], progress=lambda *news: told.append(news)))
    assert told == [("reading a.csv", 10_000), ("reading a.csv", 10_001)]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"centre": "pier"}, "unknown centre 'pier': centres.csv has no good row for it"),
        ({"recipe": "Stew"}, "unknown recipe 'Stew': recipes.csv has no good row for it"),
        ({"price": "-1"}, "price is negative: -1"),
        ({"homepage": "maybe"}, "homepage is neither 0 nor 1: 'maybe'"),
    ],
)
def test_orders_that_do_not_fit(cells: dict[str, str], reason: str) -> None:
    bad = row(**({"centre": "mill", "recipe": "Ramen", "orders": "1"} | cells))
    with pytest.raises(BadRow) as refused:
        parser().parse(bad, WEEK, 7, bad.name("centre"))
    assert str(refused.value) == reason


def test_a_bad_row_does_not_use_up_its_key() -> None:
    orders = parser()
    with pytest.raises(BadRow, match="negative"):
        orders.parse(row(recipe="Ramen", orders="-1"), WEEK, 7, "mill")
    good = Row(3, {"recipe": "Ramen", "orders": "1"}, {"recipe": "recipe", "orders": "orders"})
    assert orders.parse(good, WEEK, 7, "mill").orders == 1
    again = Row(4, good.cells, good.columns)
    with pytest.raises(BadRow, match="repeats the week, centre and recipe of row 3"):
        orders.parse(again, WEEK, 7, "mill")


CELLS = st.one_of(
    st.sampled_from(["mill", "Ramen", "1", "0", "", "3.5", "-2", "1e9", "nan", "true"]),
    st.text(st.characters(codec="utf-8"), max_size=8),
)


@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=9), max_size=12))
def test_any_row_is_either_a_good_order_or_rejected_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    path = tmp_path_factory.mktemp("any") / "orders.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    orders, rejects = parser(), list[Reject]()
    good = list(Sheet(path, COLUMNS).parse(lambda found: orders.parse(found, WEEK, 7, found.name("centre")), rejects))
    assert len(good) + len(rejects) == len(rows)
    assert all(reject.reason and reject.row >= 2 for reject in rejects)
    assert all(is_sound(order) for order in good)
    assert len({(order.starts, order.centre, order.recipe) for order in good}) == len(good)


def is_sound(order: OrderRow) -> bool:
    numbers = (order.orders, order.price or 0, order.base_price or 0)
    return order.centre == "mill" and order.recipe == "Ramen" and all(0 <= number <= 1e9 for number in numbers)
