from datetime import date
from pathlib import Path

import pytest

from contracts.errors import BadData, BadRequest
from orchestrator.data import Loaded, load_food_demand
from orchestrator.data.bill import default_bill
from orchestrator.data.history import CannotCookRow, CentreRow, FactoryRow, OrderRow, RegionRow
from tests.unit.data.files import CENTRES, MANY_CENTRES, MEALS, ONE_CENTRE, food_demand, write

ENDING = date(2026, 11, 20)
FIRST, LAST = date(2026, 10, 31), date(2026, 11, 14)


def load(file: Path, weeks: tuple[int, int] | None = None, factories: Path | None = None) -> Loaded:
    return load_food_demand(file, weeks, ENDING, factories)


def test_the_file_of_many_centres(tmp_path: Path) -> None:
    loaded = load(food_demand(tmp_path), weeks=(1, 3))
    history = loaded.accepted(None)
    assert history.orders == (
        OrderRow(FIRST, 7, "10", "1885", 60, 243.5, 281.33, False, False),
        OrderRow(FIRST, 7, "11", "1885", 30, 243.5, 281.33, True, False),
        OrderRow(FIRST, 7, "12", "1993", 24, 300, 300, False, True),
        OrderRow(LAST, 7, "10", "1993", 90, 299.5, 300, True, True),
    )
    assert (history.first_week, history.last_week) == (FIRST, LAST)
    assert history.centres == (CentreRow("10", "56"), CentreRow("11", "34"), CentreRow("12", "77"))
    assert history.regions == (RegionRow("34", "B"), RegionRow("56", "A"), RegionRow("77", "B"))
    assert history.factories == (FactoryRow("A", 45), FactoryRow("B", 27))
    assert history.menu == ()


def test_rows_of_other_weeks_are_not_looked_at(tmp_path: Path) -> None:
    file = food_demand(tmp_path)
    assert load(file, weeks=(1, 3)).rejects == ()
    assert [str(reject) for reject in load(file).rejects] == ["orders.csv, row 6: 8 values where the header has 12"]


def test_the_last_week_loaded_ends_on_the_day_given(tmp_path: Path) -> None:
    history = load(food_demand(tmp_path), weeks=(1, 2)).accepted(None)
    assert {row.starts for row in history.orders} == {LAST}


def test_the_file_of_one_centre_has_one_factory(tmp_path: Path) -> None:
    history = load(food_demand(tmp_path, ONE_CENTRE)).accepted(None)
    assert history.orders[0] == OrderRow(date(2026, 11, 7), 7, "55", "1885", 177, 136.83, None, None, None)
    assert history.regions == (RegionRow("55", "A"),)
    assert history.centres == (CentreRow("55", "55"),)
    assert history.factories == (FactoryRow("A", 224),)


def test_centres_of_one_region_become_regions(tmp_path: Path) -> None:
    file = food_demand(tmp_path, centres=CENTRES.replace(",34,", ",56,").replace(",77,", ",56,"))
    history = load(file, weeks=(1, 3)).accepted(None)
    assert history.regions == (RegionRow("10", "A"), RegionRow("11", "B"), RegionRow("12", "B"))


def test_ingredients_come_from_the_bill_of_the_category(tmp_path: Path) -> None:
    history = load(food_demand(tmp_path, meals=MEALS.replace("Pasta", "Stew")), weeks=(1, 3)).accepted(None)
    found = {recipe: {row[1] for row in history.ingredients if row.recipe == recipe} for recipe in ("1885", "1993")}
    assert found == {"1885": set(default_bill()["beverages"]), "1993": set(default_bill()["*"])}


def test_a_factories_file_says_who_serves_whom(tmp_path: Path) -> None:
    factories = write(tmp_path / "f.csv", "factory,weekly_cap,regions\nX,70,56|34|99\nY,10,77\nZ,5,\n")
    history = load(food_demand(tmp_path), weeks=(1, 3), factories=factories).accepted(None)
    assert history.factories == (FactoryRow("X", 70), FactoryRow("Y", 10), FactoryRow("Z", 5))
    assert history.regions == (RegionRow("34", "X"), RegionRow("56", "X"), RegionRow("77", "Y"))


def test_costs_and_capability_lie_beside_the_orders(tmp_path: Path) -> None:
    """Costs may name regions that are listed and have no orders."""
    write(tmp_path / "costs.csv", "factory,region,cost\nX,,7\nY,,8\nY,77,6\nX,99,1\nY,99,1\n")
    write(tmp_path / "cannot_cook.csv", "factory,recipe\nY,1885\n")
    factories = write(tmp_path / "f.csv", "factory,weekly_cap,regions\nX,70,56|34|99\nY,10,77\n")
    loaded = load(food_demand(tmp_path), weeks=(1, 3), factories=factories)
    history = loaded.accepted(None)
    assert {(row.factory, row.region): row.cost for row in history.costs} == {
        **{("X", region): 7 for region in ("34", "56", "77")},
        **{("Y", region): 8 for region in ("34", "56")},
        ("Y", "77"): 6,
    }
    assert history.cannot_cook == (CannotCookRow("Y", "1885"),)
    assert {"costs.csv", "cannot_cook.csv"} < {file.name for file in loaded.files}


def test_a_region_that_no_factory_serves(tmp_path: Path) -> None:
    factories = write(tmp_path / "f.csv", "factory,weekly_cap,regions\nX,70,56\n")
    with pytest.raises(BadData, match="no factory serves region 34, 77: add it"):
        load(food_demand(tmp_path), weeks=(1, 3), factories=factories)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("X,0,56|34|77", r"weekly_cap 0.0: input should be greater than 0"),
        ("X,-5,56|34|77", "weekly_cap is negative: -5"),
        ("X,,56|34|77", "weekly_cap is empty"),
        ("two words,5,56|34|77", "factory 'two words': string should match pattern"),
        ("Y,5,56|34|77", "repeats the factory of row 2"),
        ("X,5,1|34|77", "region '1' is factory Y's already"),
    ],
)
def test_a_bad_factory_stops_the_load(tmp_path: Path, line: str, reason: str) -> None:
    factories = write(tmp_path / "f.csv", f"factory,weekly_cap,regions\nY,10,1\n{line}\n")
    with pytest.raises(BadData, match=f"nothing was loaded: 1 bad row\n  f.csv, row 3: {reason}"):
        load(food_demand(tmp_path), weeks=(1, 3), factories=factories)


def test_a_file_without_factories(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"f.csv names no factory"):
        load(food_demand(tmp_path), factories=write(tmp_path / "f.csv", "factory,weekly_cap,regions\n"))


def test_bad_rows_of_every_file_are_told_with_the_names_the_file_uses(tmp_path: Path) -> None:
    lines = [
        *MANY_CENTRES.splitlines()[:5],
        "5,10,1885,1,Year 1,Q1,1,281.33,243.5,0,0,7",
        "6,10,1885,1,Year 1,Q1,x,281.33,243.5,0,0,7",
        "7,10,1885,1,Year 1,Q1,2,281.33,243.5,0,0,-7",
        "8,99,1885,1,Year 1,Q1,2,281.33,243.5,0,0,7",
        "9,10,7777,1,Year 1,Q1,2,281.33,cheap,0,0,7",
    ]
    file = food_demand(tmp_path, "\n".join(lines), MEALS + "1885,Soup,Thai\n", CENTRES + "7,1,,A,1\n")
    assert [str(reject) for reject in load(file).rejects] == [
        "meal_info.csv, row 4: repeats the recipe of row 2",
        "fulfilment_center_info.csv, row 6: region_code is empty",
        "orders.csv, row 6: repeats the week, centre and recipe of row 2",
        "orders.csv, row 7: week is no whole number from 1 to 9999: 'x'",
        "orders.csv, row 8: num_orders is negative: -7",
        "orders.csv, row 9: unknown centre '99': fulfilment_center_info.csv has no good row for it",
        "orders.csv, row 10: unknown recipe '7777': meal_info.csv has no good row for it",
    ]


def test_nothing_to_load_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no good row to load, 5 rows are of weeks outside 20:30$"):
        load(food_demand(tmp_path), weeks=(20, 30))


@pytest.mark.parametrize("weeks", [(0, 3), (3, 1)])
def test_weeks_that_are_no_range(tmp_path: Path, weeks: tuple[int, int]) -> None:
    with pytest.raises(BadRequest, match="is no range"):
        load(food_demand(tmp_path), weeks=weeks)


def test_the_last_day_must_be_a_friday(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="a menu week ends on a Friday"):
        load_food_demand(food_demand(tmp_path), None, date(2026, 11, 25), None)


def test_a_missing_column_is_named_as_the_layout_has_it(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="lacks the column meal_id/fid, checkout_price/totalprice"):
        load(food_demand(tmp_path, "week,num_orders\n1,2\n"))


def test_a_missing_file_beside_the_orders(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r"cannot read .*meal_info.csv"):
        load(write(tmp_path / "orders.csv", ONE_CENTRE))
