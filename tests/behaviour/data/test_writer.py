import threading
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.errors import BadData, BadRequest, TransientError
from orchestrator.data import OrderHistory, load_food_demand, load_long, sample, store
from orchestrator.data.history import CannotCookRow, CentreRow, IngredientRow, MenuRow, OfferRow, OrderRow
from tests.unit.data.files import food_demand, long_format

ENDING = date(2026, 11, 20)
TABLES = (
    *("factories", "regions", "centres", "costs", "recipes", "ingredients", "cannot_cook", "menu", "offers", "orders"),
)


@pytest.fixture
def history(tmp_path: Path) -> OrderHistory:
    menu = "week,recipe,price,homepage\n2026-11-21,Ramen,9.5,1\n2026-11-21,Biryani,,\n"
    costs, cannot_cook = "factory,region,cost\nA,,5\nB,,6\nB,south,4\n", "factory,recipe\nA,Ramen\nB,Biryani\n"
    return load_long(long_format(tmp_path, menu=menu, costs=costs, cannot_cook=cannot_cook)).accepted(None)


def stored(url: str, table: str) -> set[Any]:
    with psycopg.connect(url) as connection:
        return set(connection.execute(f"SELECT * FROM {table}".encode()).fetchall())


def about(url: str) -> Any:
    with psycopg.connect(url) as connection:
        columns = "source, first_week, last_week, recipes_per_box, portions_per_order"
        (row,) = connection.execute(f"SELECT {columns} FROM history".encode()).fetchall()
        return row


def assert_stored(url: str, history: OrderHistory) -> None:
    assert {table: stored(url, table) for table in TABLES} == {table: set(getattr(history, table)) for table in TABLES}


def test_everything_is_written(order_database: str, history: OrderHistory) -> None:
    store(order_database, history)
    assert_stored(order_database, history)
    assert about(order_database) == ("long orders.csv", date(2026, 11, 7), date(2026, 11, 14), 3, 2)


def test_a_load_replaces_what_was_there(order_database: str, history: OrderHistory) -> None:
    store(order_database, sample(3, 1, ENDING))
    store(order_database, history)
    assert_stored(order_database, history)
    assert about(order_database)[0] == "long orders.csv"


def test_a_load_that_fails_leaves_what_was_there(order_database: str, history: OrderHistory) -> None:
    store(order_database, history)
    broken = replace(sample(3, 1, ENDING), centres=(CentreRow("harbour", "nowhere"),))
    for mode in (True, False):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            store(order_database, broken, replace=mode)
    assert_stored(order_database, history)


def test_bad_rows_leave_what_was_there(order_database: str, history: OrderHistory, tmp_path: Path) -> None:
    store(order_database, history)
    with pytest.raises(BadData, match="1 bad row"):
        store(order_database, load_food_demand(food_demand(tmp_path), None, ENDING, None).accepted(None))
    assert_stored(order_database, history)


def test_an_addition_overwrites_and_widens(order_database: str, history: OrderHistory) -> None:
    store(order_database, history)
    changed = history.orders[1]._replace(orders=99.0)
    added = changed._replace(starts=date(2026, 11, 21))
    menu = (MenuRow(date(2026, 11, 21), "Ramen"), MenuRow(date(2026, 11, 28), "Ramen"))
    ingredients = tuple(row for row in history.ingredients if row.recipe != "Ramen")
    noodles = IngredientRow("Ramen", "noodles", 90.0, "g")
    addition = replace(
        history,
        source="long more.csv",
        orders=(changed, added),
        menu=menu,
        offers=(OfferRow(date(2026, 11, 28), "Ramen", 9.5, 9.5, False, None),),
        ingredients=(*ingredients, noodles),
        first_week=date(2026, 11, 14),
        last_week=date(2026, 11, 21),
    )
    store(order_database, addition, replace=False)
    assert_stored(order_database, replace(addition, orders=(history.orders[0], changed, added)))
    assert about(order_database) == ("long orders.csv + long more.csv", date(2026, 11, 7), date(2026, 11, 21), 3, 2)


def test_an_addition_changes_what_the_factories_it_names_cannot_cook(
    order_database: str, history: OrderHistory
) -> None:
    store(order_database, history)
    store(order_database, replace(history, costs=(), cannot_cook=()), replace=False)
    assert_stored(order_database, history)
    cheaper = tuple(row._replace(cost=1.0) for row in history.costs if row.factory == "A")
    store(order_database, replace(history, costs=cheaper, cannot_cook=(CannotCookRow("A", "Biryani"),)), replace=False)
    assert stored(order_database, "cannot_cook") == {("A", "Biryani"), ("B", "Biryani")}
    assert stored(order_database, "costs") == {*cheaper, *(row for row in history.costs if row.factory == "B")}


def test_the_same_addition_twice_changes_nothing(order_database: str, history: OrderHistory) -> None:
    for _ in range(2):
        store(order_database, history, replace=False)
    assert_stored(order_database, history)
    assert about(order_database)[0] == "long orders.csv"


@pytest.mark.parametrize("day", [date(2026, 11, 7), date(2026, 11, 10), date(2026, 11, 13)])
def test_days_of_a_week_that_is_there_whole_are_refused(order_database: str, history: OrderHistory, day: date) -> None:
    store(order_database, history)
    daily = replace(history, orders=(history.orders[0]._replace(starts=day, days=1),))
    with pytest.raises(BadRequest, match="centre mill has orders of 2026-11-07 both by day and by week"):
        store(order_database, daily, replace=False)
    assert_stored(order_database, history)


def test_days_of_another_week_are_welcome(order_database: str, history: OrderHistory) -> None:
    store(order_database, history)
    friday = history.orders[0]._replace(starts=date(2026, 11, 6), days=1)
    store(order_database, replace(history, orders=(friday,)), replace=False)
    assert stored(order_database, "orders") == {*history.orders, friday}


def test_an_addition_counted_in_other_boxes_is_refused(order_database: str, history: OrderHistory) -> None:
    store(order_database, history)
    with pytest.raises(BadRequest, match=r"has 3\.0 recipes a box .* the addition 4\.0 and 2\.0"):
        store(order_database, replace(history, recipes_per_box=4.0), replace=False)


def test_loads_at_once_wait_for_each_other(order_database: str, history: OrderHistory) -> None:
    loads = [threading.Thread(target=store, args=(order_database, history)) for _ in range(4)]
    for load in loads:
        load.start()
    for load in loads:
        load.join()
    assert_stored(order_database, history)


def test_a_history_that_is_being_read_is_not_waited_for_without_end(
    order_database: str, history: OrderHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(order_database, history)
    monkeypatch.setattr("orchestrator.data.writer.LOCK_WAIT", "50ms")
    with psycopg.connect(order_database) as reader:
        reader.execute("SELECT * FROM orders")
        with pytest.raises(TransientError, match="the order history is in use: wait for the runs that read it"):
            store(order_database, sample(3, 1, ENDING))
    assert_stored(order_database, history)


def test_progress_is_told_by_table(order_database: str, history: OrderHistory) -> None:
    told: list[tuple[str, int]] = []
    store(order_database, history, progress=lambda *news: told.append(news))
    assert told == [(f"writing {table}", len(getattr(history, table))) for table in TABLES]


def test_no_database_is_one_clear_error(tmp_path: Path, history: OrderHistory) -> None:
    with pytest.raises(
        TransientError, match=r"cannot write to the database: .*Check DATABASE_URL, or run `brigade up`"
    ):
        store(f"postgresql://postgres@/postgres?host={tmp_path}", history)


def test_a_url_that_is_none_is_not_repeated(history: OrderHistory) -> None:
    with pytest.raises(BadRequest, match="DATABASE_URL is no PostgreSQL URL") as refused:
        store("postgresql//user:secret", history)
    assert "secret" not in str(refused.value)


def test_thirty_thousand_orders_are_written(order_database: str, history: OrderHistory) -> None:
    recipes = tuple(history.recipes[0]._replace(recipe=f"recipe {n}") for n in range(1000))
    orders = tuple(
        OrderRow(
            history.first_week + n * timedelta(days=7), 7, centre.centre, recipe.recipe, 1.0, 9.5, 10.0, False, True
        )
        for n in range(10)
        for centre in history.centres
        for recipe in recipes
    )
    store(
        order_database,
        replace(history, recipes=recipes, ingredients=(), cannot_cook=(), menu=(), offers=(), orders=orders),
    )
    with psycopg.connect(order_database) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (30_000,)


def test_added_weeks_keep_the_factories_that_followed_from_all_weeks(order_database: str, tmp_path: Path) -> None:
    whole = load_food_demand(food_demand(tmp_path), (1, 3), ENDING, None).accepted(None)
    store(order_database, whole)
    before = {table: stored(order_database, table) for table in ("factories", "regions", "centres")}
    few = replace(whole, factories=tuple(row._replace(weekly_cap=1.0) for row in whole.factories))
    store(order_database, few, replace=False)
    assert {table: stored(order_database, table) for table in before} == before
    store(order_database, replace(few, derived_network=False), replace=False)
    assert {row[1] for row in stored(order_database, "factories")} == {1.0}
