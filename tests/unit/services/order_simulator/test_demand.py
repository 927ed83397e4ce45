import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.order_simulator.demand import DRAWS, RegionDemand, draw_shares, generator, keep_mean, volume_at


def demand_of(
    shares: list[float], mean: float = 1000, band: tuple[float, float, float] | None = None, spread: float = 0.3
) -> RegionDemand:
    p10, p50, p90 = band or (mean * 0.7, mean * 0.95, mean * 1.5)
    recipes = tuple(f"r{number:02}" for number in range(len(shares)))
    parts = np.array(shares) / sum(shares)
    return RegionDemand("east", "A", mean, p10, p50, p90, recipes, parts, spread)


def test_volume_has_the_forecasts_quantiles() -> None:
    demand = demand_of([1.0], band=(700, 1000, 1900))
    volumes = volume_at(demand, np.random.default_rng(1).standard_normal(100_000))
    assert np.quantile(volumes, [0.1, 0.5, 0.9]) == pytest.approx([700, 1000, 1900], rel=0.02)
    assert volumes.min() >= 0


def test_a_recipe_misses_its_share_by_a_factor_of_the_spread() -> None:
    demand = demand_of([1.0] * 400, spread=0.4)
    rng = np.random.default_rng(1)
    logs = np.log(np.concatenate([draw_shares(demand, rng) for _ in range(4)]) * 400)
    # What the other 399 do to the sum is next to nothing.
    assert logs.std() == pytest.approx(0.4, rel=0.01)
    assert logs.mean() == pytest.approx(-(0.4**2) / 2, abs=0.01)


@settings(deadline=None)
@given(st.lists(st.floats(1e-9, 1), min_size=1, max_size=60), st.floats(0, 1.5), st.integers(0, 2**32))
def test_shares_sum_to_one_in_every_draw(shares: list[float], spread: float, seed: int) -> None:
    drawn = draw_shares(demand_of(shares, spread=spread), np.random.default_rng(seed))
    assert drawn.shape == (DRAWS, len(shares))
    assert (drawn >= 0).all()
    assert drawn.sum(axis=1) == pytest.approx(1)


def test_scaling_gives_the_expected_mean_even_to_what_was_never_drawn() -> None:
    orders = np.array([[2.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    assert keep_mean(orders, np.array([6.0, 0.25, 0.0])).tolist() == [[4.0, 0.25, 0.0], [8.0, 0.25, 0.0]]


def test_random_numbers_depend_on_seed_component_week_and_region() -> None:
    keys = [(1, "c", "w", "r"), (2, "c", "w", "r"), (1, "d", "w", "r"), (1, "c", "v", "r"), (1, "c", "w", "s")]
    first = [generator(*key).integers(2**63) for key in keys]
    assert first == [generator(*key).integers(2**63) for key in keys]
    assert len(set(first)) == len(keys)
