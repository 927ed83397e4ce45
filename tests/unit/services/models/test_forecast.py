from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsforecast.models import AutoETS

from services.models.candidates import (
    CANDIDATES,
    COMBINATION,
    NotModelled,
    predictions,
    seasonal_naive,
    yearly_wave,
)
from services.models.forecast import (
    LARGEST_RESIDUAL,
    ORIGINS,
    Tried,
    backtest,
    choose,
    forecast_all,
    forecast_naively,
    forecast_trained,
    origins,
    train,
    without_closures,
)
from services.models.futures import Floats, Forecast
from services.models.kinds import ENOUGH_TO_CHOOSE
from services.models.season import YEAR, Season

BOXES = st.one_of(
    st.lists(st.integers(0, 200_000), min_size=1, max_size=45),
    st.lists(st.sampled_from([0, 0, 0, 1, 7]), min_size=1, max_size=45),
    st.tuples(st.integers(0, 50_000), st.integers(1, 45)).map(lambda pair: [pair[0]] * pair[1]),
)


@pytest.mark.parametrize("forecast_each", [forecast_all, forecast_naively])
@settings(deadline=None, max_examples=60)
@given(st.lists(BOXES, min_size=1, max_size=3), st.sets(st.integers(1, 9), min_size=1))
def test_every_series_gets_finite_ordered_quantiles(
    forecast_each: Callable[[Sequence[Floats], Sequence[int]], list[Forecast]], series: list[list[int]], steps: set[int]
) -> None:
    arrays = [np.array(boxes, dtype=np.float64) for boxes in series]
    forecasts = forecast_each(arrays, sorted(steps))
    assert len(forecasts) == len(arrays)
    for forecast in forecasts:
        assert forecast.mean.shape == (len(steps),)
        assert np.isfinite(forecast.mean).all()
        assert np.isfinite(forecast.p90).all()
        assert (forecast.mean >= 0).all()
        assert (forecast.p10 >= 0).all()
        assert (forecast.p10 <= forecast.p50).all()
        assert (forecast.p50 <= forecast.p90).all()


def test_a_long_series_with_a_trend_is_extrapolated() -> None:
    rising = 1000 * np.exp(0.02 * np.arange(60) + 0.01 * np.random.default_rng(1).standard_normal(60))
    (forecast,) = forecast_all([rising], [4])
    assert forecast.method in ("smoothing", "theta")
    assert forecast.p50[0] > rising[-1]


def test_a_season_of_a_year_is_repeated() -> None:
    season = 1000 * np.exp(np.sin(np.arange(130) * 2 * np.pi / 52))
    (forecast,) = forecast_all([season[:120]], [10])
    assert forecast.method == "seasonal naive"
    assert forecast.p50[0] == pytest.approx(season[129], rel=0.02)


def test_a_year_ago_repeats_when_the_horizon_is_longer() -> None:
    logs = np.arange(60.0)
    assert seasonal_naive(logs, 54).tolist() == [*range(8, 60), 8, 9]
    assert seasonal_naive(logs[:51], 2).tolist() == [50, 50]


def test_a_noisy_yearly_wave_on_a_trend_is_found() -> None:
    weeks = np.arange(118)
    clean = 1000 * np.exp(0.003 * weeks + 0.2 * np.cos(2 * np.pi * weeks / YEAR))
    noisy = clean[:104] * np.exp(0.04 * np.random.default_rng(2).standard_normal(104))
    (forecast,) = forecast_all([noisy], range(1, 15))
    assert forecast.method == "yearly wave"
    assert forecast.p50 == pytest.approx(clean[104:], rel=0.06)


def test_a_yearly_wave_needs_more_than_a_year() -> None:
    logs = np.arange(64.0)
    assert yearly_wave(logs, 2).tolist() == [logs[-13:].mean()] * 2
    assert yearly_wave(np.arange(65.0), 2) == pytest.approx([65, 66])


def test_a_yearly_wave_is_moved_to_the_level_of_the_last_quarter() -> None:
    assert yearly_wave(np.repeat([0.0, 1.0], [104, 13]), 1) == pytest.approx([1.0], abs=0.15)


def test_numbers_that_are_none_are_a_failure_of_their_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AutoETS, "forecast", lambda self, y, h: {"mean": np.full(h, np.nan)})
    with pytest.raises(NotModelled, match="smoothing gave no finite numbers"):
        predictions(np.arange(30.0), 2)


def test_another_candidate_must_be_clearly_better_than_the_combination() -> None:
    missed = dict.fromkeys(CANDIDATES, 100.0)
    assert choose([]) == COMBINATION
    assert choose([Tried(missed | {"theta": 96.0}, {})]) == COMBINATION
    assert choose([Tried(missed | {"theta": 94.0}, {})]) == "theta"
    assert choose([Tried(missed | {"theta": 90.0}, {}), Tried(missed | {"theta": 110.0}, {})]) == COMBINATION


def test_a_candidate_does_not_see_what_follows_its_origin() -> None:
    """The last four of 60 weeks change. Origins: 59, 55, 51, ... weeks known; only what 59 says may change."""
    boxes = np.random.default_rng(3).uniform(80, 120, 60)
    changed = np.concatenate([boxes[:56], boxes[56:] * 1.5])

    def said(series: Floats) -> dict[str, Floats]:
        weeks = [week for origin in origins(60, 4, ENOUGH_TO_CHOOSE) for week in range(origin, min(60, origin + 4))]
        residuals = backtest(series, 4).residuals
        return {name: (np.log1p(series[weeks]) - residuals[name])[1:] for name in CANDIDATES}

    before, after = said(boxes), said(changed)
    for name in CANDIDATES:
        assert after[name] == pytest.approx(before[name], abs=1e-9), name


def test_the_choice_is_of_all_origins_and_not_of_the_last_window() -> None:
    """A season of a year, and a last month as high as the one before it: a mean fits the month, a season all other ones."""
    season = 1000 * np.exp(np.sin(np.arange(120) * 2 * np.pi / 52))
    season[115:] = np.exp(np.log(season[111:115]).mean())
    # The latest origins: 119 weeks known, then 115.
    at_the_end = {name: np.abs(found[:5]).sum() for name, found in backtest(season, 4).residuals.items()}
    assert at_the_end["mean of 4"] < 0.01 < at_the_end["seasonal naive"]
    assert forecast_all([season], [1, 2, 3, 4])[0].method == "seasonal naive"


def test_the_choice_is_of_all_series_by_the_boxes_they_miss() -> None:
    season = 1000 * np.exp(np.sin(np.arange(120) * 2 * np.pi / 52))
    noise = np.random.default_rng(3).uniform(5, 15, 120)
    assert forecast_all([noise], [1])[0].method == COMBINATION
    for series in ([season, noise], [noise, season]):
        assert {forecast.method for forecast in forecast_all(series, [1])} == {"seasonal naive"}


def test_a_series_that_never_sold_anything_stays_at_zero_beside_one_that_does() -> None:
    never, sells = forecast_all([np.zeros(60), np.random.default_rng(3).uniform(50, 150, 60)], [1, 4])
    assert never.method == "ended"
    for values in (never.mean, never.p10, never.p50, never.p90):
        assert values.tolist() == [0, 0]
    assert (sells.p10 > 0).all()


@given(st.integers(1, 300), st.integers(1, 12), st.integers(1, 30))
def test_origins_leave_something_to_learn_and_something_to_forecast(length: int, horizon: int, shortest: int) -> None:
    found = list(origins(length, horizon, shortest))
    assert found == sorted(set(found), reverse=True)
    assert len(found) == min(ORIGINS, max(0, length - shortest))
    assert all(shortest <= origin < length for origin in found)


def test_the_backtest_sees_every_known_step_of_its_origins() -> None:
    rng = np.random.default_rng(1)
    # Origins 1, 5, 9, ... weeks before the end: one step known, then all four.
    assert len(backtest(rng.uniform(90, 110, 60), 4).residuals[COMBINATION]) == 1 + 9 * 4
    # Origins 1 and 2 weeks before the end.
    assert len(backtest(rng.uniform(90, 110, ENOUGH_TO_CHOOSE + 2), 4).residuals[COMBINATION]) == 1 + 2
    assert set(backtest(rng.uniform(90, 110, 60), 4).missed) == set(CANDIDATES)


def test_one_closed_week_is_bridged_and_its_residual_bounded() -> None:
    boxes = np.array([100.0, 100, 100, 0, 100, 100] * 5)
    assert without_closures(boxes) == pytest.approx(np.full(30, np.log1p(100)))
    residuals = backtest(boxes + np.arange(30) % 2 * (boxes > 0), 2).residuals["mean of 13"]
    assert np.abs(residuals).max() == pytest.approx(LARGEST_RESIDUAL)


def test_a_closed_week_is_not_expected_to_last() -> None:
    boxes = 100 + np.random.default_rng(1).uniform(-5, 5, 40)
    boxes[-1] = 0
    assert 80 < forecast_all([boxes], [2])[0].p50[0] < 120


def test_an_intermittent_series_repeats_its_recent_weeks() -> None:
    boxes = np.array([0.0, 3.0, 0.0, 9.0] * 10)
    (forecast,) = forecast_all([boxes], [1, 5])
    assert forecast.method == "intermittent"
    assert forecast.mean == pytest.approx([boxes[-26:].mean()] * 2)
    assert forecast.p10.tolist() == [0, 0]
    assert forecast.p90.tolist() == [9, 9]


def test_quantiles_of_few_weeks_lie_further_out_than_theirs() -> None:
    """Of 26 weeks, P90 is the one in the place 25/26: as often as meant, the next week then lies below it."""
    boxes = np.array([week if week % 2 else 0 for week in range(60)], dtype=np.float64)
    (forecast,) = forecast_all([boxes], [1])
    assert forecast.p90[0] == pytest.approx(np.quantile(boxes[-26:], 25 / 26))
    assert forecast.p90[0] > np.quantile(boxes[-26:], 0.9) + 0.5


def test_every_candidate_is_predicted() -> None:
    found = predictions(np.log1p(np.random.default_rng(1).uniform(50, 150, 60)), 3)
    assert tuple(found) == CANDIDATES
    assert all(values.shape == (3,) for values in found.values())


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
    assert 0.75 < np.mean(covered) < 0.87


def test_naively_a_season_of_a_year_is_repeated_with_the_spread_of_its_own_misses() -> None:
    season = 1000 * np.exp(np.sin(np.arange(130) * 2 * np.pi / 52))
    noisy = season * np.exp(0.1 * np.random.default_rng(4).standard_normal(130))
    exact, rough = forecast_naively([season[:120], noisy[:120]], [4, 10])
    assert exact.method == rough.method == "seasonal naive"
    assert exact.p50 == pytest.approx(season[[123, 129]])
    assert exact.p10 == pytest.approx(exact.p90)
    assert rough.p50 == pytest.approx(noisy[[71, 77]])
    assert (np.log(rough.p90 / rough.p10) > 0.2).all()


def test_naively_a_history_under_a_year_is_its_last_week_and_one_that_sold_nothing_is_zero() -> None:
    young, closed, never = (np.array(boxes) for boxes in ([50.0, 80.0, 100.0], [9.0] * 9 + [0.0] * 9, [0.0] * 60))
    forecasts = forecast_naively([young, closed, never], [2])
    assert [forecast.p50[0] for forecast in forecasts] == pytest.approx([100, 0, 0])
    assert [forecast.method for forecast in forecasts] == ["seasonal naive", "ended", "ended"]
    assert forecasts[0].p10[0] < 80 < 120 < forecasts[0].p90[0]


def test_naively_a_series_with_few_misses_borrows_those_of_all() -> None:
    steady, young = np.full(40, 100.0), np.array([100.0, 120.0])
    alone, beside = forecast_naively([young], [1])[0], forecast_naively([young, steady], [1])[0]
    assert alone.p10[0] < 100 < 150 < alone.p90[0]
    assert beside.p10[0] == pytest.approx(120)
    assert beside.p90[0] < 150


def test_a_forecast_of_grown_series_keeps_the_choice_and_the_residuals() -> None:
    rng = np.random.default_rng(5)
    boxes = rng.uniform(80, 120, 64)
    trained = train([boxes[:60]], 4)
    (before,), (after,) = forecast_trained(trained, [boxes[:60]], [1]), forecast_trained(trained, [boxes], [1])
    assert before.method == after.method == trained.chosen
    assert before.futures.shape == after.futures.shape == (1, len(trained.residuals[0]))


def test_any_quantile_can_be_asked_for_and_they_are_in_order() -> None:
    found = Forecast(np.random.default_rng(6).uniform(0, 100, (3, 40)), "theta")
    levels = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]
    values = np.stack([found.quantile(level) for level in levels])
    assert (np.diff(values, axis=0) >= 0).all()
    assert found.quantile(0.1).tolist() == found.p10.tolist()
    assert found.quantile(0.99).tolist() == found.futures.max(axis=1).tolist()


@pytest.mark.parametrize("lag", [1, 2])
def test_no_wave_is_fitted_to_a_season_of_one_or_two_steps(lag: int) -> None:
    logs = np.arange(40.0)
    assert yearly_wave(logs, 2, Season(lag, float(lag))).tolist() == [logs[-13:].mean()] * 2


def test_a_season_of_a_week_of_days_is_repeated() -> None:
    days = 1000 * np.exp(np.sin(np.arange(70) * 2 * np.pi / 7))
    season = Season(7, 7.0, 7)
    (found,) = forecast_trained(train([days], 7, season), [days], range(1, 8), season)
    assert found.p50 == pytest.approx(days[:7], rel=0.05)
