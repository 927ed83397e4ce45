from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contracts.configurator import RunPlanned
from contracts.errors import BadData
from contracts.message import EarlierResult
from contracts.recipe_popularity import ForecastRecipePopularity, RecipePopularityForecasted
from services.recipe_popularity.fallback import filled, fitted, handle
from services.recipe_popularity.handler import SCHEMA
from services.recipe_popularity.spread import DEFAULT_SPREAD
from services.runtime.context import Context
from services.runtime.testing import local_context
from tests.support.plans import LAST_WEEK, WEEK, Order, extracted, plan_of

LAST_GOOD = "the shares of run r1 of 18 November 2026"
NAIVE = "the shares of the same weeks a year ago, or of each recipe's last week on the menu"

Shares = dict[str, float]


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return replace(local_context(tmp_path, "recipe-popularity"), failure="UnexpectedError: no model")


def earlier(weeks: dict[int, Shares], regions: tuple[str, ...] = ("east", "west")) -> pa.Table:
    rows = [
        {"week": LAST_WEEK + step * WEEK, "region": region, "recipe": recipe, "share": share, "spread": 0.3}
        for step, shares in weeks.items()
        for region in regions
        for recipe, share in shares.items()
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def with_last_good(plan: RunPlanned, popularity: pa.Table, ctx: Context) -> RunPlanned:
    answer = RecipePopularityForecasted(popularity=ctx.write("earlier", popularity))
    last = EarlierResult(run_id="r1", date=date(2026, 11, 18), output=answer.model_dump(mode="json"))
    return plan.model_copy(update={"last_good": {"recipe-popularity": last}})


def rates(ctx: Context, plan: RunPlanned, orders: list[Order], by: str) -> list[dict[str, Any]]:
    answer = handle(ForecastRecipePopularity(plan=plan, history=extracted(ctx, orders)), ctx)
    (replaced,) = answer.degraded
    assert (replaced.by, replaced.why) == (by, "UnexpectedError: no model")
    assert answer.popularity.schema_version == 2
    table = ctx.read(answer.popularity)
    assert table.schema == SCHEMA
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def shares(rows: list[dict[str, Any]], ahead: int, region: str = "east") -> Shares:
    week = LAST_WEEK + ahead * WEEK
    return {row["recipe"]: row["share"] for row in rows if (row["week"], row["region"]) == (week, region)}


def test_last_good_shares_are_those_of_the_week_or_else_of_the_latest(ctx: Context) -> None:
    last = earlier({2: {"pie": 0.9, "ramen": 0.1}, 3: {"pie": 0.6, "ramen": 0.4}, 4: {"pie": 0.2, "ramen": 0.8}})
    rows = rates(ctx, with_last_good(plan_of(ctx, ahead=(3, 4, 5)), last, ctx), [], LAST_GOOD)
    assert [(row["week"], row["region"], row["recipe"]) for row in rows] == [
        (LAST_WEEK + step * WEEK, region, recipe)
        for step in (3, 4, 5)
        for region in ("east", "west")
        for recipe in ("pie", "ramen")
    ]
    assert shares(rows, 3) == pytest.approx({"pie": 0.6, "ramen": 0.4})
    assert shares(rows, 4) == shares(rows, 5, "west") == pytest.approx({"pie": 0.2, "ramen": 0.8})
    assert {row["spread"] for row in rows} == {0.3}


def test_last_good_shares_are_fitted_to_the_menu(ctx: Context) -> None:
    """Stew is off it, miso is nobody's, and ramen was on another week's menu only."""
    last = earlier({2: {"pie": 0.6, "stew": 0.4}, 3: {"ramen": 0.2, "stew": 0.8}})
    plan = with_last_good(plan_of(ctx, recipes=("ramen", "pie", "miso"), ahead=(2,)), last, ctx)
    assert shares(rates(ctx, plan, [], LAST_GOOD), 2) == pytest.approx({"miso": 1 / 3, "pie": 0.5, "ramen": 1 / 6})


@pytest.mark.parametrize(
    "unusable",
    [
        earlier({2: {"pie": 0.6, "ramen": 0.4}}, ("east",)),
        earlier({}),
        earlier({2: {"pie": 0.6, "ramen": 0.4}}).drop_columns(["spread"]),
    ],
    ids=["a region is missing", "empty", "of an earlier version"],
)
def test_last_good_shares_that_do_not_cover_the_plan_are_not_used(ctx: Context, unusable: pa.Table) -> None:
    plan = with_last_good(plan_of(ctx, ahead=(2,)), unusable, ctx)
    rows = rates(ctx, plan, [(0, "east", "pie", 30.0), (0, "east", "ramen", 10.0)], NAIVE)
    assert shares(rows, 2) == pytest.approx({"pie": 0.75, "ramen": 0.25})
    assert {row["spread"] for row in rows} == {DEFAULT_SPREAD}


def test_without_them_the_shares_of_a_year_ago_count_before_those_of_the_last_week_on_the_menu(ctx: Context) -> None:
    """Two weeks ahead is a year after the week 50 back. Ramen was not on the menu then, and last a week ago."""
    a_year_ago: list[Order] = [(50, "east", "pie", 60.0), (50, "east", "stew", 40.0)]
    lately: list[Order] = [(1, "east", "pie", 10.0), (1, "east", "ramen", 90.0), (0, "east", "pie", 50.0)]
    plan = plan_of(ctx, ahead=(2, 3))
    rows = rates(ctx, plan, [*a_year_ago, *lately], NAIVE)
    assert shares(rows, 2) == pytest.approx({"pie": 0.6 / 1.5, "ramen": 0.9 / 1.5})
    assert shares(rows, 3) == pytest.approx({"pie": 1 / 1.9, "ramen": 0.9 / 1.9})


def test_nobody_knows_a_recipe_and_nothing_was_ordered(ctx: Context) -> None:
    orders: list[Order] = [(0, "east", "stew", 10.0), (0, "west", "pie", 0.0), (1, "west", "ramen", 0.0)]
    rows = rates(ctx, plan_of(ctx, ahead=(2,)), orders, NAIVE)
    assert [row["share"] for row in rows] == [0.5] * 4


def test_without_either_the_missing_history_is_named(ctx: Context) -> None:
    with pytest.raises(BadData, match="no orders up to the week of 2026-11-14: load order history"):
        rates(ctx, plan_of(ctx), [], NAIVE)


@given(arrays.arrays(np.float64, (2, 4), elements=st.just(np.nan) | st.floats(0, 1)))
def test_shares_sum_to_one_and_keep_their_proportions(known: Any) -> None:
    found = filled(known)
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1)
    for before, after in zip(known, found, strict=True):
        total = np.nansum(before)
        if total > 1e-9:
            kept = ~np.isnan(before)
            assert after[kept] / after[kept].sum() == pytest.approx(before[kept] / total)
            assert after[~kept] == pytest.approx(after[kept].mean())


RECIPES = st.lists(st.sampled_from(("miso", "pie", "ramen", "stew", "tarte")), min_size=1, unique=True)


@given(RECIPES, st.dictionaries(st.integers(1, 9), RECIPES, min_size=1, max_size=4), st.sets(st.integers(1, 9)))
def test_every_week_region_and_recipe_of_the_plan_is_covered_once(
    tmp_path_factory: pytest.TempPathFactory, menu: list[str], last: dict[int, list[str]], ahead: set[int]
) -> None:
    steps = tuple(ahead or {2})
    context = local_context(tmp_path_factory.mktemp("c"), "recipe-popularity")
    before = earlier({step: dict.fromkeys(recipes, 1 / len(recipes)) for step, recipes in last.items()})
    table = fitted(before, plan_of(context, recipes=tuple(menu), ahead=steps))
    assert table is not None
    assert [(row["week"], row["region"], row["recipe"]) for row in table.to_pylist()] == [
        (LAST_WEEK + step * WEEK, region, recipe)
        for step in sorted(steps)
        for region in ("east", "west")
        for recipe in sorted(menu)
    ]
    for step in steps:
        assert sum(shares(table.to_pylist(), step).values()) == pytest.approx(1)
