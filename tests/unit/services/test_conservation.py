"""Nothing is lost or made on the way from boxes to ingredients, whatever the history."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.network_configuration import ConfigureNetwork
from contracts.order_simulator import OrdersSimulated, SimulateOrders
from contracts.order_volume import ForecastOrderVolume
from contracts.recipe_popularity import ForecastRecipePopularity
from contracts.site_forecast import ForecastSite
from services.network_configuration.handler import handle as configure_network
from services.order_simulator import handler, handler_v2
from services.order_volume.handler import handle as forecast_volume
from services.recipe_popularity.handler import handle as forecast_popularity
from services.runtime.context import Context
from services.runtime.testing import local_context
from services.site_forecast.handler import handle as forecast_site
from tests.support.plans import BOOK, Order, extracted, plan_of

Handle = Callable[[SimulateOrders, Context], OrdersSimulated]

RECIPES = tuple(sorted({line[0] for line in BOOK}))
HISTORY = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.sampled_from(["east", "west"]),
        st.sampled_from(RECIPES),
        st.integers(0, 20_000),
    ),
    min_size=1,
    max_size=60,
)


NOT_AT = st.dictionaries(st.sampled_from(RECIPES), st.sampled_from(["A", "B"]))
"""The one factory that cannot cook the recipe."""


def mean_of(table: pa.Table, kind: str) -> dict[str, float]:
    """Summed over factories, by name."""
    rows = table.filter(pc.equal(table["kind"], kind)).to_pylist()
    return {name: sum(row["mean"] for row in rows if row["name"] == name) for name in {row["name"] for row in rows}}


@settings(deadline=None, max_examples=25)
@given(
    history=HISTORY,
    simulate=st.sampled_from([handler.handle, handler_v2.handle]),
    recipes_per_box=st.floats(2, 4),
    seed=st.integers(0, 2**31),
    not_at=NOT_AT,
)
def test_every_unit_is_conserved_from_boxes_to_ingredients(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[Order],
    simulate: Handle,
    recipes_per_box: float,
    seed: int,
    not_at: dict[str, str],
) -> None:
    ctx = local_context(Path(tmp_path_factory.mktemp("run")), "any")
    plan = plan_of(ctx, recipes=RECIPES, ahead=(2,), recipes_per_box=recipes_per_box, seed=seed)
    if not_at:
        table = pa.table({"recipe": list(not_at), "factories": [[factory] for factory in not_at.values()]})
        plan = plan.model_copy(update={"cannot_cook": ctx.write("cannot-cook", table)})
    orders = extracted(ctx, history)
    volume = forecast_volume(ForecastOrderVolume(plan=plan, history=orders), ctx)
    popularity = forecast_popularity(ForecastRecipePopularity(plan=plan, history=orders), ctx)
    networks = tuple(
        configure_network(
            ConfigureNetwork(plan=plan, factory=factory, volume=volume, popularity=popularity),
            local_context(Path(tmp_path_factory.mktemp("network")), "network-configuration", factory.key),
        )
        for factory in plan.factories
    )
    week = plan.weeks[0]
    inputs = SimulateOrders(plan=plan, week=week, volume=volume, popularity=popularity, networks=networks)
    simulated = simulate(inputs, ctx)
    site = forecast_site(ForecastSite(plan=plan, week=week, simulated=simulated), ctx)

    shares = ctx.read(popularity.popularity).group_by("region").aggregate([("share", "sum")])
    assert shares["share_sum"].to_pylist() == pytest.approx([1.0] * shares.num_rows)
    boxes = pc.sum(ctx.read(volume.volume)["mean"]).as_py()
    cooked = sum(pc.sum(ctx.read(network.network)["boxes"]).as_py() or 0.0 for network in networks)
    assert cooked == pytest.approx(boxes, rel=1e-6, abs=1e-4)
    table = ctx.read(site.forecast)
    cooks = set(zip(table["factory"].to_pylist(), table["name"].to_pylist(), strict=True))
    assert not cooks & {(factory, recipe) for recipe, factory in not_at.items()}
    recipes, ingredients = mean_of(table, "recipe"), mean_of(table, "ingredient")
    # Scaled to the forecast's mean, so the simulated boxes are not only within 1 % of it; shares have nine digits.
    assert sum(recipes.values()) / recipes_per_box == pytest.approx(boxes, rel=1e-8, abs=1e-6)
    assert site.totals is not None
    assert sum(ctx.read(site.totals)["mean"].to_pylist()) == pytest.approx(sum(recipes.values()), abs=1e-6)
    for name, amount in ingredients.items():
        needed = [line[4] * recipes[line[0]] for line in BOOK if line[3] == name]
        assert amount == pytest.approx(plan.portions_per_order * float(np.sum(needed)), rel=1e-8, abs=1e-6)
