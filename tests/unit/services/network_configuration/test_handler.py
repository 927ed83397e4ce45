from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.errors import BadData, ContractViolation
from contracts.message import DatasetRef, EarlierResult
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted
from services.network_configuration.handler import handle, last_shares
from services.runtime.context import Context
from services.runtime.testing import local_context

W1, W2 = date(2026, 11, 28), date(2026, 12, 5)
A = Factory(key="A", weekly_cap=100, regions=("north", "south"))
B = Factory(key="B", weekly_cap=300, regions=("west",))
BOXES = {(W1, "north"): 70.0, (W1, "south"): 50.0, (W1, "west"): 100.0} | {(W2, "north"): 60.0, (W2, "west"): 90.0}


def plan_of(*factories: Factory) -> RunPlanned:
    return RunPlanned(
        date=date(2026, 11, 25),
        weekday="wednesday",
        seed=1,
        history=History(first_week=date(2026, 9, 12), last_week=date(2026, 11, 14)),
        weeks=tuple(MenuWeek(key=week.isoformat(), starts=week, recipes=("pie",)) for week in (W1, W2)),
        factories=factories,
        batches=(Batch(key="b1", centres=("1",)),),
        recipe_book=DatasetRef(uri="file:///none", rows=0, sha256="0" * 64),
        recipes_per_box=3.0,
        portions_per_order=2.0,
    )


def configure(
    ctx: Context,
    factory: Factory,
    boxes: dict[tuple[date, str], float] = BOXES,
    shares: set[tuple[date, str]] | None = None,
    plan: RunPlanned | None = None,
) -> list[dict[str, Any]]:
    volume = [
        {"week": w, "region": r, "factory": "?", "mean": m, "p10": m, "p50": m, "p90": m} for (w, r), m in boxes.items()
    ]
    popularity = [
        {"week": week, "region": region, "recipe": "pie", "share": 1.0, "spread": 0.2}
        for week, region in sorted(boxes if shares is None else shares)
    ]
    answer = handle(
        ConfigureNetwork(
            plan=plan or plan_of(A, B),
            factory=factory,
            volume=OrderVolumeForecasted(volume=ctx.write("volume", pa.Table.from_pylist(volume))),
            popularity=RecipePopularityForecasted(popularity=ctx.write("popularity", pa.Table.from_pylist(popularity))),
        ),
        ctx,
    )
    assert answer.factory == factory.key
    rows: list[dict[str, Any]] = ctx.read(answer.network).to_pylist()
    return rows


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return local_context(tmp_path, "network-configuration", "A")


def test_a_factory_keeps_its_own_rows_and_takes_what_another_cannot_hold(ctx: Context) -> None:
    own, other = configure(ctx, A), configure(ctx, B)
    assert [(row["week"], row["region"], row["overflow"]) for row in own] == [
        (W1, "north", False),
        (W1, "south", False),
        (W2, "north", False),
    ]
    assert sum(row["boxes"] for row in own if row["week"] == W1) == pytest.approx(100)
    overflow = [row for row in other if row["overflow"]]
    assert [(row["week"], row["boxes"]) for row in overflow] == [(W1, pytest.approx(20))]
    assert [row["boxes"] for row in other if not row["overflow"]] == pytest.approx([100, 90])


def earlier(ctx: Context, factory: Factory, rows: list[tuple[date, str, float]]) -> Factory:
    """The factory with a last network of these weeks, regions and boxes."""
    table = pa.Table.from_pylist([{"week": w, "region": r, "boxes": b, "overflow": False} for w, r, b in rows])
    answer = FactoryNetworkConfigured(factory=factory.key, network=ctx.write(f"last-{factory.key}", table))
    last = EarlierResult(run_id="before", date=date(2026, 11, 18), output=answer.model_dump(mode="json"))
    return factory.model_copy(update={"last": last})


@pytest.mark.parametrize("region", ["north", "south"])
def test_what_another_factory_took_last_it_takes_again(ctx: Context, region: str) -> None:
    boxes = {(week, name): 70.0 for week in (W1, W2) for name in ("north", "south", "west")}
    at_home, before = "south" if region == "north" else "north", W1 - timedelta(weeks=1)
    last_a = earlier(ctx, A, [(before, at_home, 70.0), (before, region, 30.0), (W2, region, 1.0)])
    last_b = earlier(ctx, B, [(before, region, 40.0), (before, "west", 70.0)])
    overflow = [row for row in configure(ctx, B, boxes, plan=plan_of(last_a, last_b)) if row["overflow"]]
    assert [(row["week"], row["region"]) for row in overflow] == [(W1, region), (W2, region)]
    assert [row["boxes"] for row in overflow] == pytest.approx([40, 40])


def test_without_all_last_networks_there_is_none_to_stay_close_to(ctx: Context) -> None:
    plan = plan_of(earlier(ctx, A, [(W1, "north", 70.0)]), B)
    assert last_shares(plan, W1, ctx) == {}
    assert configure(ctx, B, plan=plan) == configure(ctx, B)


def test_caps_too_small_name_the_week(ctx: Context) -> None:
    with pytest.raises(BadData, match="caps cannot hold week 2026-12-05: factories A and B pack 400 boxes"):
        configure(ctx, A, BOXES | {(W2, "west"): 900.0})


def test_weeks_that_are_not_planned_are_left_out(ctx: Context) -> None:
    rows = configure(ctx, B, BOXES | {(date(2027, 1, 2), "west"): 9000.0})
    assert {row["week"] for row in rows} == {W1, W2}


def test_boxes_nobody_can_name_recipes_for_are_refused(ctx: Context) -> None:
    with pytest.raises(ContractViolation, match="no shares for week 2026-12-05 in west"):
        configure(ctx, A, shares=set(BOXES) - {(W2, "west")})


@pytest.mark.parametrize(
    ("boxes", "complaint"),
    [
        ({(W1, "north"): 1.0}, "nothing for week 2026-12-05"),
        (BOXES | {(W1, "moon"): 1.0}, "region moon, which no factory"),
        (BOXES | {(W1, "west"): -1.0}, "-1.0 boxes for west in week 2026-11-28"),
        (BOXES | {(W1, "west"): float("nan")}, "nan boxes for west"),
    ],
)
def test_a_volume_that_does_not_fit_the_plan_is_refused(
    ctx: Context, boxes: dict[tuple[date, str], float], complaint: str
) -> None:
    with pytest.raises(ContractViolation, match=complaint):
        configure(ctx, A, boxes)
