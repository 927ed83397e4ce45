import time
from collections import Counter
from datetime import date, timedelta

import pytest

from contracts.errors import BadRequest
from orchestrator.data import OrderHistory, sample
from orchestrator.data.weeks import saturday_of

ENDING = date(2026, 11, 20)


@pytest.fixture(scope="module")
def history() -> OrderHistory:
    return sample(104, 1, ENDING)


def test_the_same_seed_makes_the_same_history(history: OrderHistory) -> None:
    assert sample(104, 1, ENDING) == history


def test_another_seed_makes_other_orders_in_the_same_network(history: OrderHistory) -> None:
    other = sample(104, 2, ENDING)
    assert other.orders != history.orders
    assert other.regions == history.regions
    assert other.recipes == history.recipes


def test_every_week_every_centre_and_its_menu(history: OrderHistory) -> None:
    weeks = Counter(row.starts for row in history.orders)
    assert len(weeks) == 104
    assert set(weeks.values()) == {6 * 20}
    assert (min(weeks), max(weeks)) == (history.first_week, history.last_week)
    assert history.last_week + timedelta(days=6) == ENDING
    menu = {(row.week, row.recipe) for row in history.menu}
    assert {(row.starts, row.recipe) for row in history.orders} <= menu


def test_the_menu_reaches_five_weeks_further(history: OrderHistory) -> None:
    ahead = Counter(row.week for row in history.menu if row.week > history.last_week)
    assert ahead == {history.last_week + timedelta(days=7 * n): 20 for n in range(1, 6)}
    assert all(saturday_of(week) == week for week in ahead)


def test_offers_are_what_the_orders_were_sold_at(history: OrderHistory) -> None:
    offers = {row[:2]: row[2:] for row in history.offers}
    assert set(offers) == set(history.menu)
    for row in history.orders:
        assert offers[row.starts, row.recipe] == (row.price, row.base_price, row.emailer, row.homepage)


def test_everything_named_is_there(history: OrderHistory) -> None:
    recipes = {row.recipe for row in history.recipes}
    assert len(recipes) == 40
    assert {row.recipe for row in history.ingredients} == recipes
    assert len({(row.recipe, row.ingredient) for row in history.ingredients}) == len(history.ingredients)
    assert {row.centre for row in history.orders} == {row.centre for row in history.centres}
    assert {row.region for row in history.centres} == {row.region for row in history.regions}
    assert {row.factory for row in history.regions} == {"A", "B"}


def test_promotions_sell_more(history: OrderHistory) -> None:
    def share(promoted: bool) -> float:
        rows = [row for row in history.orders if (row.price != row.base_price) is promoted]
        return sum(row.orders for row in rows) / len(rows)

    assert share(promoted=True) > 1.2 * share(promoted=False)


def test_no_week_is_over_the_cap(history: OrderHistory) -> None:
    factory_of = {c.centre: r.factory for c in history.centres for r in history.regions if r.region == c.region}
    boxes: Counter[tuple[str, date]] = Counter()
    for row in history.orders:
        boxes[factory_of[row.centre], row.starts] += int(row.orders)
    for factory, cap in history.factories:
        peak = max(total for (name, _), total in boxes.items() if name == factory) / history.recipes_per_box
        assert 1.5 * peak <= cap < 1.5 * peak + 1


@pytest.mark.parametrize("weeks", [0, -3, 1041])
def test_a_length_that_makes_no_sense(weeks: int) -> None:
    with pytest.raises(BadRequest, match="ask for 1 to 1040"):
        sample(weeks, 1, ENDING)


def test_the_last_day_must_be_a_friday() -> None:
    with pytest.raises(BadRequest, match="ends on a Friday"):
        sample(4, 1, date(2026, 11, 19))


def test_two_years_take_less_than_a_second() -> None:
    started = time.perf_counter()
    sample(104, 3, ENDING)
    assert time.perf_counter() - started < 1
