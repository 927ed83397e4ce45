from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.data.grouping import balanced, default_caps
from orchestrator.data.history import FactoryRow, OrderRow

VOLUMES = st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10**6), min_size=1, max_size=12)


def order(week: int, centre: str, orders: float) -> OrderRow:
    return OrderRow(date(2026, 11, week), 7, centre, "Ramen", orders, None, None, None, None)


def test_regions_go_largest_first_to_the_emptier_factory() -> None:
    assert balanced({"small": 1, "large": 10, "middle": 8, "low": 2}) == {
        "large": "A",
        "middle": "B",
        "low": "B",
        "small": "A",
    }


@given(VOLUMES)
def test_every_region_has_a_factory_and_the_order_given_does_not_matter(volume: dict[str, int]) -> None:
    chosen = balanced(volume)
    assert set(chosen) == set(volume)
    assert chosen == balanced(dict(reversed(volume.items())))


@given(VOLUMES)
def test_the_factories_differ_by_one_region_at_most(volume: dict[str, int]) -> None:
    chosen = balanced(volume)
    load = {factory: sum(volume[r] for r in chosen if chosen[r] == factory) for factory in "AB"}
    assert abs(load["A"] - load["B"]) <= max(volume.values())


@given(VOLUMES.filter(lambda volume: len(volume) > 1))
def test_two_regions_are_enough_for_two_factories(volume: dict[str, int]) -> None:
    assert set(balanced(volume).values()) == {"A", "B"}


def test_a_cap_is_one_and_a_half_times_the_busiest_week_in_whole_boxes() -> None:
    orders = [order(7, "mill", 30), order(7, "pier", 3), order(14, "mill", 10), order(14, "barn", 2)]
    caps = default_caps(orders, {"mill": "A", "pier": "A", "barn": "B"}, recipes_per_box=3)
    assert caps == (FactoryRow("A", 17), FactoryRow("B", 1))


def test_a_factory_without_orders_still_has_a_cap_above_zero() -> None:
    assert default_caps([order(7, "mill", 0)], {"mill": "A"}, recipes_per_box=3) == (FactoryRow("A", 1),)
