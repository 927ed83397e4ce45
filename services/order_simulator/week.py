"""What both versions share: read the forecasts of one week, simulate each region, split over factories, write."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import ContractViolation
from contracts.order_simulator import OrdersSimulated, SimulateOrders
from services.order_simulator.demand import DRAWS, Floats, RegionDemand, volume_at
from services.order_simulator.factories import Kitchens, Splits, factory_splits, read_kitchens
from services.order_simulator.scores import Place
from services.runtime.context import Context

DrawOrders = Callable[[RegionDemand, float, Floats, np.random.Generator], Floats]
DrawScores = Callable[[Place, np.random.Generator], Floats]

SCHEMA = pa.schema([("draw", pa.int32()), ("factory", pa.string()), ("recipe", pa.string()), ("orders", pa.float64())])


def simulate_week(
    inputs: SimulateOrders, ctx: Context, draw_scores: DrawScores, draw_orders: DrawOrders
) -> OrdersSimulated:
    """Raises ContractViolation when the week has no volume, a region with volume has no shares, or nobody can cook a recipe."""
    plan, week = inputs.plan, inputs.week
    demands = region_demands(ctx.read(inputs.volume.volume), ctx.read(inputs.popularity.popularity), week.starts)
    networks = {each.factory: ctx.read(each.network) for each in inputs.networks}
    kitchens = read_kitchens(
        (factory.key for factory in plan.factories), ctx.read(plan.cannot_cook) if plan.cannot_cook else None
    )
    homes = {demand.region: demand.factory for demand in demands}
    groups = {kitchens.unable_to(recipe) for demand in demands for recipe in demand.recipes}
    splits = factory_splits(networks, week.starts, homes, kitchens, groups)
    orders = []
    for demand in demands:
        ctx.heartbeat()
        place = Place(plan.seed, week.key, demand.region)
        rng = place.generator()
        volume = volume_at(demand, draw_scores(place, rng))
        orders.append(draw_orders(demand, plan.recipes_per_box, volume, rng))
    table = orders_table(demands, orders, splits, kitchens)
    return OrdersSimulated(orders=ctx.write("orders", table), draws=DRAWS)


def region_demands(volume: pa.Table, popularity: pa.Table, week: date) -> list[RegionDemand]:
    """The forecasts of one week, one entry per region, sorted."""
    volumes = volume.filter(pc.equal(volume["week"], pa.scalar(week, pa.date32()))).sort_by("region").to_pylist()
    if not volumes:
        raise ContractViolation(f"the volume forecast has no week {week}: run order-volume for this plan again")
    shares = popularity.filter(pc.equal(popularity["week"], pa.scalar(week, pa.date32())))
    return [_demand(row, shares.filter(pc.equal(shares["region"], row["region"])), week) for row in volumes]


def _demand(volume: Mapping[str, object], shares: pa.Table, week: date) -> RegionDemand:
    if shares.num_rows == 0:
        raise ContractViolation(
            f"region {volume['region']} has a volume but no take rates in week {week}: run recipe-popularity again"
        )
    shares = shares.sort_by("recipe")
    return RegionDemand(
        **{name: volume[name] for name in ("region", "factory", "mean", "p10", "p50", "p90")},  # type: ignore[arg-type] # columns of the contract
        recipes=tuple(shares["recipe"].to_pylist()),
        shares=shares["share"].to_numpy(),
        spread=shares["spread"][0].as_py(),
    )


def orders_table(
    demands: Sequence[RegionDemand], orders: Sequence[Floats], splits: Splits, kitchens: Kitchens
) -> pa.Table:
    """Sum the regions' orders per factory and recipe. `orders` has one array (draws, recipes) per demand.

    An order is cooked where its recipe can be: orders of one box may come from several factories.
    """
    recipes = sorted({recipe for demand in demands for recipe in demand.recipes})
    factories = sorted({factory for split in splits.values() for factory in split})
    total = np.zeros((DRAWS, len(factories), len(recipes)))
    for demand, drawn in zip(demands, orders, strict=True):
        columns = np.searchsorted(recipes, demand.recipes)
        split_of = [splits[demand.region, kitchens.unable_to(recipe)] for recipe in demand.recipes]
        for number, factory in enumerate(factories):
            total[:, number, columns] += drawn * np.array([split.get(factory, 0.0) for split in split_of])
    cooked = np.array([[kitchens.can_cook(factory, recipe) for recipe in recipes] for factory in factories])
    factory_of, recipe_of = np.nonzero(cooked)
    return pa.table(
        {
            "draw": np.repeat(np.arange(DRAWS, dtype=np.int32), len(factory_of)),
            "factory": np.tile(np.array(factories, dtype=object)[factory_of], DRAWS),
            "recipe": np.tile(np.array(recipes, dtype=object)[recipe_of], DRAWS),
            "orders": total[:, cooked].ravel(),
        },
        schema=SCHEMA,
    )
