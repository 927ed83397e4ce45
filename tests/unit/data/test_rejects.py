import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.errors import BadData, BadRequest
from orchestrator.data import load_long
from tests.unit.data.files import ORDERS, RECIPES, long_format


def test_bad_rows_stop_the_load_and_the_first_ten_are_told(tmp_path: Path) -> None:
    bad = "".join(f"2026-11-07,mill,Ramen{n},1,,,,\n" for n in range(12))
    loaded = load_long(long_format(tmp_path, ORDERS + bad))
    with pytest.raises(BadData) as refused:
        loaded.accepted(None)
    lines = str(refused.value).splitlines()
    assert lines[0] == "nothing was loaded: 12 bad rows"
    assert lines[1] == "  orders.csv, row 4: unknown recipe 'Ramen0': recipes.csv has no good row for it"
    assert lines[10].startswith("  orders.csv, row 13: ")
    assert lines[11:] == ["  and 2 more", "Correct them, or set them aside with --rejects FILE"]


def test_bad_rows_can_be_set_aside_with_their_reasons(tmp_path: Path) -> None:
    orders = ORDERS + '2026-11-07,mill,Ramen,"1,5",9,,,\n'
    file = long_format(tmp_path, orders, recipes=RECIPES + ",Soup,Thai\n")
    rejects = tmp_path / "rejects.csv"
    assert len(load_long(file).accepted(rejects).orders) == 2
    with rejects.open(encoding="utf-8", newline="") as opened:
        first, second = csv.DictReader(opened)
    assert {name: text for name, text in first.items() if text} == {
        "file": "recipes.csv",
        "row": "4",
        "reason": "recipe is empty",
        "category": "Soup",
        "cuisine": "Thai",
    }
    assert second["reason"] == "orders is no number: '1,5'"
    assert [second[name] for name in ("file", "row", "week", "centre", "recipe", "orders", "price")] == [
        "orders.csv",
        "4",
        "2026-11-07",
        "mill",
        "Ramen",
        "1,5",
        "9",
    ]


def test_without_bad_rows_the_file_has_none(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    load_long(long_format(tmp_path)).accepted(rejects)
    assert rejects.read_text(encoding="utf-8").splitlines() == ["file,row,reason"]


def test_a_file_to_read_is_never_overwritten(tmp_path: Path) -> None:
    file = long_format(tmp_path)
    with pytest.raises(BadRequest, match="is a file to read"):
        load_long(file).accepted(tmp_path / "." / "factories.csv")
    assert file.with_name("factories.csv").read_text(encoding="utf-8").startswith("factory,")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    loaded = load_long(long_format(tmp_path))
    with pytest.raises(BadRequest, match=r"cannot write .*none/rejects.csv: No such file"):
        loaded.accepted(tmp_path / "none" / "rejects.csv")


@pytest.mark.parametrize(("bad", "few"), [(0, True), (1, True), (2, False), (30, False)])
def test_up_to_five_bad_rows_of_a_hundred_are_few(bad: int, few: bool, tmp_path: Path) -> None:
    weeks = [date(2026, 1, 3) + timedelta(weeks=n) for n in range(20)]
    header = ORDERS.splitlines()[0]
    good = "".join(f"{week},mill,Ramen,1,,,,\n" for week in weeks)
    loaded = load_long(long_format(tmp_path, f"{header}\n{good}" + "2026-11-07,mill,Stew,1,,,,\n" * bad))
    assert (len(loaded.history.orders), len(loaded.rejects)) == (20, bad)
    assert loaded.few_rejects is few
