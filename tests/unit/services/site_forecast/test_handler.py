from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import BadData
from contracts.order_simulator import OrdersSimulated
from contracts.site_forecast import ForecastSite
from services.runtime.testing import local_context
from services.site_forecast.handler import handle
from services.site_forecast.needs import SCHEMA, TOTALS
from tests.support.plans import BOOK, LAST_WEEK, WEEK, BookLine, plan_of

ORDERS = pa.schema([("draw", pa.int32()), ("factory", pa.string()), ("recipe", pa.string()), ("orders", pa.float64())])
PORTIONS = 2.5

Draws = dict[tuple[str, str], list[float]]
"""Orders in each draw, by factory and recipe."""


def forecast(folder: Path, orders: Draws, draws: int, book: tuple[BookLine, ...] = BOOK) -> list[dict[str, Any]]:
    ctx = local_context(folder, "site-forecast", "2026-11-28")
    rows = [
        {"draw": draw, "factory": factory, "recipe": recipe, "orders": numbers[draw]}
        for draw in range(draws)
        for (factory, recipe), numbers in sorted(orders.items())
        if draw < len(numbers)
    ]
    simulated = OrdersSimulated(orders=ctx.write("orders", pa.Table.from_pylist(rows, schema=ORDERS)), draws=draws)
    plan = plan_of(ctx, book=book)
    answer = handle(ForecastSite(plan=plan, week=plan.weeks[0], simulated=simulated), ctx)
    table = ctx.read(answer.forecast)
    assert table.schema == SCHEMA
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def row_of(rows: list[dict[str, Any]], factory: str, name: str) -> dict[str, Any]:
    (row,) = (row for row in rows if (row["factory"], row["name"]) == (factory, name))
    return row


def test_recipes_and_ingredients_of_each_factory_sorted(tmp_path: Path) -> None:
    rows = forecast(tmp_path, {("B", "ramen"): [4.0], ("A", "ramen"): [0.0], ("A", "pie"): [2.0]}, draws=1)
    made_of = {"pie": [("butter", "g"), ("flour", "g")], "ramen": [("egg", "piece"), ("noodles", "g")]}
    expected = [
        (factory, kind, name, unit)
        for factory, recipes in (("A", ["pie", "ramen"]), ("B", ["ramen"]))
        for kind, name, unit in [
            *(("ingredient", *each) for each in sorted(line for recipe in recipes for line in made_of[recipe])),
            *(("recipe", recipe, "orders") for recipe in recipes),
        ]
    ]
    assert [(row["factory"], row["kind"], row["name"], row["unit"]) for row in rows] == expected
    assert {row["week"] for row in rows} == {LAST_WEEK + 2 * WEEK}
    assert row_of(rows, "A", "flour")["mean"] == pytest.approx(2 * PORTIONS * 120)
    assert row_of(rows, "B", "egg")["mean"] == pytest.approx(4 * PORTIONS)
    assert row_of(rows, "A", "egg")["mean"] == 0


def test_quantiles_are_of_the_sums_and_not_sums_of_quantiles(tmp_path: Path) -> None:
    """Two recipes that share an ingredient and move against each other: its need does not move at all."""
    book = (("pie", "c", "c", "flour", 100.0, "g"), ("tarte", "c", "c", "flour", 100.0, "g"))
    up = [float(number) for number in range(11)]
    rows = forecast(tmp_path, {("A", "pie"): up, ("A", "tarte"): up[::-1]}, draws=11, book=book)
    pie, flour = row_of(rows, "A", "pie"), row_of(rows, "A", "flour")
    assert (pie["mean"], pie["p10"], pie["p50"], pie["p90"]) == pytest.approx((5, 1, 5, 9))
    assert {flour["mean"], flour["p10"], flour["p50"], flour["p90"]} == {10 * PORTIONS * 100}


def test_a_draw_without_a_row_counts_as_zero(tmp_path: Path) -> None:
    rows = forecast(tmp_path, {("A", "pie"): [8.0, 8.0], ("A", "ramen"): [0.0] * 4}, draws=4)
    assert row_of(rows, "A", "pie")["mean"] == 4


def test_a_recipe_without_ingredients_is_a_recipe_still(tmp_path: Path) -> None:
    rows = forecast(tmp_path, {("A", "secret"): [3.0]}, draws=1)
    assert [(row["kind"], row["name"], row["mean"]) for row in rows] == [("recipe", "secret", 3.0)]


def test_an_ingredient_in_two_units_is_refused(tmp_path: Path) -> None:
    book = (("pie", "c", "c", "flour", 100.0, "g"), ("tarte", "c", "c", "flour", 0.1, "kg"))
    with pytest.raises(BadData, match="flour is measured in g and in kg"):
        forecast(tmp_path, {("A", "pie"): [1.0], ("A", "tarte"): [1.0]}, draws=1, book=book)
    assert forecast(tmp_path, {("A", "pie"): [1.0]}, draws=1, book=book)


ALL_DRAWS = st.integers(1, 20).flatmap(
    lambda draws: st.dictionaries(
        st.tuples(st.sampled_from("ABC"), st.sampled_from([line[0] for line in BOOK])),
        st.lists(st.floats(0, 1e5), min_size=draws, max_size=draws),
        min_size=1,
    )
)


@settings(deadline=None, max_examples=60)
@given(ALL_DRAWS)
def test_every_unit_is_conserved_from_orders_to_ingredients(
    tmp_path_factory: pytest.TempPathFactory, orders: Draws
) -> None:
    draws = len(next(iter(orders.values())))
    rows = forecast(tmp_path_factory.mktemp("site"), orders, draws)
    for row in rows:
        assert 0 <= row["p10"] <= row["p50"] <= row["p90"]
        needed = np.zeros(draws)
        for (factory, recipe), numbers in orders.items():
            if factory != row["factory"]:
                continue
            if row["kind"] == "recipe":
                needed += np.array(numbers) * (recipe == row["name"])
            for line in BOOK:
                if row["kind"] == "ingredient" and line[0] == recipe and line[3] == row["name"]:
                    needed += np.array(numbers) * PORTIONS * line[4]
        assert row["mean"] == pytest.approx(needed.mean())
        assert row["p90"] == pytest.approx(np.quantile(needed, 0.9))
    assert {row["factory"] for row in rows} == {factory for factory, _ in orders}


def test_totals_are_of_the_draws_and_not_sums_of_quantiles(tmp_path: Path) -> None:
    up = [float(number) for number in range(11)]
    orders: Draws = {("A", "pie"): up, ("A", "tarte"): up[::-1], ("B", "pie"): up}
    ctx = local_context(tmp_path, "site-forecast", "2026-11-28")
    rows = [
        {"draw": draw, "factory": factory, "recipe": recipe, "orders": numbers[draw]}
        for (factory, recipe), numbers in orders.items()
        for draw in range(11)
    ]
    simulated = OrdersSimulated(orders=ctx.write("orders", pa.Table.from_pylist(rows, schema=ORDERS)), draws=11)
    plan = plan_of(ctx)
    answer = handle(ForecastSite(plan=plan, week=plan.weeks[0], simulated=simulated), ctx)
    assert answer.totals
    table = ctx.read(answer.totals)
    assert table.schema == TOTALS
    steady, moving = table.to_pylist()
    assert [(row["factory"], row["unit"], row["week"]) for row in (steady, moving)] == [
        ("A", "orders", plan.weeks[0].starts),
        ("B", "orders", plan.weeks[0].starts),
    ]
    assert {steady["mean"], steady["p10"], steady["p50"], steady["p90"]} == {10.0}
    assert (moving["mean"], moving["p10"], moving["p50"], moving["p90"]) == pytest.approx((5, 1, 5, 9))
