import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import BadData
from services.order_simulator.demand import DRAWS, Floats, RegionDemand, volume_at
from services.order_simulator.whole_boxes import (
    MAX_BOXES,
    inclusion,
    pack,
    size_probabilities,
    whole_box_orders,
)
from tests.unit.services.order_simulator.test_demand import demand_of

SHARES = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1e-9, 0.25, 1000.0])), min_size=1, max_size=50
).filter(lambda shares: sum(shares) > 1e-3)
SIZES = st.integers(2, 4)


def orders_of(demand: RegionDemand, seed: int = 1) -> Floats:
    """In boxes of three on average."""
    rng = np.random.default_rng(seed)
    return whole_box_orders(demand, 3.0, volume_at(demand, rng.standard_normal(DRAWS)), rng)


@settings(deadline=None, max_examples=300)
@given(SHARES, SIZES)
def test_inclusions_fill_the_box_and_keep_the_order_of_shares(parts: list[float], size: int) -> None:
    shares = np.array(parts) / sum(parts)
    (chance,) = inclusion(shares[None, :], size)
    assert chance.sum() == pytest.approx(min(size, len(shares)))
    assert (chance <= 1).all()
    assert (np.diff(chance[np.argsort(shares)]) >= 0).all()
    if (shares * size <= 1).all() and len(shares) > size:
        assert chance == pytest.approx(shares * size, abs=1e-9)


@settings(deadline=None, max_examples=300)
@given(SHARES, SIZES, st.integers(0, 2**32))
def test_no_recipe_is_twice_in_a_box(parts: list[float], size: int, seed: int) -> None:
    shares = np.array(parts) / sum(parts)
    fitting = min(size, len(shares))
    boxes = pack(inclusion(shares[None, :], fitting)[0], fitting, 50, np.random.default_rng(seed))
    assert boxes.shape == (50, fitting)
    assert all(len(set(box)) == fitting for box in boxes.tolist())
    assert boxes.min() >= 0
    assert boxes.max() < len(shares)


def test_boxes_hold_each_recipe_as_often_as_asked() -> None:
    rng = np.random.default_rng(1)
    chance = inclusion(np.array([[0.5, 0.2, 0.15, 0.1, 0.05]]), 3)[0]
    assert chance.tolist() == pytest.approx([1, 0.8, 0.6, 0.4, 0.2])
    counts = sum(np.bincount(pack(chance, 3, 100, rng).ravel(), minlength=5) for _ in range(200))
    assert counts / 20_000 == pytest.approx(chance, abs=0.015)


@pytest.mark.parametrize("recipes_per_box", [2.0, 2.25, 3.0, 3.9, 4.0])
def test_box_sizes_have_the_plans_mean(recipes_per_box: float) -> None:
    sizes = size_probabilities(recipes_per_box, menu_size=20)
    assert set(sizes) == {2, 3, 4}
    assert sum(sizes.values()) == pytest.approx(1)
    assert sum(size * chance for size, chance in sizes.items()) == pytest.approx(recipes_per_box)


def test_a_box_holds_the_whole_menu_at_most() -> None:
    assert size_probabilities(3.0, menu_size=3) == pytest.approx({2: 0.25, 3: 0.75})
    assert size_probabilities(3.0, menu_size=1) == pytest.approx({1: 1.0})


@pytest.mark.parametrize("recipes_per_box", [1.9, 4.5])
def test_a_ratio_no_mix_of_boxes_has_is_refused(recipes_per_box: float) -> None:
    with pytest.raises(BadData, match=r"boxes of 2 to 4 recipes cannot hold .* run with order-simulator v1"):
        size_probabilities(recipes_per_box, menu_size=20)


@pytest.mark.parametrize("boxes", [40, MAX_BOXES, 50_000])
def test_the_mean_keeps_the_forecasts_boxes(boxes: float) -> None:
    orders = orders_of(demand_of([5, 4, 3, 2, 2, 2, 1, 1], mean=boxes))
    assert orders.shape == (DRAWS, 8)
    assert (orders >= 0).all()
    assert orders.sum() / DRAWS / 3.0 == pytest.approx(boxes)


def test_no_recipe_is_ordered_more_often_than_there_are_boxes() -> None:
    orders = orders_of(demand_of([90, 4, 3, 2, 1], mean=800, band=(800, 800, 800)))
    assert orders[:, 0] == pytest.approx(800)


def test_a_large_volume_varies_as_if_all_its_boxes_were_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same 4,000 boxes, once packed one by one and once through 100 of them."""
    demand = demand_of([5, 4, 3, 2, 1, 1], mean=4000, band=(4000, 4000, 4000), spread=0.0)
    spread = []
    for most in (100, 4000):
        monkeypatch.setattr("services.order_simulator.whole_boxes.MAX_BOXES", most)
        spread.append(orders_of(demand, seed=5).std(axis=0))
    assert spread[0] == pytest.approx(spread[1], rel=0.12)
    chance = 3 * demand.shares
    assert spread[1][2:] == pytest.approx(np.sqrt(4000 * chance * (1 - chance))[2:], rel=0.12)


def test_no_boxes_are_no_orders() -> None:
    assert orders_of(demand_of([1, 2, 3, 4, 5], mean=0, band=(0, 0, 0))).sum() == 0
