import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.order_volume.model import (
    ENOUGH_FOR_ETS,
    LARGEST_RESIDUAL,
    backtest,
    forecast_all,
    point_forecast,
)

BOXES = st.one_of(
    st.lists(st.integers(0, 200_000), min_size=1, max_size=45),
    st.lists(st.sampled_from([0, 0, 0, 1, 7]), min_size=1, max_size=45),
    st.tuples(st.integers(0, 50_000), st.integers(1, 45)).map(lambda pair: [pair[0]] * pair[1]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(BOXES, min_size=1, max_size=3), st.sets(st.integers(1, 9), min_size=1))
def test_every_series_gets_finite_ordered_quantiles(series: list[list[int]], steps: set[int]) -> None:
    arrays = [np.array(boxes, dtype=np.float64) for boxes in series]
    for forecast in forecast_all(arrays, sorted(steps)):
        assert forecast.mean.shape == (len(steps),)
        assert np.isfinite(forecast.mean).all()
        assert np.isfinite(forecast.p90).all()
        assert (forecast.mean >= 0).all()
        assert (forecast.p10 >= 0).all()
        assert (forecast.p10 <= forecast.p50).all()
        assert (forecast.p50 <= forecast.p90).all()


def test_a_long_series_with_a_trend_is_extrapolated() -> None:
    rising = 1000 * np.exp(0.02 * np.arange(60) + 0.01 * np.random.default_rng(1).standard_normal(60))
    assert np.expm1(point_forecast(rising, 4)[3]) > rising[-1]


def test_the_backtest_sees_every_known_step_of_its_origins() -> None:
    rng = np.random.default_rng(1)
    # Origins at 2, 4, 6 and so on: ten origins with 1, 2, 3 and from then on 4 known steps.
    assert len(backtest(rng.uniform(90, 110, 60), 4)) == 1 + 2 + 3 + 7 * 4
    assert len(backtest(rng.uniform(90, 110, 3), 4)) == 1 + 2
    assert len(backtest(rng.uniform(90, 110, ENOUGH_FOR_ETS + 2), 4)) == 1 + 2
    assert len(backtest(np.array([5.0]), 4)) == 0


def test_one_closed_week_is_bounded() -> None:
    boxes = np.array([100.0, 100, 100, 0, 100, 100])
    assert np.abs(backtest(boxes, 2)).max() == pytest.approx(LARGEST_RESIDUAL)


def test_a_short_series_borrows_the_residuals_of_the_others() -> None:
    wild = np.random.default_rng(1).uniform(50, 150, 40)
    alone = forecast_all([np.array([100.0])], [2])[0]
    beside = forecast_all([np.array([100.0]), wild], [2])[0]
    assert alone.p10[0] != beside.p10[0]


def test_the_band_covers_about_eight_of_ten() -> None:
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(60):
        boxes = 1000 * np.exp(0.15 * rng.standard_normal(64))
        forecast = forecast_all([boxes[:60]], [1, 2, 3, 4])[0]
        covered += ((forecast.p10 <= boxes[60:]) & (boxes[60:] <= forecast.p90)).tolist()
    assert 0.65 < np.mean(covered) < 0.9
