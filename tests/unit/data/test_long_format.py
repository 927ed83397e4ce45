from datetime import date
from pathlib import Path

import pytest

from contracts.errors import BadData, BadRequest
from orchestrator.data import load_long
from orchestrator.data.bill import default_bill
from orchestrator.data.history import (
    CannotCookRow,
    CentreRow,
    CostRow,
    FactoryRow,
    IngredientRow,
    MenuRow,
    OfferRow,
    OrderRow,
    RecipeRow,
    RegionRow,
)
from tests.unit.data.files import ORDERS, RECIPES, long_format, write


def reasons(file: Path) -> list[str]:
    return [str(reject) for reject in load_long(file).rejects]


def test_weekly_orders_by_centre(tmp_path: Path) -> None:
    history = load_long(long_format(tmp_path)).accepted(None)
    assert history.orders == (
        OrderRow(date(2026, 11, 7), 7, "mill", "Ramen", 12, 9.5, 10, False, True),
        OrderRow(date(2026, 11, 14), 7, "barn", "Biryani", 7.5, None, None, None, None),
    )
    assert (history.first_week, history.last_week) == (date(2026, 11, 7), date(2026, 11, 14))
    assert history.factories == (FactoryRow("A", 100), FactoryRow("B", 50.5))
    assert history.regions == (RegionRow("coast", "A"), RegionRow("north", "A"), RegionRow("south", "B"))
    assert history.centres == (CentreRow("barn", "south"), CentreRow("mill", "north"), CentreRow("pier", "coast"))
    assert history.recipes == (RecipeRow("Biryani", "Biryani", "Indian"), RecipeRow("Ramen", "Soup", "Japanese"))
    assert (history.recipes_per_box, history.portions_per_order) == (3, 2)


def test_daily_orders_count_from_the_first_to_the_last_whole_week(tmp_path: Path) -> None:
    days = [date(2026, 11, n) for n in (5, 7, 13, 14, 20, 21)]
    lines = [f"{day},mill,Ramen,{n}" for n, day in enumerate(days)]
    history = load_long(long_format(tmp_path, "\n".join(["day,centre,recipe,orders", *lines]))).accepted(None)
    assert [(row.starts, row.days, row.orders) for row in history.orders] == [(d, 1, n) for n, d in enumerate(days)]
    assert (history.first_week, history.last_week) == (date(2026, 11, 7), date(2026, 11, 14))


def test_days_without_a_whole_week(tmp_path: Path) -> None:
    file = long_format(tmp_path, "day,centre,recipe,orders\n2026-11-08,mill,Ramen,1\n2026-11-20,mill,Ramen,1\n")
    assert load_long(file).history.first_week == date(2026, 11, 14)
    write(file, "day,centre,recipe,orders\n2026-11-08,mill,Ramen,1\n2026-11-19,mill,Ramen,1\n")
    with pytest.raises(BadData, match="hold no whole menu week"):
        load_long(file)


def test_orders_by_factory_make_each_factory_a_centre(tmp_path: Path) -> None:
    orders = "week,factory,recipe,orders\n2026-11-07,A,Ramen,5\n2026-11-07,B,Ramen,6\n"
    file = long_format(tmp_path, orders, factories="factory,weekly_cap,regions\nA,9,north\nB,9,\n")
    history = load_long(file).accepted(None)
    assert history.centres == (CentreRow("A", "north"), CentreRow("B", "B"))
    assert history.regions == (RegionRow("B", "B"), RegionRow("north", "A"))
    assert [row.centre for row in history.orders] == ["A", "B"]


def test_orders_by_factory_cannot_be_told_apart_by_region(tmp_path: Path) -> None:
    file = long_format(tmp_path, "week,factory,recipe,orders\n2026-11-07,A,Ramen,5\n")
    with pytest.raises(BadRequest, match="factory A has several"):
        load_long(file)


def test_a_region_named_as_a_factory_without_regions(tmp_path: Path) -> None:
    orders = "week,factory,recipe,orders\n2026-11-07,A,Ramen,5\n"
    file = long_format(tmp_path, orders, factories="factory,weekly_cap,regions\nA,9,B\nB,9,\n")
    with pytest.raises(BadRequest, match="factory B lists no region, and its name is a region of factory A"):
        load_long(file)


def test_without_centres_every_region_is_one(tmp_path: Path) -> None:
    file = long_format(tmp_path, ORDERS.replace("mill", "north").replace("barn", "south"), centres="")
    assert load_long(file).accepted(None).centres[1] == CentreRow("north", "north")


def test_ingredients_given_replace_the_default_of_that_recipe_only(tmp_path: Path) -> None:
    file = long_format(tmp_path, ingredients="recipe,ingredient,quantity,unit\nRamen,noodles,90,g\n")
    ingredients = load_long(file).accepted(None).ingredients
    assert [row for row in ingredients if row.recipe == "Ramen"] == [IngredientRow("Ramen", "noodles", 90, "g")]
    assert {row.ingredient for row in ingredients if row.recipe == "Biryani"} == set(default_bill()["biryani"])


def test_a_menu_may_name_any_day_of_its_week(tmp_path: Path) -> None:
    file = long_format(tmp_path, menu="week,recipe\n2026-11-25,Ramen\n2026-11-21,Biryani\n")
    saturday = date(2026, 11, 21)
    assert load_long(file).accepted(None).menu == (MenuRow(saturday, "Biryani"), MenuRow(saturday, "Ramen"))


def test_a_menu_may_say_what_is_planned(tmp_path: Path) -> None:
    rows = "2026-11-21,Ramen,8.5,,1,\n2026-11-21,Biryani,,,,\n2026-11-28,Ramen,8.5,9.5,0,yes\n"
    history = load_long(long_format(tmp_path, menu=f"week,recipe,price,base_price,emailer,homepage\n{rows}")).accepted(
        None
    )
    assert len(history.menu) == 3
    assert history.offers == (
        OfferRow(date(2026, 11, 21), "Ramen", 8.5, None, True, None),
        OfferRow(date(2026, 11, 28), "Ramen", 8.5, 9.5, False, True),
    )


def test_costs_are_of_every_factory_and_region(tmp_path: Path) -> None:
    costs = "factory,region,cost\nA,,5\nB,,6.5\nB,north,4\nA,south,0\n"
    assert load_long(long_format(tmp_path, costs=costs)).accepted(None).costs == (
        CostRow("A", "coast", 5),
        CostRow("A", "north", 5),
        CostRow("A", "south", 0),
        CostRow("B", "coast", 6.5),
        CostRow("B", "north", 4),
        CostRow("B", "south", 6.5),
    )


def test_costs_of_factories_only(tmp_path: Path) -> None:
    costs = load_long(long_format(tmp_path, costs="cost,factory\n5,A\n6,B\n")).accepted(None).costs
    assert [row.cost for row in costs] == [5, 5, 5, 6, 6, 6]


def test_a_lane_without_a_cost_is_named(tmp_path: Path) -> None:
    file = long_format(tmp_path, costs="factory,region,cost\nA,,5\nB,north,4\nB,south,4\n")
    with pytest.raises(
        BadData, match=r"costs.csv does not say what a box costs from factory B to region coast: give it"
    ):
        load_long(file)


def test_what_a_factory_cannot_cook(tmp_path: Path) -> None:
    history = load_long(long_format(tmp_path, cannot_cook="factory,recipe\nB,Ramen\nA,Biryani\n")).accepted(None)
    assert history.cannot_cook == (CannotCookRow("A", "Biryani"), CannotCookRow("B", "Ramen"))
    assert history.costs == ()


@pytest.mark.parametrize(
    ("files", "reasons"),
    [
        (
            {"costs": "factory,region,cost\nA,,5\nZ,north,1\nB,moon,1\nB,north,-1\nB,,x\nA,,6\nA,north,\n"},
            [
                "costs.csv, row 3: unknown factory 'Z': no good row names it",
                "costs.csv, row 4: unknown region 'moon': no good row names it",
                "costs.csv, row 5: cost is negative: -1",
                "costs.csv, row 6: cost is no number: 'x'",
                "costs.csv, row 7: repeats the factory and region of row 2",
                "costs.csv, row 8: cost is empty",
            ],
        ),
        (
            {"cannot_cook": "factory,recipe\nB,Ramen\nZ,Ramen\nB,Stew\nB,Ramen\nB,\n"},
            [
                "cannot_cook.csv, row 3: unknown factory 'Z': no good row names it",
                "cannot_cook.csv, row 4: unknown recipe 'Stew': no good row names it",
                "cannot_cook.csv, row 5: repeats the factory and recipe of row 2",
                "cannot_cook.csv, row 6: recipe is empty",
            ],
        ),
    ],
)
def test_bad_rows_about_factories_are_never_set_aside(
    tmp_path: Path, files: dict[str, str], reasons: list[str]
) -> None:
    with pytest.raises(BadData) as caught:
        load_long(long_format(tmp_path, **files))
    told = [line.strip() for line in str(caught.value).splitlines()]
    assert told == [f"nothing was loaded: {len(reasons)} bad rows", *reasons, "Correct the file"]


def test_ratios_of_the_data(tmp_path: Path) -> None:
    file = long_format(tmp_path)
    history = load_long(file, recipes_per_box=2.5, portions_per_order=4).accepted(None)
    assert (history.recipes_per_box, history.portions_per_order) == (2.5, 4)
    with pytest.raises(BadRequest, match="must be more than 0"):
        load_long(file, recipes_per_box=0)


def test_factories_from_elsewhere(tmp_path: Path) -> None:
    file = long_format(tmp_path, factories="")
    other = write(tmp_path / "other.csv", "factory,weekly_cap,regions\nC,7,north|south|coast\n")
    assert load_long(file, other).accepted(None).factories == (FactoryRow("C", 7),)


def test_every_file_reports_its_bad_rows(tmp_path: Path) -> None:
    file = long_format(
        tmp_path,
        ORDERS + "2026-11-07,lost,Ramen,1,,,,\n2026-11-10,mill,Ramen,1,,,,\nsoon,mill,Ramen,1,,,,\n",
        recipes=RECIPES + "Stew,,Irish\n",
        centres="centre,region\nmill,north\nbarn,south\nlost,moon\nmill,south\n",
        ingredients="recipe,ingredient,quantity,unit\nRamen,noodles,0,g\nRamen,egg,1,\nStew,beef,1,g\n",
        menu="week,recipe\n2026-11-21,Ramen\n2026-11-22,Ramen\n2026-11-21,Stew\n",
    )
    assert reasons(file) == [
        "recipes.csv, row 4: category is empty",
        "centres.csv, row 4: no factory serves region 'moon'",
        "centres.csv, row 5: repeats the centre of row 2",
        "ingredients.csv, row 2: quantity is 0",
        "ingredients.csv, row 3: unit is empty",
        "ingredients.csv, row 4: unknown recipe 'Stew': recipes.csv has no good row for it",
        "menu.csv, row 3: repeats the week and recipe of row 2",
        "menu.csv, row 4: unknown recipe 'Stew': recipes.csv has no good row for it",
        "orders.csv, row 4: unknown centre 'lost': centres.csv has no good row for it",
        "orders.csv, row 5: repeats the week, centre and recipe of row 2",
        "orders.csv, row 6: week is no date like 2026-11-20: 'soon'",
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("centre,recipe,orders", "either a column week or a column day"),
        ("week,day,centre,recipe,orders", "either a column week or a column day"),
        ("week,recipe,orders", "a column centre or a column factory"),
        ("week,centre,orders", "lacks the column recipe"),
    ],
)
def test_columns_that_do_not_say_enough(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        load_long(long_format(tmp_path, header + "\n"))


def test_a_header_alone_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"orders.csv has no row below its header: nothing was loaded$"):
        load_long(long_format(tmp_path, ORDERS.splitlines()[0]))


def test_no_good_order_left(tmp_path: Path) -> None:
    file = long_format(tmp_path, "week,centre,recipe,orders\n2026-11-07,mill,Stew,1\n")
    with pytest.raises(BadData, match=r"no good row to load: 1 bad row\n  orders.csv, row 2: unknown recipe 'Stew'"):
        load_long(file)
