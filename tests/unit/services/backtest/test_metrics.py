import numpy as np
import pytest

from services.backtest.baselines import LAST, MEAN, SEASONAL, baselines, scale
from services.backtest.metrics import Compared, Floats, joined, scores, weighted_quantile_loss

NAN = float("nan")


def compared(actual: list[float], p50: list[float], **others: list[float]) -> Compared:
    def column(name: str, default: list[float]) -> Floats:
        return np.array(others.get(name, default), dtype=np.float64)

    return Compared(
        np.array(actual, dtype=np.float64),
        column("p10", p50),
        np.array(p50, dtype=np.float64),
        column("p90", p50),
        column("scale", [1.0] * len(actual)),
        {LAST: column("last", p50)},
    )


def test_wape_is_weighed_by_the_actuals() -> None:
    assert scores(compared([10, 90], [20, 90]))["model"]["wape"] == pytest.approx(0.1)


def test_rmsle_is_of_ratios() -> None:
    assert scores(compared([np.e - 1, 0], [0, 0]))["model"]["rmsle"] == pytest.approx(np.sqrt(0.5))


def test_mase_leaves_out_series_that_never_changed() -> None:
    found = scores(compared([10, 10, 10], [14, 12, 99], scale=[2, 4, 0]))["model"]["mase"]
    assert found == pytest.approx((4 / 2 + 2 / 4) / 2)
    assert scores(compared([10], [14], scale=[0]))["model"]["mase"] is None


def test_coverage_counts_both_ends() -> None:
    found = scores(compared([1, 2, 3, 4], [2, 2, 2, 2], p10=[1, 1, 1, 1], p90=[3, 3, 3, 3]))
    assert found["model"]["coverage"] == pytest.approx(0.75)
    assert found[LAST]["coverage"] is None


def test_quantile_loss_of_a_point_is_its_absolute_error_at_the_median() -> None:
    actual, point = np.array([10.0, 30.0]), np.array([16.0, 28.0])
    assert weighted_quantile_loss(actual, {0.5: point}) == pytest.approx(8 / 40)
    # Too low at P90 costs nine times as much as too high.
    assert weighted_quantile_loss(np.array([10.0]), {0.9: np.array([9.0])}) == pytest.approx(2 * 0.9 / 10)
    assert weighted_quantile_loss(np.array([10.0]), {0.9: np.array([11.0])}) == pytest.approx(2 * 0.1 / 10)
    assert weighted_quantile_loss(np.zeros(1), {0.5: np.ones(1)}) is None


def test_parts_are_joined_in_order() -> None:
    both = joined([compared([1], [2]), compared([3, 4], [5, 6])])
    assert both.actual.tolist() == [1, 3, 4]
    assert both.baselines[LAST].tolist() == [2, 5, 6]


def test_baselines_look_at_weeks_on_offer_only() -> None:
    past = np.array([9, NAN, 2, 4, NAN, 6, 8, NAN])
    assert baselines(past, 1, 0.0) == {LAST: 8, MEAN: 5, SEASONAL: 8}
    assert baselines(np.full(3, NAN), 1, 7.0) == {LAST: 7, MEAN: 7, SEASONAL: 7}


def test_the_seasonal_baseline_is_of_the_week_52_weeks_before_the_one_forecast() -> None:
    past = np.arange(60.0)
    assert baselines(past, 1, 0.0)[SEASONAL] == 60 + 0 - 52
    assert baselines(past, 52, 0.0)[SEASONAL] == 59
    assert baselines(past, 53, 0.0)[SEASONAL] == 60 + 52 - 104
    assert baselines(past[:51], 1, 0.0)[SEASONAL] == 50


def test_the_scale_is_the_mean_change_between_weeks_on_offer() -> None:
    assert scale(np.array([1, NAN, 4, 2])) == pytest.approx(2.5)
    assert scale(np.array([NAN, 4])) == 0
