import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsforecast.models import AutoETS

from contracts.errors import BadData
from contracts.order_volume import ForecastOrderVolume
from services.models.volume import SCHEMA
from services.order_volume.handler import handle
from services.runtime.testing import local_context
from tests.support.plans import LAST_WEEK, WEEK, Order, extracted, plan_of


def volumes(folder: Path, *batches: list[Order], ahead: tuple[int, ...] = (2, 3, 4, 5)) -> list[dict[str, Any]]:
    ctx = local_context(folder, "order-volume")
    answer = handle(ForecastOrderVolume(plan=plan_of(ctx, ahead=ahead), history=extracted(ctx, *batches)), ctx)
    assert answer.degraded == ()
    table = ctx.read(answer.volume)
    assert table.schema == SCHEMA
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def seasonal(region: str, weeks: int, level: float) -> list[Order]:
    rng = np.random.default_rng(sum(map(ord, region)))
    return [
        (back, region, recipe, float(round(level * math.exp(0.2 * math.sin(back / 8) + 0.1 * rng.standard_normal()))))
        for back in range(weeks)
        for recipe in ("pie", "ramen")
    ]


def test_forecasts_only_the_plans_weeks_sorted_by_week_and_region(tmp_path: Path) -> None:
    rows = volumes(tmp_path, seasonal("west", 10, 300), seasonal("east", 10, 600))
    assert [(row["week"], row["region"]) for row in rows] == [
        (LAST_WEEK + step * WEEK, region) for step in (2, 3, 4, 5) for region in ("east", "west")
    ]
    assert {(row["region"], row["factory"]) for row in rows} == {("east", "A"), ("west", "B")}


def test_a_short_history_takes_the_mean_of_its_logarithms(tmp_path: Path) -> None:
    # Boxes are orders / 3: 99 and 399 in turn, whose logarithms less one meet at 100 * 400.
    orders: list[Order] = [(back, "east", "pie", 297.0 if back % 2 else 1197.0) for back in range(12)]
    (row,) = volumes(tmp_path, orders, ahead=(2,))
    assert row["p50"] == pytest.approx(199, abs=1)
    assert row["method"] == "short"
    (steady,) = volumes(tmp_path, [(back, "east", "pie", 300.0) for back in range(12)], ahead=(2,))
    assert steady["mean"] == steady["p10"] == steady["p90"] == pytest.approx(100)


def test_one_week_of_history_forecasts_itself_with_the_default_spread(tmp_path: Path) -> None:
    rows = volumes(tmp_path, [(0, "east", "pie", 300.0)])
    assert len(rows) == 4
    for row in rows:
        assert row["p50"] == pytest.approx(100)
        assert 60 < row["p10"] < 80 < 125 < row["p90"] < 150


def test_a_missing_week_counts_as_zero(tmp_path: Path) -> None:
    full: list[Order] = [(back, "east", "pie", 300.0) for back in range(8)]
    (complete,) = volumes(tmp_path, full, ahead=(2,))
    (gap,) = volumes(tmp_path, [row for row in full if row[0] != 2], ahead=(2,))
    (explicit,) = volumes(tmp_path, [row if row[0] != 2 else (2, "east", "pie", 0.0) for row in full], ahead=(2,))
    assert gap == explicit
    assert gap["mean"] < complete["mean"]


def test_weeks_without_orders_at_the_end_count_as_zero(tmp_path: Path) -> None:
    closed: list[Order] = [(back, "west", "pie", 900.0) for back in range(5, 12)]
    rows = volumes(tmp_path, closed, seasonal("east", 12, 100), ahead=(2,))
    assert [row["region"] for row in rows] == ["east", "west"]
    assert rows[1]["mean"] == rows[1]["p90"] == 0
    assert rows[1]["method"] == "ended"


def test_a_region_no_model_fits_is_reported_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    smoothing = AutoETS.forecast

    def fails_for_small(self: AutoETS, y: Any, h: int) -> Any:
        if y.mean() < math.log(100):
            raise Exception("no model able to be fitted")  # as statsforecast does
        return smoothing(self, y=y, h=h)

    monkeypatch.setattr(AutoETS, "forecast", fails_for_small)
    ctx = local_context(tmp_path, "order-volume")
    history = extracted(ctx, seasonal("east", 40, 900), seasonal("west", 40, 30))
    answer = handle(ForecastOrderVolume(plan=plan_of(ctx, ahead=(2,)), history=history), ctx)
    rows = ctx.read(answer.volume).to_pylist()
    (replaced,) = answer.degraded
    assert replaced.by == "the mean of the last weeks for 1 of 2 regions: west"
    assert replaced.why == "no model fits west: smoothing: no model able to be fitted"
    assert [row["method"] for row in rows] == ["combination", "fallback"]
    assert 15 < rows[1]["p50"] < 25
    assert "region west takes the mean of its last weeks" in caplog.text
    assert "no model able to be fitted" in caplog.text


@pytest.mark.parametrize("weeks", [1, 2, 10, 19, 20, 21, 40, 104])
def test_quantiles_are_ordered_and_finite_for_every_length(tmp_path: Path, weeks: int) -> None:
    for row in volumes(tmp_path, seasonal("east", weeks, 500), seasonal("west", max(1, weeks // 2), 50)):
        assert 0 <= row["p10"] <= row["p50"] <= row["p90"] < math.inf
        assert 0 <= row["mean"] < math.inf


@pytest.mark.parametrize("weeks", [10, 104])
def test_one_order_more_in_the_oldest_week_moves_the_mean(tmp_path: Path, weeks: int) -> None:
    orders = seasonal("east", weeks, 20_000)
    back, region, recipe, number = orders[-1]
    assert back == weeks - 1
    before = volumes(tmp_path / "before", orders)
    after = volumes(tmp_path / "after", [*orders[:-1], (back, region, recipe, number + 1)])
    for row, other in zip(before, after, strict=True):
        assert f"{row['mean']:.6f}" != f"{other['mean']:.6f}"


def test_the_split_into_batches_does_not_matter_nor_does_a_second_run(tmp_path: Path) -> None:
    orders = seasonal("east", 30, 900) + seasonal("west", 30, 400)
    whole = volumes(tmp_path / "whole", orders)
    assert whole == volumes(tmp_path / "again", orders)
    assert whole == volumes(tmp_path / "split", orders[::2], orders[1::2])


def test_rows_after_the_plans_history_are_not_used(tmp_path: Path) -> None:
    orders = seasonal("east", 10, 900)
    assert volumes(tmp_path / "a", orders) == volumes(tmp_path / "b", [*orders, (-1, "east", "pie", 1e6)])


def test_no_orders_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"no orders up to the week of 2026-11-14: load order history"):
        volumes(tmp_path, [])


def test_a_plan_week_inside_the_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="2026-11-14 is not after the history"):
        volumes(tmp_path, seasonal("east", 10, 900), ahead=(0, 1))


@pytest.mark.parametrize(("regions", "weeks", "limit"), [(6, 104, 3.0), (8, 10, 1.0)])
def test_is_fast_enough(tmp_path: Path, regions: int, weeks: int, limit: float) -> None:
    orders = [row for region in range(regions) for row in seasonal(f"r{region}", weeks, 5000)]
    started = time.process_time()
    volumes(tmp_path, orders)
    assert time.process_time() - started < limit
