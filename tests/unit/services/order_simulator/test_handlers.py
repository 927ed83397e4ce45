import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.configurator import Factory
from contracts.errors import BadData, ContractViolation
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.order_simulator import OrdersSimulated, SimulateOrders
from contracts.order_volume import OrderVolumeForecasted
from contracts.recipe_popularity import RecipePopularityForecasted
from services.order_simulator import handler, handler_v2
from services.order_simulator.week import SCHEMA
from services.runtime.context import Context
from services.runtime.testing import local_context
from tests.support.plans import LAST_WEEK, WEEK, home, plan_of

Handle = Callable[[SimulateOrders, Context], OrdersSimulated]
BOTH = pytest.mark.parametrize("handle", [handler.handle, handler_v2.handle], ids=["v1", "v2"])
FIRST = LAST_WEEK + 2 * WEEK
LAST = LAST_WEEK + 3 * WEEK
MENU = tuple(f"r{number:02}" for number in range(12))
BOXES = {"east": 5000.0, "west": 700.0}

NUMBER = pa.float64()
KEYS = [("week", pa.date32()), ("region", pa.string())]
VOLUME = pa.schema([*KEYS, ("factory", pa.string())] + [(name, NUMBER) for name in ("mean", "p10", "p50", "p90")])
RATES = pa.schema([*KEYS, ("recipe", pa.string()), ("share", NUMBER), ("spread", NUMBER)])
NETWORK = pa.schema([*KEYS, ("boxes", NUMBER), ("overflow", pa.bool_()), ("unable", pa.list_(pa.string()))])


def simulate(
    folder: Path,
    handle: Handle,
    boxes: dict[str, float] = BOXES,
    menu: tuple[str, ...] = MENU,
    week: date = FIRST,
    rated: date = FIRST,
    lifts: dict[str, float] | None = None,
    recipes_per_box: float = 3.0,
    seed: int = 1,
    run_id: str = "run",
    separate: bool = False,
    not_at: Mapping[str, tuple[str, ...]] | None = None,
    group_boxes: dict[tuple[str, str], tuple[float, float]] | None = None,
) -> pa.Table:
    """`separate`: factory A cooks the east, B the west. Otherwise A cooks most of both.

    `not_at` is by recipe the factories that cannot cook it, of A, B and C, which has no regions; `group_boxes` what A and B
    cook of a region's recipes that a factory cannot.
    """
    ctx = replace(local_context(folder, "order-simulator", week.isoformat()), run_id=run_id)
    plan = plan_of(ctx, recipes=menu, ahead=(2, 3), recipes_per_box=recipes_per_box, seed=seed)
    weights = {recipe: 1.0 + number for number, recipe in enumerate(menu)} | (lifts or {})
    volume = [
        {"week": each, "region": region, "factory": home(region), "mean": number}
        | {"p10": number * 0.7, "p50": number * 0.95, "p90": number * 1.5}
        for each in (FIRST, LAST)
        for region, number in boxes.items()
    ]
    popularity = [
        {"week": rated, "region": region, "recipe": recipe, "spread": 0.3}
        | {"share": weights[recipe] / sum(weights.values())}
        for region in boxes
        for recipe in menu
    ]
    network: list[dict[str, object]] = [
        {"week": FIRST, "region": region, "boxes": number / 2, "overflow": False, "unable": []}
        for region, number in boxes.items()
    ]
    kept = [{**row, "boxes": BOXES["east"] / 6} for row in network if row["region"] == "east"]
    if separate:
        network, kept = ([row for row in network if row["region"] == region] for region in ("east", "west"))
    for (region, factory), (by_a, by_b) in (group_boxes or {}).items():
        row = {"week": FIRST, "region": region, "overflow": False, "unable": [factory]}
        network, kept = [*network, {**row, "boxes": by_a}], [*kept, {**row, "boxes": by_b}]
    if not_at:
        table = pa.table({"recipe": sorted(not_at), "factories": [list(not_at[recipe]) for recipe in sorted(not_at)]})
        idle = Factory(key="C", weekly_cap=1, regions=())
        plan = plan.model_copy(
            update={"cannot_cook": ctx.write("cannot-cook", table), "factories": (*plan.factories, idle)}
        )
    answer = handle(
        SimulateOrders(
            plan=plan,
            week=next(each for each in plan.weeks if each.starts == week),
            volume=OrderVolumeForecasted(volume=ctx.write("volume", pa.Table.from_pylist(volume, VOLUME))),
            popularity=RecipePopularityForecasted(
                popularity=ctx.write("rates", pa.Table.from_pylist(popularity, RATES))
            ),
            networks=(
                FactoryNetworkConfigured(factory="A", network=ctx.write("a", pa.Table.from_pylist(network, NETWORK))),
                FactoryNetworkConfigured(factory="B", network=ctx.write("b", pa.Table.from_pylist(kept, NETWORK))),
            ),
        ),
        ctx,
    )
    table = ctx.read(answer.orders)
    assert table.schema == SCHEMA
    assert answer.draws == 500
    return table


def total(table: pa.Table, **where: str) -> float:
    for column, value in where.items():
        table = table.filter(pc.equal(table[column], value))
    return float(pc.sum(table["orders"]).as_py()) / 500


@BOTH
def test_every_draw_has_every_factory_and_recipe_in_order(tmp_path: Path, handle: Handle) -> None:
    table = simulate(tmp_path, handle)
    keys = list(zip(*(table[name].to_pylist() for name in ("draw", "factory", "recipe")), strict=True))
    assert keys == [(draw, factory, recipe) for draw in range(500) for factory in ("A", "B") for recipe in MENU]
    assert pc.min(table["orders"]).as_py() >= 0


@BOTH
def test_orders_keep_boxes_shares_and_networks(tmp_path: Path, handle: Handle) -> None:
    table = simulate(tmp_path, handle)
    assert total(table) == pytest.approx(3 * 5700)
    # Half of the east's boxes stand in A's network, a sixth in B's; the west's in A's only.
    assert total(table, factory="B") == pytest.approx(3 * 5000 / 4)
    assert total(table, recipe="r11") == pytest.approx(3 * 5700 * 12 / 78)


@BOTH
def test_a_recipe_is_cooked_only_where_it_can_be(tmp_path: Path, handle: Handle) -> None:
    not_at = {"r11": ("A",), "r03": ("B", "C"), "r10": ("B",)}
    table, free = simulate(tmp_path, handle, not_at=not_at), simulate(tmp_path, handle)
    rows = set(zip(table["factory"].to_pylist(), table["recipe"].to_pylist(), strict=True))
    assert rows == {
        (factory, recipe) for factory in ("A", "B") for recipe in MENU if factory not in not_at.get(recipe, ())
    }
    for recipe in MENU:
        assert total(table, recipe=recipe) == pytest.approx(total(free, recipe=recipe))
        if recipe not in not_at:
            assert total(table, recipe=recipe, factory="B") == pytest.approx(total(free, recipe=recipe, factory="B"))


def test_each_draw_keeps_its_orders_whoever_cooks_them(tmp_path: Path) -> None:
    """The capability moves orders between factories and changes none."""
    of_draw = [
        np.bincount(table["draw"].to_numpy(), table["orders"].to_numpy())
        for table in (
            simulate(tmp_path, handler_v2.handle, not_at=not_at) for not_at in ({}, {"r11": ("A",), "r03": ("B",)})
        )
    ]
    assert of_draw[1] == pytest.approx(of_draw[0])


@BOTH
def test_a_group_is_split_by_its_own_boxes(tmp_path: Path, handle: Handle) -> None:
    """A takes 100 and B 300 of the east's boxes that C cannot cook, and 2,500 and 833 of the others."""
    table = simulate(
        tmp_path, handle, boxes={"east": 5000.0}, not_at={"r11": ("C",)}, group_boxes={("east", "C"): (100, 300)}
    )
    for recipe, part in (("r11", 3 / 4), ("r10", 1 / 4)):
        assert total(table, recipe=recipe, factory="B") == pytest.approx(total(table, recipe=recipe) * part)


@BOTH
def test_a_menu_with_a_recipe_that_nobody_can_cook_is_refused(tmp_path: Path, handle: Handle) -> None:
    with pytest.raises(ContractViolation, match="no factory of the plan can cook r03"):
        simulate(tmp_path, handle, not_at={"r03": ("A", "B", "C")})


@BOTH
def test_the_band_follows_the_forecasts(tmp_path: Path, handle: Handle) -> None:
    table = simulate(tmp_path, handle, boxes={"east": 5000.0})
    draws = table["orders"].to_numpy().reshape(500, -1).sum(axis=1) / 3
    # The two-piece distribution is scaled to the forecast's mean: its own is 4,750 + 0.399 * (1,951 - 975).
    scale = 5000 / (4750 + 0.399 * (1951 - 975))
    assert np.quantile(draws, [0.1, 0.5, 0.9]) == pytest.approx(np.array([3500, 4750, 7500]) * scale, rel=0.05)


def test_only_v2_lets_regions_and_weeks_miss_together(tmp_path: Path) -> None:
    """Regions of two factories, in one week and in two."""
    for handle, same_week, next_week in ((handler.handle, 0.0, 0.0), (handler_v2.handle, 0.45, 0.20)):
        weeks = [
            simulate(tmp_path, handle, boxes={"east": 9000.0, "west": 9000.0}, week=week, rated=week, separate=True)
            for week in (FIRST, LAST)
        ]
        east, west, later = (
            table.filter(pc.equal(table["factory"], factory))["orders"].to_numpy().reshape(500, -1).sum(axis=1)
            for table, factory in ((weeks[0], "A"), (weeks[0], "B"), (weeks[1], "B"))
        )
        assert np.corrcoef(east, west)[0, 1] == pytest.approx(same_week, abs=0.12)
        assert np.corrcoef(east, later)[0, 1] == pytest.approx(next_week, abs=0.12)


@BOTH
def test_the_same_inputs_give_the_same_bytes_whatever_the_run(tmp_path: Path, handle: Handle) -> None:
    digests = set()
    for run_id in ("one", "two"):
        (folder := tmp_path / run_id).mkdir()
        simulate(folder, handle, run_id=run_id)
        digests.add(hashlib.sha256(next(folder.rglob("orders.parquet")).read_bytes()).hexdigest())
    assert len(digests) == 1
    assert not simulate(tmp_path, handle).equals(simulate(tmp_path, handle, seed=2))


@BOTH
def test_a_little_more_volume_moves_the_mean(tmp_path: Path, handle: Handle) -> None:
    more = {**BOXES, "east": BOXES["east"] + 1e-3}
    before, after = simulate(tmp_path, handle), simulate(tmp_path, handle, boxes=more)
    for recipe in MENU:
        assert f"{total(before, recipe=recipe):.6f}" != f"{total(after, recipe=recipe):.6f}"


def test_the_versions_differ(tmp_path: Path) -> None:
    assert not simulate(tmp_path, handler.handle).equals(simulate(tmp_path, handler_v2.handle))


def test_only_whole_boxes_bound_a_dominant_recipe(tmp_path: Path) -> None:
    lifts = {"r00": 1000.0}
    assert total(simulate(tmp_path, handler.handle, lifts=lifts), recipe="r00") > 2 * 5700
    assert total(simulate(tmp_path, handler_v2.handle, lifts=lifts), recipe="r00") == pytest.approx(5700, rel=0.01)


@BOTH
def test_a_week_the_networks_do_not_cover_is_split_as_their_latest(tmp_path: Path, handle: Handle) -> None:
    table = simulate(tmp_path, handle, week=LAST, rated=LAST)
    assert total(table, factory="B") == pytest.approx(3 * 5000 / 4)


@BOTH
def test_a_week_without_take_rates_is_refused(tmp_path: Path, handle: Handle) -> None:
    with pytest.raises(ContractViolation, match="region east has a volume but no take rates in week 2026-12-05"):
        simulate(tmp_path, handle, week=LAST)


@BOTH
def test_a_week_without_volume_is_refused(tmp_path: Path, handle: Handle) -> None:
    with pytest.raises(ContractViolation, match="no week 2026-11-28: run order-volume"):
        simulate(tmp_path, handle, boxes={})


def test_whole_boxes_need_a_possible_ratio(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot hold 6 on average"):
        simulate(tmp_path, handler_v2.handle, recipes_per_box=6.0)
    assert total(simulate(tmp_path, handler.handle, recipes_per_box=6.0)) == pytest.approx(6 * 5700)


@settings(deadline=None, max_examples=15)
@given(
    handle=st.sampled_from([handler.handle, handler_v2.handle]),
    boxes=st.dictionaries(st.sampled_from(["east", "west", "north"]), st.floats(0, 3000), min_size=1),
    menu=st.integers(4, 20),
    recipes_per_box=st.floats(2, 4),
    seed=st.integers(0, 2**31),
)
def test_every_unit_of_the_forecast_is_in_the_mean(
    tmp_path_factory: pytest.TempPathFactory,
    handle: Handle,
    boxes: dict[str, float],
    menu: int,
    recipes_per_box: float,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("orders")
    recipes = tuple(f"r{number:02}" for number in range(menu))
    table = simulate(folder, handle, boxes=boxes, menu=recipes, recipes_per_box=recipes_per_box, seed=seed)
    assert pc.min(table["orders"]).as_py() >= 0
    assert total(table) == pytest.approx(recipes_per_box * sum(boxes.values()), abs=1e-6)


@pytest.mark.parametrize(("handle", "limit"), [(handler.handle, 2.0), (handler_v2.handle, 5.0)], ids=["v1", "v2"])
def test_is_fast_enough(tmp_path: Path, handle: Handle, limit: float) -> None:
    started = time.process_time()
    simulate(tmp_path, handle, {f"region-{n}": 40_000.0 for n in range(8)}, tuple(f"r{n}" for n in range(47)))
    assert time.process_time() - started < limit
