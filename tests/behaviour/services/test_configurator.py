from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from contracts.configurator import ConfigureRun, History, RunPlanned
from contracts.errors import BadData
from contracts.message import EarlierResult
from contracts.run import RunRequest
from services.configurator.handler import handle
from services.runtime.testing import local_context
from tests.behaviour.services.history import (
    CENTRES,
    FIRST_WEEK,
    LAST_WEEK,
    RECIPES,
    RUN_DATE,
    insert,
    load_surroundings,
    weekly_orders,
    weeks,
)

MENU_WEEKS = [date(2026, 11, 28), date(2026, 12, 5), date(2026, 12, 12), date(2026, 12, 19)]


@pytest.fixture
def loaded(database: psycopg.Connection) -> psycopg.Connection:
    """Soup was last ordered four weeks before the end, pasta two, pie and curry all the time."""
    load_surroundings(database)
    recipes = {week: ["pie", "curry"] for week in weeks()}
    recipes[LAST_WEEK - timedelta(weeks=3)].append("soup")
    recipes[LAST_WEEK - timedelta(weeks=2)].append("pasta")
    insert(database, "orders", weekly_orders(recipes))
    return database


class Planner:
    """Runs the handler on one database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.earlier: dict[tuple[str, str], EarlierResult] = {}

    def __call__(self, run_date: date = RUN_DATE) -> RunPlanned:
        ctx = local_context(self.folder, "configurator", database_url=self.url, earlier=self.earlier)
        request = RunRequest(run_id="r", pipeline="order-simulation", date=run_date, seed=7)
        return handle(ConfigureRun(request=request), ctx)


@pytest.fixture
def plan(tmp_path: Path, database_url: str) -> Planner:
    return Planner(tmp_path, database_url)


@pytest.mark.usefixtures("loaded")
def test_a_plan_covers_four_weeks_all_factories_and_all_centres(plan: Planner) -> None:
    planned = plan()
    assert (planned.date, planned.weekday, planned.seed) == (RUN_DATE, "wednesday", 7)
    assert planned.history == History(first_week=FIRST_WEEK, last_week=LAST_WEEK)
    assert [week.starts for week in planned.weeks] == MENU_WEEKS
    assert [week.key for week in planned.weeks] == [week.isoformat() for week in MENU_WEEKS]
    assert [(f.key, f.weekly_cap, f.regions) for f in planned.factories] == [
        ("A", 900.0, ("north", "south")),
        ("B", 500.0, ("west",)),
    ]
    assert sorted(centre for batch in planned.batches for centre in batch.centres) == list(CENTRES)
    assert len(planned.batches) == 8
    assert (planned.recipes_per_box, planned.portions_per_order) == (3.0, 2.0)


def test_planned_offers_are_passed_on_when_every_week_has_some(
    plan: Planner, loaded: psycopg.Connection, tmp_path: Path
) -> None:
    insert(loaded, "menu", [(week, recipe) for week in MENU_WEEKS for recipe in ("pie", "curry")])
    insert(loaded, "offers", [(week, "pie", 9.5, 10.0, True, None) for week in MENU_WEEKS[:3]])
    assert plan().offers is None
    insert(
        loaded,
        "offers",
        [(MENU_WEEKS[3], "pie", 9.5, 10.0, True, None), (MENU_WEEKS[3], "soup", 1.0, 1.0, False, False)],
    )
    offers = plan().offers
    assert offers is not None
    rows = local_context(tmp_path, "any").read(offers).to_pylist()
    planned = {"recipe": "pie", "price": 9.5, "base_price": 10.0, "emailer": 1.0, "homepage": None}
    assert rows == [{"week": week} | planned for week in MENU_WEEKS]


COSTS = [(factory, region, 5.0) for factory in ("B", "A") for region in ("west", "south", "north")]


def test_costs_and_capability_are_passed_on_sorted(plan: Planner, loaded: psycopg.Connection, tmp_path: Path) -> None:
    assert (plan().costs, plan().cannot_cook) == (None, None)
    insert(loaded, "costs", COSTS)
    insert(loaded, "cannot_cook", [("B", "pie"), ("B", "curry"), ("A", "soup"), ("B", "soup")])
    planned = plan()
    assert planned.costs is not None
    assert planned.cannot_cook is not None
    ctx = local_context(tmp_path, "any")
    columns = ("factory", "region", "cost")
    assert ctx.read(planned.costs).to_pylist() == [dict(zip(columns, row, strict=True)) for row in sorted(COSTS)]
    assert ctx.read(planned.cannot_cook).to_pylist() == [
        {"recipe": "curry", "factories": ["B"]},
        {"recipe": "pie", "factories": ["B"]},
        {"recipe": "soup", "factories": ["A", "B"]},
    ]


def test_a_recipe_on_the_menu_that_nobody_can_cook_is_named(loaded: psycopg.Connection, plan: Planner) -> None:
    insert(loaded, "cannot_cook", [("B", "pasta"), ("A", "pasta")])
    with pytest.raises(
        BadData, match="no factory can cook pasta, which is on the menu of week 2026-11-28: take it off"
    ):
        plan()


def test_costs_of_some_factories_and_regions_only_are_refused(loaded: psycopg.Connection, plan: Planner) -> None:
    insert(loaded, "costs", [row for row in COSTS if row[:2] != ("B", "south")])
    with pytest.raises(
        BadData, match=r"the costs loaded lack a box from factory B to region south: load costs\.csv again"
    ):
        plan()


@pytest.mark.usefixtures("loaded")
def test_the_same_database_gives_the_same_plan(plan: Planner) -> None:
    assert plan() == plan()


@pytest.mark.usefixtures("loaded")
def test_the_recipe_book_lists_every_ingredient_of_every_recipe(plan: Planner) -> None:
    planned = plan()
    book = local_context(plan.folder, "test").read(planned.recipe_book)
    assert book.column_names == ["recipe", "category", "cuisine", "ingredient", "quantity", "unit"]
    rows = [(row["recipe"], row["ingredient"]) for row in book.to_pylist()]
    assert rows == [(recipe, ingredient) for recipe in sorted(RECIPES) for ingredient in ("flour", "salt")]


@pytest.mark.usefixtures("loaded")
def test_without_a_menu_the_coming_one_is_what_was_ordered_in_the_last_three_weeks(plan: Planner) -> None:
    assert {week.recipes for week in plan().weeks} == {("curry", "pasta", "pie")}
    assert {week.recipes for week in plan(date(2026, 11, 13)).weeks} == {("curry", "pasta", "pie", "soup")}


def test_a_menu_is_taken_as_it_is(loaded: psycopg.Connection, plan: Planner) -> None:
    insert(loaded, "menu", [(week, recipe) for week in MENU_WEEKS for recipe in ("soup", "pie")])
    assert {week.recipes for week in plan().weeks} == {("pie", "soup")}


def test_a_week_after_the_last_menu_says_which_dates_work(loaded: psycopg.Connection, plan: Planner) -> None:
    insert(loaded, "menu", [(week, "pie") for week in weeks(MENU_WEEKS[0], MENU_WEEKS[2])])
    with pytest.raises(BadData, match="no menu for week 2026-12-19: load one or choose a date before 2026-11-21"):
        plan()
    insert(loaded, "menu", [(date(2026, 11, 21), "pie")])
    assert plan(date(2026, 11, 20)).weeks[-1].starts == MENU_WEEKS[2]


def test_a_gap_in_the_menus_is_named(loaded: psycopg.Connection, plan: Planner) -> None:
    insert(loaded, "menu", [(week, "pie") for week in MENU_WEEKS if week != MENU_WEEKS[1]])
    with pytest.raises(BadData, match=r"no menu for week 2026-12-05: load one \(the loaded menus run from 2026-11-28"):
        plan()


@pytest.mark.usefixtures("loaded")
def test_a_date_inside_the_history_reads_only_what_was_over_by_then(plan: Planner) -> None:
    assert plan(date(2026, 10, 16)).history.last_week == date(2026, 10, 10)
    assert plan(date(2026, 10, 15)).history.last_week == date(2026, 10, 3)


@pytest.mark.usefixtures("loaded")
def test_factories_carry_their_latest_earlier_network(plan: Planner) -> None:
    last = EarlierResult(run_id="r0", date=date(2026, 11, 24), output={"factory": "B"})
    plan.earlier = {("network-configuration", "B"): last}
    assert [factory.last for factory in plan().factories] == [None, last]
    assert [factory.last for factory in plan(date(2026, 11, 24)).factories] == [None, None]


@pytest.mark.usefixtures("loaded")
def test_a_plan_carries_the_last_good_forecasts_for_the_fallbacks(plan: Planner) -> None:
    last = EarlierResult(run_id="r0", date=date(2026, 11, 24), output={"volume": "there"})
    plan.earlier = {("order-volume", "-"): last, ("data-extractor", "b1"): last}
    assert plan().last_good == {"order-volume": last}
    assert plan(date(2026, 11, 24)).last_good == {}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("run_date", "advice"),
    [
        (date(2026, 9, 17), "no order history before 2026-09-17: .*choose a date from 2026-09-18"),
        (date(2027, 3, 1), "no menu for week 2027-03-06 .*the history ends 2026-11-20.*choose a date up to 2026-12-11"),
    ],
)
def test_a_date_the_history_cannot_serve_says_which_can(plan: Planner, run_date: date, advice: str) -> None:
    with pytest.raises(BadData, match=advice):
        plan(run_date)


@pytest.mark.usefixtures("database")
def test_empty_tables_say_what_to_do(plan: Planner) -> None:
    with pytest.raises(BadData, match=r"order history is empty: .*'brigade load' .*'brigade sample'"):
        plan()


def test_a_database_without_tables_says_what_to_do(database: psycopg.Connection, plan: Planner) -> None:
    database.execute("DROP TABLE history")
    with pytest.raises(BadData, match=r"has no order history: .*'brigade load' .*'brigade sample'"):
        plan()


def test_a_factory_that_may_cook_nothing_is_named(loaded: psycopg.Connection, plan: Planner) -> None:
    loaded.execute("UPDATE factories SET weekly_cap = 0 WHERE factory = 'B'")
    with pytest.raises(BadData, match="factory B has a weekly cap of 0 boxes"):
        plan()


def test_a_recipe_without_ingredients_is_named(loaded: psycopg.Connection, plan: Planner) -> None:
    loaded.execute("DELETE FROM ingredients WHERE recipe = 'pie'")
    with pytest.raises(BadData, match=r"recipes without ingredients \(1, the first is pie\)"):
        plan()


def test_weeks_without_orders_give_no_menu(loaded: psycopg.Connection, plan: Planner) -> None:
    loaded.execute("DELETE FROM orders WHERE starts > '2026-10-24'")
    with pytest.raises(BadData, match="nothing was ordered in the weeks 2026-10-31 to 2026-11-14"):
        plan()
