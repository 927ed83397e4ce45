"""One factory's part of the network. Every factory solves the same problem and keeps its own rows."""

import math
from datetime import date

import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.message import DatasetRef
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from services.network_configuration.demand import costs_by_lane, demands, unable_by_recipe, volume_by_week
from services.network_configuration.transport import Allocation, Shares, allocate, shares_of
from services.runtime.context import Context

SCHEMA = pa.schema(
    [
        ("week", pa.date32()),
        ("region", pa.string()),
        ("boxes", pa.float64()),
        ("overflow", pa.bool_()),
        ("unable", pa.list_(pa.string())),
    ]
)


def handle(inputs: ConfigureNetwork, ctx: Context) -> FactoryNetworkConfigured:
    """Solve each week's transport problem over all factories and answer what `inputs.factory` takes on.

    Each week's network stays as close as cost and caps allow to the one before it, the first week's to the factories' last.

    Raises BadData when the caps cannot hold a week's volume or nobody can cook a recipe of its menu, ContractViolation when
    volume, popularity or costs do not cover the plan.
    """
    plan, own = inputs.plan, inputs.factory
    costs = costs_by_lane(_read(plan.costs, ctx), plan)
    volume = volume_by_week(ctx.read(inputs.volume.volume), plan)
    unable = unable_by_recipe(_read(plan.cannot_cook, ctx), plan)
    rows: list[dict[str, object]] = []
    before = last_shares(plan, min(volume), ctx)
    for demand in tuple(demands(volume, ctx.read(inputs.popularity.popularity), unable)):
        allocations = allocate(demand, plan.factories, costs, before)
        rows += [_row(demand.week, each, own.regions) for each in allocations if each.factory == own.key]
        before = {**before, **shares_of(allocations)}
        ctx.heartbeat()
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    overflow = math.fsum(row["boxes"] for row in table.to_pylist() if row["overflow"])
    ctx.log.info("factory %s takes %d region weeks, %.0f boxes of them overflow", own.key, table.num_rows, overflow)
    return FactoryNetworkConfigured(factory=own.key, network=ctx.write("network", table, schema_version=2))


def _read(reference: DatasetRef | None, ctx: Context) -> pa.Table | None:
    return ctx.read(reference) if reference else None


def _row(week: date, each: Allocation, home: tuple[str, ...]) -> dict[str, object]:
    values = (week, each.region, each.boxes, each.region not in home, list(each.unable))
    return dict(zip(SCHEMA.names, values, strict=True))


def last_shares(plan: RunPlanned, first_week: date, ctx: Context) -> Shares:
    """Who cooked what in the networks of the factories' latest earlier run, in the latest of their weeks up to `first_week`.

    Nothing when a factory has no earlier network: the parts of a lot can only be told from all of them.
    """
    if any(factory.last is None for factory in plan.factories):
        return {}
    allocations = []
    for factory in plan.factories:
        assert factory.last is not None
        answer = FactoryNetworkConfigured.model_validate(factory.last.output)
        rows = ctx.read(answer.network).to_pylist()
        week = max((row["week"] for row in rows if row["week"] <= first_week), default=None)
        allocations += [
            Allocation(factory.key, row["region"], row["boxes"], tuple(row.get("unable", ())))
            for row in rows
            if row["week"] == week
        ]
    return shares_of(allocations)
