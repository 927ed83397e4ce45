import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.configurator import RunPlanned
from contracts.errors import BadData
from contracts.message import EarlierResult
from contracts.order_volume import ForecastOrderVolume, OrderVolumeForecasted
from services.models.volume import SCHEMA
from services.order_volume.fallback import fitted, handle
from services.runtime.context import Context
from services.runtime.testing import local_context
from tests.support.plans import LAST_WEEK, WEEK, Order, extracted, plan_of

LAST_GOOD = "the forecast of run r1 of 18 November 2026"
NAIVE = "the boxes of the same weeks a year ago, or of the last week where nothing is that old"


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return replace(local_context(tmp_path, "order-volume"), failure="UnexpectedError: no model")


def earlier(steps: tuple[int, ...], regions: tuple[str, ...] = ("east", "west")) -> pa.Table:
    """A forecast of 100 boxes in east and 200 in west, and one more for each week ahead."""
    rows: list[dict[str, Any]] = []
    for step in steps:
        for region, boxes in ((region, 100.0 if region == "east" else 200.0) for region in regions):
            quantiles = {"mean": boxes + step, "p10": boxes - 50, "p50": boxes, "p90": boxes + 50}
            week = LAST_WEEK + step * WEEK
            rows.append({"week": week, "region": region, "factory": "Z", **quantiles, "method": "theta"})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def with_last_good(plan: RunPlanned, volume: pa.Table, ctx: Context) -> RunPlanned:
    answer = OrderVolumeForecasted(volume=ctx.write("earlier", volume))
    last = EarlierResult(run_id="r1", date=date(2026, 11, 18), output=answer.model_dump(mode="json"))
    return plan.model_copy(update={"last_good": {"order-volume": last}})


def volumes(ctx: Context, plan: RunPlanned, orders: list[Order], by: str) -> list[dict[str, Any]]:
    answer = handle(ForecastOrderVolume(plan=plan, history=extracted(ctx, orders)), ctx)
    (replaced,) = answer.degraded
    assert (replaced.by, replaced.why) == (by, "UnexpectedError: no model")
    table = ctx.read(answer.volume)
    assert table.schema == SCHEMA
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_the_last_good_forecast_is_fitted_to_the_plans_weeks_and_factories(ctx: Context) -> None:
    """Its week 2 is over, weeks 3 and 4 are in both, week 5 takes those of its latest."""
    plan = with_last_good(plan_of(ctx, ahead=(3, 4, 5)), earlier((2, 3, 4)), ctx)
    rows = volumes(ctx, plan, [], LAST_GOOD)
    assert [(row["week"], row["region"], row["factory"], row["mean"]) for row in rows] == [
        (LAST_WEEK + step * WEEK, region, factory, mean)
        for step, its in ((3, 3), (4, 4), (5, 4))
        for region, factory, mean in (("east", "A", 100.0 + its), ("west", "B", 200.0 + its))
    ]
    assert {(row["p10"], row["p90"], row["method"]) for row in rows} == {(50, 150, "theta"), (150, 250, "theta")}


@pytest.mark.parametrize(
    "unusable",
    [earlier((2, 3), ("east",)), earlier((2, 3))[:3], earlier(()), earlier((2, 3)).drop_columns(["method"])],
    ids=["a region is missing", "a region is missing in one week", "empty", "of an earlier version"],
)
def test_a_last_good_forecast_that_does_not_cover_the_plan_is_not_used(ctx: Context, unusable: pa.Table) -> None:
    plan = with_last_good(plan_of(ctx, ahead=(2, 3)), unusable, ctx)
    orders: list[Order] = [(back, "east", "pie", 300.0) for back in range(60)]
    assert {row["method"] for row in volumes(ctx, plan, orders, NAIVE)} == {"seasonal naive"}


def test_without_one_the_week_a_year_ago_is_repeated(ctx: Context) -> None:
    orders: list[Order] = [(back, "east", "pie", 300.0 + back) for back in range(60)]
    rows = volumes(ctx, plan_of(ctx, ahead=(2, 3)), orders, NAIVE)
    assert [row["p50"] for row in rows] == pytest.approx([(300 + 50) / 3, (300 + 49) / 3])


def test_without_either_the_missing_history_is_named(ctx: Context) -> None:
    with pytest.raises(BadData, match=re.escape("no orders up to the week of 2026-11-14: load order history")):
        volumes(ctx, plan_of(ctx), [], NAIVE)


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True),
    st.lists(st.integers(1, 30), min_size=1, max_size=6, unique=True),
)
def test_every_week_and_region_is_covered_once(tmp_path_factory: pytest.TempPathFactory, plan: Any, last: Any) -> None:
    planned = plan_of(local_context(tmp_path_factory.mktemp("c"), "order-volume"), ahead=tuple(plan))
    table = fitted(earlier(tuple(last), ("east", "north", "west")), planned)
    assert table is not None
    assert [(row["week"], row["region"]) for row in table.to_pylist()] == [
        (LAST_WEEK + step * WEEK, region) for step in sorted(plan) for region in ("east", "west")
    ]
