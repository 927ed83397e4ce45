"""The guide's formulas, on numbers small enough to be computed by hand."""

import numpy as np
import pytest

from services.forecast_api.evaluation import Compared, metrics, summary
from services.models.futures import Forecast

COMPARED = Compared(
    actual=np.array([10.0, 0.0, np.nan, 30.0]),
    forecast=Forecast(np.array([[8.0, 8.0], [2.0, 2.0], [5.0, 5.0], [33.0, 33.0]]), "theta"),
    history=np.array([1.0, 2.0, 4.0]),
)
"""Missed by 2, 2 and 3; the third is not known. The history changes by 1.5 on average."""


def test_metrics_are_as_documented() -> None:
    found = metrics([COMPARED], ("0.1", "mean"), season=52)
    assert [each["ForecastType"] for each in found["ErrorMetrics"]] == ["0.1", "mean"]
    for each in found["ErrorMetrics"]:
        assert each["WAPE"] == pytest.approx(7 / 40)
        assert each["RMSE"] == pytest.approx(np.sqrt(17 / 3))
        assert each["MAPE"] == pytest.approx((0.2 + 0.1) / 2)
        assert each["MASE"] == pytest.approx(7 / 3 / 1.5)
    # 0.1 of what was forecast too low (2), 0.9 of what was forecast too high (2 + 3), twice, over 40
    assert found["WeightedQuantileLosses"] == [{"Quantile": 0.1, "LossValue": pytest.approx(2 * (0.2 + 4.5) / 40)}]
    assert found["AverageWeightedQuantileLoss"] == pytest.approx(2 * (0.2 + 4.5) / 40)
    assert found["RMSE"] == pytest.approx(np.sqrt(17 / 3))


def test_a_season_scales_by_the_step_a_season_before() -> None:
    seasonal = Compared(np.array([7.0]), Forecast(np.array([[5.0]]), "theta"), np.array([1.0, 9.0, 2.0, 11.0]))
    assert metrics([seasonal], ("0.5",), season=2)["ErrorMetrics"][0]["MASE"] == pytest.approx(2 / 1.5)


def test_what_cannot_be_divided_by_is_left_out() -> None:
    zeros = Compared(np.zeros(2), Forecast(np.ones((2, 1)), "theta"), np.zeros(3))
    found = metrics([zeros], ("0.5",), season=1)
    assert found == {"ErrorMetrics": [{"ForecastType": "0.5", "RMSE": 1.0}], "WeightedQuantileLosses": [], "RMSE": 1.0}
    unknown = Compared(np.array([np.nan]), Forecast(np.ones((1, 1)), "theta"), np.zeros(3))
    assert metrics([unknown], ("0.5",), season=1) == {}


def test_the_summary_is_the_mean_of_the_windows() -> None:
    windows = [
        {
            "TestWindowStart": start,
            "TestWindowEnd": start + 1,
            "ItemCount": 2,
            "Metrics": {"RMSE": rmse, "ErrorMetrics": [{"ForecastType": "0.5", "WAPE": rmse / 10}]},
        }
        for start, rmse in ((5.0, 1.0), (4.0, 3.0))
    ]
    found = summary(windows)
    assert (found["TestWindowStart"], found["TestWindowEnd"], found["EvaluationType"]) == (4.0, 6.0, "SUMMARY")
    assert found["Metrics"] == {"RMSE": 2.0, "ErrorMetrics": [{"ForecastType": "0.5", "WAPE": pytest.approx(0.2)}]}
