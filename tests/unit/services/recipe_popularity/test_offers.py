"""What price and promotion do, and where a recipe is on offer."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contracts.data_extractor import HistoryExtracted
from contracts.recipe_popularity import ForecastRecipePopularity
from services.recipe_popularity.effects import estimate_effects
from services.recipe_popularity.handler import handle
from services.recipe_popularity.history import menu_history
from services.recipe_popularity.offers import usual_prices
from services.runtime.testing import local_context
from tests.support.plans import HISTORY, LAST_WEEK, WEEK, Order, history_table, plan_of

RECIPES = ("pie", "ramen", "stew", "tarte")
PULL = {"price": -1.5, "emailer": 0.3, "homepage": 0.5}
NEXT = LAST_WEEK + 2 * WEEK

OFFERS = pa.schema(
    [("week", pa.date32()), ("recipe", pa.string())]
    + [(name, pa.float64()) for name in ("price", "base_price", "emailer", "homepage")]
)


def promoted_history(weeks: int = 40, with_base_price: bool = True) -> list[dict[str, Any]]:
    """Each week one recipe in four is 20 % off and promoted in one of two places; shares follow `PULL` exactly."""
    rows = []
    for back in range(weeks):
        for region, level in (("east", 80_000), ("west", 20_000)):
            pulls, offers = [], []
            for number, _ in enumerate(RECIPES):
                promoted = (back + number) % 4 == 0
                price = 8.0 if promoted else 10.0
                emailer, homepage = promoted and back % 8 < 4, promoted and back % 3 == 0
                pull = (price / 10) ** PULL["price"] * np.exp(PULL["emailer"] * emailer + PULL["homepage"] * homepage)
                pulls.append((1 + number) * pull)
                offers.append((price, emailer, homepage))
            for recipe, pull, (price, emailer, homepage) in zip(RECIPES, pulls, offers, strict=True):
                rows.append(
                    {
                        "week": LAST_WEEK - back * WEEK,
                        "centre": region,
                        "region": region,
                        "factory": "A",
                        "recipe": recipe,
                    }
                    | {"orders": round(level * pull / sum(pulls)), "price": price}
                    | {"base_price": 10.0 if with_base_price else None, "emailer": emailer, "homepage": homepage}
                )
    return rows


def shares(
    folder: Path, rows: list[dict[str, Any]], offers: list[dict[str, Any]] | None, menu: tuple[str, ...] = RECIPES
) -> dict[str, float]:
    """Of the first plan week, in the east."""
    ctx = local_context(folder, "recipe-popularity")
    table = None if offers is None else ctx.write("offers", pa.Table.from_pylist(offers, OFFERS))
    plan = plan_of(ctx, recipes=menu, ahead=(2,)).model_copy(update={"offers": table})
    history = (HistoryExtracted(history=ctx.write("history", pa.Table.from_pylist(rows, HISTORY))),)
    answer = handle(ForecastRecipePopularity(plan=plan, history=history), ctx)
    found = ctx.read(answer.popularity).to_pylist()
    return {row["recipe"]: row["share"] for row in found if row["region"] == "east"}


def offer(recipe: str, week: date = NEXT, **values: float | None) -> dict[str, Any]:
    return {"week": week, "recipe": recipe, "price": 10.0, "base_price": 10.0, "emailer": 0.0, "homepage": 0.0} | values


def expected(**pulls: float) -> dict[str, float]:
    raw = {recipe: (1 + number) * pulls.get(recipe, 1.0) for number, recipe in enumerate(RECIPES)}
    return {recipe: value / sum(raw.values()) for recipe, value in raw.items()}


def test_a_planned_discount_moves_the_shares_as_it_did_before(tmp_path: Path) -> None:
    offers = [offer(recipe) for recipe in RECIPES]
    plain = shares(tmp_path, promoted_history(), offers)
    assert plain == pytest.approx(expected(), rel=0.03)
    offers[1] = offer("ramen", price=8.0, homepage=1.0)
    found = shares(tmp_path, promoted_history(), offers)
    assert found == pytest.approx(expected(ramen=0.8**-1.5 * np.exp(0.5)), rel=0.03)


def test_without_base_prices_the_usual_price_stands_in(tmp_path: Path) -> None:
    offers = [offer(recipe, base_price=None) for recipe in RECIPES]
    rows = promoted_history(with_base_price=False)
    assert shares(tmp_path, rows, offers) == pytest.approx(expected(), rel=0.03)
    offers[1] = offer("ramen", price=8.0, base_price=None)
    assert shares(tmp_path, rows, offers) == pytest.approx(expected(ramen=0.8**-1.5), rel=0.03)


def test_a_recipe_without_a_planned_offer_is_at_its_base_price(tmp_path: Path) -> None:
    assert shares(tmp_path, promoted_history(), [offer("pie")]) == pytest.approx(expected(), rel=0.03)
    nothing = offer("pie", price=None, base_price=None, emailer=None, homepage=None)
    assert shares(tmp_path, promoted_history(), [nothing]) == pytest.approx(expected(), rel=0.03)


def test_an_offer_counts_in_its_own_week_only(tmp_path: Path) -> None:
    before = offer("ramen", week=NEXT - WEEK, price=5.0, homepage=1.0)
    found = shares(tmp_path, promoted_history(), [before, *(offer(recipe) for recipe in RECIPES)])
    assert found == pytest.approx(expected(), rel=0.03)


def test_without_planned_offers_a_recipe_is_as_it_was_on_average(tmp_path: Path) -> None:
    rows = promoted_history()
    found = shares(tmp_path, rows, None)
    east = [row for row in rows if row["region"] == "east"]
    taken = {recipe: sum(row["orders"] for row in east if row["recipe"] == recipe) for recipe in RECIPES}
    total = sum(taken.values())
    assert found == pytest.approx({recipe: orders / total for recipe, orders in taken.items()}, rel=0.03)


def test_a_recipe_the_region_does_not_offer_gets_next_to_nothing_there(tmp_path: Path) -> None:
    rows = [row for row in promoted_history() if (row["region"], row["recipe"]) != ("east", "tarte")]
    found = shares(tmp_path, rows, None)
    assert found["tarte"] < 0.01
    assert sum(found.values()) == pytest.approx(1)


def test_what_else_is_on_the_menu_counts(tmp_path: Path) -> None:
    """Pie took a sixth beside strong ramen, stew a quarter beside weak tarte; miso, on both menus, tells how strong."""
    lifts = {"pie": 2, "ramen": 8, "miso": 2, "stew": 1, "tarte": 1}
    orders: list[Order] = []
    for back in range(30):
        menu = ("miso", "pie", "ramen") if back % 2 else ("miso", "stew", "tarte")
        total = sum(lifts[recipe] for recipe in menu)
        orders += [(back, "east", recipe, 1e6 * lifts[recipe] / total) for recipe in menu]
    found = shares(tmp_path, history_table(orders).to_pylist(), None, menu=("pie", "stew"))
    # Lifts of menus with one recipe in common are nearly found in the rounds there are. Had the menus not counted, pie would
    # have 1/6 of (1/6 + 1/4), which is 0.4.
    assert found == pytest.approx({"pie": 2 / 3, "stew": 1 / 3}, rel=0.06)


def test_effects_with_the_wrong_sign_or_nothing_to_see_are_zero() -> None:
    rng = np.random.default_rng(1)
    orders = rng.uniform(50, 150, (30, 2, 5))
    price = rng.uniform(-0.3, 0.0, orders.shape)
    offers = np.stack([price, np.zeros(orders.shape), np.ones(orders.shape)], axis=-1)
    found = estimate_effects(orders * np.exp(2 * price), np.ones(orders.shape, dtype=bool), offers, np.ones(30))
    assert found.tolist() == [0, 0, 0]


def test_effects_are_of_the_offer_and_not_of_the_week_or_the_recipe() -> None:
    """Prices fall in weeks in which all sell more, and strong recipes are the dear ones."""
    rng = np.random.default_rng(1)
    week, recipe = rng.normal(0, 1, (30, 1, 1)), rng.normal(0, 1, (1, 1, 8))
    price = -0.2 * week + 0.2 * recipe + rng.normal(0, 0.1, (30, 2, 8))
    orders = 1e6 * np.exp(week + recipe - 1.5 * price)
    found = estimate_effects(orders, np.ones(orders.shape, dtype=bool), price[..., None], np.ones(30))
    assert found == pytest.approx([-1.5], rel=0.02)


def test_effects_are_those_of_the_weeks_that_weigh() -> None:
    price = np.random.default_rng(1).normal(0, 0.2, (40, 2, 8))
    effect = np.where(np.arange(40) < 20, -3.0, -1.0)[:, None, None]
    orders, on_menu = 1e6 * np.exp(effect * price), np.ones(price.shape, dtype=bool)
    found = estimate_effects(orders, on_menu, price[..., None], np.where(np.arange(40) < 20, 1e-3, 1.0))
    assert found == pytest.approx([-1.0], rel=0.02)


def test_a_regions_offer_is_the_mean_of_its_centres() -> None:
    row = {"week": LAST_WEEK, "region": "east", "factory": "A", "recipe": "pie", "orders": 5.0, "base_price": 10.0}
    plain = row | {"centre": "1", "price": 10.0, "emailer": False, "homepage": False}
    cheap = row | {"centre": "2", "price": 8.0, "emailer": False, "homepage": True}
    history = menu_history([pa.Table.from_pylist([plain, cheap], HISTORY)], LAST_WEEK)
    assert history.orders.tolist() == [[[10.0]]]
    assert history.offers[0, 0, 0] == pytest.approx([np.log(0.8) / 2, 0, 0.5])


def test_usual_prices_leave_out_what_is_unknown_or_free() -> None:
    rows = pa.table({"recipe": ["pie", "pie", "pie", "stew"], "price": [4.0, 9.0, None, 0.0]})
    assert usual_prices(rows).logs == {"pie": pytest.approx(np.log(6))}
