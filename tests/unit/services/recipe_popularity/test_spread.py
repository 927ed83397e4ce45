"""How wide the bands around shares are: as wide as forecasts made inside the history missed."""

import numpy as np
import pyarrow as pa
import pytest

from services.recipe_popularity.history import MenuHistory, menu_history
from services.recipe_popularity.spread import DEFAULT_SPREAD, SPREAD_BOUNDS, spreads
from tests.support.plans import HISTORY, LAST_WEEK, WEEK, Order, history_table

RECIPES = tuple(f"r{number:02}" for number in range(20))
KINDS = [("soup", "thai")] * len(RECIPES)


def orders(weeks: int, noise: float, drift: float = 0.0, region: str = "east", total: float = 1e6) -> list[Order]:
    """Shares that move by `noise` in each week for itself, and by steps of `drift` that stay."""
    rng = np.random.default_rng(sum(map(ord, region)))
    level = np.zeros(len(RECIPES))
    rows: list[Order] = []
    for back in reversed(range(weeks)):
        level = level + drift * rng.standard_normal(len(RECIPES))
        taken = np.exp(level + noise * rng.standard_normal(len(RECIPES)))
        numbers = np.round(total * taken / taken.sum())
        rows += [(back, region, recipe, float(number)) for recipe, number in zip(RECIPES, numbers, strict=True)]
    return rows


def history(*rows: list[Order]) -> MenuHistory:
    return menu_history([history_table(row for each in rows for row in each)], LAST_WEEK)


def spread_of(*rows: list[Order]) -> list[float]:
    found: list[float] = spreads(history(*rows), KINDS, with_offers=False).tolist()
    return found


def test_a_long_history_of_steady_shares_has_the_spread_of_its_weeks() -> None:
    assert spread_of(orders(40, 0.3)) == pytest.approx([0.3], rel=0.1)


def test_a_short_history_has_a_wider_one() -> None:
    """What two weeks say of a recipe misses it by 1 / sqrt(2) of a week's noise, which a new week adds to."""
    assert spread_of(orders(3, 0.3))[0] > 0.3 * 1.1
    assert spread_of(orders(2, 0.3))[0] > 0.3 * 1.2


def test_shares_that_drift_have_a_wider_one_than_their_weekly_steps() -> None:
    assert spread_of(orders(40, 0.0, drift=0.2))[0] > 0.3


def test_each_region_has_its_own_drawn_towards_that_of_all() -> None:
    calm, wild = spread_of(orders(30, 0.1), orders(30, 0.5, region="west"))
    assert 0.1 < calm < 0.3
    assert 0.4 < wild < 0.55


def test_a_region_with_nothing_to_compare_takes_that_of_all() -> None:
    calm, tiny = spread_of(orders(30, 0.1), orders(30, 0.5, region="west", total=5.0))
    assert tiny == pytest.approx(calm)


def test_a_few_that_miss_by_far_do_not_widen_the_band_of_the_others() -> None:
    steady = orders(30, 0.2)
    torn = [
        (back, region, recipe, number / (50 if recipe == "r00" and back % 2 else 1))
        for back, region, recipe, number in steady
    ]
    assert spread_of(torn)[0] < 1.3 * spread_of(steady)[0]


def test_what_all_miss_by_alike_is_no_spread() -> None:
    """One recipe takes more each week, so that all others are always expected to take more than they do."""
    rows: list[Order] = []
    for back in reversed(range(30)):
        rising = 1 / (1 + np.exp(back / 8))
        rows += [(back, "east", recipe, round(1e6 * (1 - rising) / 19)) for recipe in RECIPES[1:]]
        rows.append((back, "east", RECIPES[0], round(1e6 * rising)))
    assert spread_of(rows)[0] < 0.12


def offered(own_prices: bool) -> MenuHistory:
    """Two regions whose shares follow prices exactly, of each region for itself or the same in both."""
    rng = np.random.default_rng(1)
    rows = []
    for back in reversed(range(40)):
        prices = {"east": np.exp(rng.normal(0, 0.2, len(RECIPES)))}
        prices["west"] = np.exp(rng.normal(0, 0.2, len(RECIPES))) if own_prices else prices["east"]
        for region, price in prices.items():
            taken = price**-2.0
            for number, recipe in enumerate(RECIPES):
                row = {"week": LAST_WEEK - back * WEEK, "centre": region, "region": region, "factory": "A"}
                row |= {"recipe": recipe, "orders": float(round(1e6 * taken[number] / taken.sum()))}
                rows.append(row | {"price": price[number], "base_price": 1.0, "emailer": False, "homepage": False})
    return menu_history([pa.Table.from_pylist(rows, HISTORY)], LAST_WEEK)


def test_what_planned_prices_explain_is_no_spread() -> None:
    assert spreads(offered(own_prices=False), KINDS, with_offers=True).tolist() == [SPREAD_BOUNDS[0]] * 2
    assert (spreads(offered(own_prices=False), KINDS, with_offers=False) > 0.3).all()


def test_what_regions_charge_apart_from_the_plan_is() -> None:
    """A plan knows one price for both: half the distance between theirs is missed, twice over by the effect."""
    assert spreads(offered(own_prices=True), KINDS, with_offers=True) == pytest.approx([0.2 * 2**0.5] * 2, rel=0.15)


def test_where_nothing_can_be_compared_it_is_the_default() -> None:
    assert spread_of(orders(1, 0.3)) == [DEFAULT_SPREAD]
    assert spread_of(orders(30, 0.3, total=5.0)) == [DEFAULT_SPREAD]


def test_it_stays_within_its_bounds() -> None:
    assert spread_of(orders(10, 0.0)) == [SPREAD_BOUNDS[0]]
    assert spread_of(orders(10, 4.0)) == [SPREAD_BOUNDS[1]]


def test_the_weeks_that_come_have_no_say_in_an_earlier_one() -> None:
    whole = orders(30, 0.3)
    earlier: list[Order] = [(back - 10, region, recipe, number) for back, region, recipe, number in whole if back >= 10]
    assert spreads(history(whole).until(20), KINDS, with_offers=False).tolist() == spread_of(earlier)
