from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import BadData
from contracts.recipe_popularity import ForecastRecipePopularity
from services.recipe_popularity.handler import SCHEMA, handle
from services.recipe_popularity.spread import DEFAULT_SPREAD, SPREAD_BOUNDS
from services.runtime.testing import local_context
from tests.support.plans import BOOK, LAST_WEEK, WEEK, Order, extracted, plan_of

RECIPES = ("pie", "ramen", "stew")
ALL = ("miso", "pie", "ramen", "stew", "tarte")


def rates(folder: Path, *batches: list[Order], menu: tuple[str, ...] = RECIPES) -> list[dict[str, Any]]:
    ctx = local_context(folder, "recipe-popularity")
    plan = plan_of(ctx, recipes=menu, ahead=(2, 3))
    answer = handle(ForecastRecipePopularity(plan=plan, history=extracted(ctx, *batches)), ctx)
    table = ctx.read(answer.popularity)
    assert table.schema == SCHEMA
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def shares(rows: list[dict[str, Any]], region: str = "east", ahead: int = 2) -> dict[str, float]:
    week = LAST_WEEK + ahead * WEEK
    return {row["recipe"]: row["share"] for row in rows if row["region"] == region and row["week"] == week}


def steady(region: str, weeks: int = 10, **orders: float) -> list[Order]:
    return [(back, region, recipe, number) for back in range(weeks) for recipe, number in orders.items()]


def test_every_plan_week_and_region_has_the_whole_menu_sorted(tmp_path: Path) -> None:
    rows = rates(tmp_path, steady("west", pie=5, ramen=9), steady("east", pie=7), menu=("ramen", "pie", "ramen"))
    assert [(row["week"], row["region"], row["recipe"]) for row in rows] == [
        (LAST_WEEK + step * WEEK, region, recipe)
        for step in (2, 3)
        for region in ("east", "west")
        for recipe in ("pie", "ramen")
    ]


def test_with_many_orders_shares_are_those_of_the_history(tmp_path: Path) -> None:
    found = shares(rates(tmp_path, steady("east", pie=60_000, ramen=30_000, stew=10_000)))
    assert found == pytest.approx({"pie": 0.6, "ramen": 0.3, "stew": 0.1}, abs=0.002)


def test_with_few_orders_shares_are_drawn_together(tmp_path: Path) -> None:
    found = shares(rates(tmp_path, steady("east", pie=6, ramen=3, stew=1)))
    assert 0.34 < found["pie"] < 0.55
    assert 0.1 < found["stew"] < 0.32


def test_a_small_region_leans_towards_what_others_order(tmp_path: Path) -> None:
    big = steady("west", pie=1000, ramen=80_000, stew=1000)
    small = steady("east", weeks=1, pie=3, ramen=3, stew=3)
    assert shares(rates(tmp_path, big, small))["ramen"] > 0.6


def test_recent_weeks_count_more(tmp_path: Path) -> None:
    old: list[Order] = [(back, "east", "pie", 9000.0) for back in range(20, 40)]
    old += [(back, "east", "ramen", 1000.0) for back in range(20, 40)]
    recent = steady("east", weeks=20, pie=1000, ramen=9000)
    found = shares(rates(tmp_path, old, recent, menu=("pie", "ramen")))
    assert found["ramen"] > 0.65  # 0.5 if all weeks counted the same


def test_a_recipe_off_the_menu_keeps_the_share_it_had_on_it(tmp_path: Path) -> None:
    """Weeks in which it was not offered say nothing about how popular it is."""
    orders = steady("east", pie=40_000, ramen=40_000)
    orders += [(back, "east", "stew", 40_000.0) for back in range(5, 10)]
    found = shares(rates(tmp_path, orders))
    assert found == pytest.approx({"pie": 1 / 3, "ramen": 1 / 3, "stew": 1 / 3}, abs=0.01)


def test_an_unseen_recipe_takes_after_its_kind_then_its_category(tmp_path: Path) -> None:
    orders = steady("east", pie=2000, ramen=60_000, stew=10_000)
    found = shares(rates(tmp_path, orders, menu=ALL))
    # miso is a Japanese soup like ramen; tarte is baked, as pie is, but not British.
    assert found["miso"] == pytest.approx(found["ramen"], rel=0.05)
    assert found["tarte"] == pytest.approx(found["pie"], rel=0.2)
    assert found["tarte"] < found["stew"] < found["miso"]


def test_a_recipe_that_is_in_no_book_is_an_average_one(tmp_path: Path) -> None:
    found = shares(rates(tmp_path, steady("east", pie=30_000, ramen=10_000), menu=("pie", "ramen", "secret")))
    assert found["ramen"] < found["secret"] < found["pie"]


def test_spread_grows_with_the_movement_from_week_to_week(tmp_path: Path) -> None:
    def swinging(by: float) -> float:
        orders: list[Order] = []
        for back in range(10):
            tilt = by if back % 2 else -by
            orders += [(back, "east", "pie", 5e6 * np.exp(tilt)), (back, "east", "ramen", 5e6 * np.exp(-tilt))]
        (found,) = {row["spread"] for row in rates(tmp_path, orders, menu=("pie", "ramen"))}
        return float(found)

    low, high = SPREAD_BOUNDS
    assert swinging(0.0) == low
    # Misses are all of nearly the same size then, so eight in ten of them lie a little nearer than a normal's would.
    assert 0.2 / 1.2816 < swinging(0.2) < 0.2
    assert low < swinging(0.1) < swinging(0.2) < high
    assert swinging(3.0) == high


def test_counting_alone_is_no_spread(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    orders: list[Order] = [
        (back, "east", recipe, float(rng.poisson(40))) for back in range(60) for recipe in ("pie", "ramen", "stew")
    ]
    assert {row["spread"] < 0.08 for row in rates(tmp_path, orders)} == {True}


def test_one_week_has_the_default_spread(tmp_path: Path) -> None:
    rows = rates(tmp_path, steady("east", weeks=1, pie=70, ramen=30))
    assert {row["spread"] for row in rows} == {DEFAULT_SPREAD}


def test_no_orders_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="load order history"):
        rates(tmp_path, [])


ORDERS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["east", "west"]),
        st.sampled_from([line[0] for line in BOOK]),
        st.integers(0, 9999),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(ORDERS, st.sets(st.sampled_from([*ALL, "secret"]), min_size=1))
def test_shares_sum_to_one_and_none_is_zero(
    tmp_path_factory: pytest.TempPathFactory, orders: list[Order], menu: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("rates")
    rows = rates(folder, orders, menu=tuple(menu))
    assert rows == rates(folder, orders[::2], orders[1::2], menu=tuple(sorted(menu)))
    for region, ahead in {(row["region"], ahead) for row in rows for ahead in (2, 3)}:
        found = shares(rows, region, ahead)
        assert found.keys() == menu
        assert sum(found.values()) == pytest.approx(1)
        assert min(found.values()) > 0
    low, high = SPREAD_BOUNDS
    assert all(low <= row["spread"] <= high for row in rows)


def test_one_order_more_in_the_oldest_week_moves_the_shares(tmp_path: Path) -> None:
    orders = steady("east", weeks=104, pie=20_000, ramen=30_000, stew=9000)
    moved = [*orders[:-1], (103, "east", "stew", 9001.0)]
    before, after = shares(rates(tmp_path / "a", orders)), shares(rates(tmp_path / "b", moved))
    # A week of 50,000 orders then changes at the sixth decimal.
    assert all(abs(before[recipe] - after[recipe]) * 50_000 > 1e-6 for recipe in before)
