from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.errors import BadData, ContractViolation
from contracts.message import DatasetRef, EarlierResult
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted
from services.network_configuration.demand import Lot, demands
from services.network_configuration.handler import SCHEMA, handle, last_shares
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
    rates: dict[str, float] | None = None,
) -> list[dict[str, Any]]:
    """`rates` are the shares of recipes, the same in every week and region."""
    volume = [
        {"week": w, "region": r, "factory": "?", "mean": m, "p10": m, "p50": m, "p90": m} for (w, r), m in boxes.items()
    ]
    popularity = [
        {"week": week, "region": region, "recipe": recipe, "share": share, "spread": 0.2}
        for week, region in sorted(boxes if shares is None else shares)
        for recipe, share in (rates or {"pie": 1.0}).items()
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
    table = ctx.read(answer.network)
    assert table.schema == SCHEMA
    rows: list[dict[str, Any]] = table.to_pylist()
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


def earlier(
    ctx: Context, factory: Factory, rows: list[tuple[date, str, float]], unable: list[str] | None = None
) -> Factory:
    """The factory with a last network of these weeks, regions and boxes; without `unable`, as before there were groups."""
    group = {"unable": unable} if unable is not None else {}
    table = pa.Table.from_pylist([{"week": w, "region": r, "boxes": b, "overflow": False} | group for w, r, b in rows])
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


def knowing(
    ctx: Context, plan: RunPlanned, costs: dict[tuple[str, str], float] | None = None, **cannot_cook: list[str]
) -> RunPlanned:
    """The plan with what boxes cost and which factories cannot cook a recipe."""
    found: dict[str, DatasetRef] = {}
    if costs:
        rows = [{"factory": factory, "region": region, "cost": cost} for (factory, region), cost in costs.items()]
        found["costs"] = ctx.write("costs", pa.Table.from_pylist(rows))
    if cannot_cook:
        table = pa.table({"recipe": list(cannot_cook), "factories": list(cannot_cook.values())})
        found["cannot_cook"] = ctx.write("cannot-cook", table)
    return plan.model_copy(update=found)


COSTS = {("A", "north"): 5.0, ("A", "south"): 5.0, ("A", "west"): 8.0}
COSTS |= {("B", "north"): 6.0, ("B", "south"): 4.0, ("B", "west"): 5.0}


def test_a_recipe_goes_where_it_can_be_cooked(ctx: Context) -> None:
    plan = knowing(ctx, plan_of(A, B), pie=["A"])
    rates = {"bun": 0.75, "pie": 0.25}
    own, other = configure(ctx, A, plan=plan, rates=rates), configure(ctx, B, plan=plan, rates=rates)
    assert {tuple(row["unable"]) for row in own} == {()}
    assert [(row["region"], row["overflow"]) for row in own] == [("north", False), ("south", False), ("north", False)]
    assert [row["boxes"] for row in own] == pytest.approx([52.5, 37.5, 45])
    pies = [row for row in other if row["unable"] == ["A"]]
    assert [(row["week"], row["region"], row["overflow"]) for row in pies] == [
        (W1, "north", True),
        (W1, "south", True),
        (W1, "west", False),
        (W2, "north", True),
        (W2, "west", False),
    ]
    assert [row["boxes"] for row in pies] == pytest.approx([17.5, 12.5, 25, 15, 22.5])


def test_without_capability_or_where_it_names_all_other_recipes_the_network_is_the_same(ctx: Context) -> None:
    free = configure(ctx, B, rates={"bun": 0.7, "pie": 0.3})
    assert free == configure(ctx, B)
    assert {tuple(row["unable"]) for row in free} == {()}
    assert free == configure(ctx, B, plan=knowing(ctx, plan_of(A, B), soup=["A", "B"]))


def test_costs_decide_over_home(ctx: Context) -> None:
    rows = configure(ctx, B, plan=knowing(ctx, plan_of(A, B), COSTS))
    assert [(row["week"], row["region"], row["boxes"]) for row in rows] == [
        (W1, "south", pytest.approx(50)),
        (W1, "west", pytest.approx(100)),
        (W2, "west", pytest.approx(90)),
    ]


def test_costs_of_some_pairs_only_are_refused(ctx: Context) -> None:
    plan = knowing(ctx, plan_of(A, B), {lane: cost for lane, cost in COSTS.items() if lane != ("B", "south")})
    with pytest.raises(ContractViolation, match="the plan's costs lack a box of factory B for region south"):
        configure(ctx, A, plan=plan)


def test_a_recipe_that_nobody_can_cook_is_named(ctx: Context) -> None:
    with pytest.raises(BadData, match="no factory can cook pie, which is on the menu of week 2026-11-28"):
        configure(ctx, A, plan=knowing(ctx, plan_of(A, B), pie=["A", "B"]))


def test_what_only_one_can_cook_must_fit_its_cap(ctx: Context) -> None:
    plan = knowing(ctx, plan_of(A, B), pie=["B"])
    with pytest.raises(BadData, match=r"week 2026-12-05: factory A packs 100 boxes, .* is 120 \(20 over; pie\)"):
        configure(ctx, B, BOXES | {(W2, "west"): 240.0}, plan=plan, rates={"bun": 0.6, "pie": 0.4})


def test_a_group_stays_where_it_was(ctx: Context) -> None:
    """Pie cannot be cooked at home, and B and C cost the same: both take again what they took."""
    others = [Factory(key=key, weekly_cap=300, regions=()) for key in ("B", "C")]
    home = Factory(key="A", weekly_cap=300, regions=("north",))
    boxes = {(week, "north"): 100.0 for week in (W1, W2)}
    for parts in ((50.0, 0.0), (0.0, 30.0)):
        lasts = [
            earlier(ctx, factory, [(W1, "north", part)], ["A"]) for factory, part in zip(others, parts, strict=True)
        ]
        plan = knowing(ctx, plan_of(earlier(ctx, home, [(W1, "north", 9.0)]), *lasts), pie=["A"])
        found = [configure(ctx, last, boxes, plan=plan, rates={"bun": 0.6, "pie": 0.4}) for last in lasts]
        assert [[row["boxes"] for row in rows] for rows in found] == [
            [pytest.approx(40)] * 2 if part else [] for part in parts
        ]


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([W1, W2]), st.sampled_from(["north", "west"])), st.floats(0, 1e6), min_size=1
    ),
    st.dictionaries(st.sampled_from(["bun", "miso", "pie", "soup"]), st.floats(0.01, 1), min_size=1),
    st.dictionaries(st.sampled_from(["bun", "pie"]), st.sampled_from([("A",), ("B",)])),
)
def test_groups_share_out_a_regions_boxes(
    boxes: dict[tuple[date, str], float], rates: dict[str, float], unable: dict[str, tuple[str, ...]]
) -> None:
    volume: dict[date, dict[str, float]] = {}
    for (week, region), mean in boxes.items():
        volume.setdefault(week, {})[region] = mean
    popularity = pa.Table.from_pylist(
        [
            {"week": week, "region": region, "recipe": recipe, "share": rate / sum(rates.values())}
            for week, region in boxes
            for recipe, rate in rates.items()
        ]
    )
    found = list(demands(volume, popularity, unable))
    assert [demand.week for demand in found] == sorted(volume)
    for demand in found:
        for region, mean in volume[demand.week].items():
            lots = {lot: amount for lot, amount in demand.boxes.items() if lot.region == region}
            assert sum(lots.values()) == pytest.approx(mean)
            if len(lots) == 1:
                assert [*lots.values()] == [mean]
            for lot, amount in lots.items():
                part = sum(rate for recipe, rate in rates.items() if unable.get(recipe, ()) == lot.unable)
                assert amount == pytest.approx(mean * part / sum(rates.values()))
        assert sorted(recipe for group in demand.recipes.values() for recipe in group) == sorted(rates)
        assert all(unable.get(recipe, ()) == group for group, names in demand.recipes.items() for recipe in names)


def test_a_network_from_before_there_were_groups_is_of_all_recipes(ctx: Context) -> None:
    last_a, last_b = earlier(ctx, A, [(W1, "north", 30.0)]), earlier(ctx, B, [(W1, "north", 10.0)])
    assert last_shares(plan_of(last_a, last_b), W1, ctx) == {("A", Lot("north")): 0.75, ("B", Lot("north")): 0.25}


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
