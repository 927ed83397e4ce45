"""One factory's part of the network. Every factory solves the same problem and keeps its own rows."""

import math
from collections import defaultdict
from datetime import date

import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.errors import ContractViolation
from contracts.network_configuration import ConfigureNetwork, FactoryNetworkConfigured
from services.network_configuration.transport import Allocation, Shares, allocate, shares_of
from services.runtime.context import Context

SCHEMA = pa.schema([("week", pa.date32()), ("region", pa.string()), ("boxes", pa.float64()), ("overflow", pa.bool_())])

Volume = dict[date, dict[str, float]]
"""Mean boxes by week and region."""


def handle(inputs: ConfigureNetwork, ctx: Context) -> FactoryNetworkConfigured:
    """Solve each week's transport problem over all factories and answer what `inputs.factory` takes on.

    Each week's network stays as close as the caps allow to the one before it, the first week's to the factories' last.

    Popularity decides no boxes: recipes are not tied to factories. A region that has boxes but no take rates could not be
    cooked for, so that is refused here, before anybody simulates.

    Raises BadData when the caps cannot hold a week's volume, ContractViolation when volume or popularity do not cover it.
    """
    volume = volume_by_week(ctx.read(inputs.volume.volume), inputs.plan)
    _check_popularity(ctx.read(inputs.popularity.popularity), volume)
    own = inputs.factory
    rows: list[tuple[date, str, float, bool]] = []
    before = last_shares(inputs.plan, min(volume), ctx)
    for week, boxes in sorted(volume.items()):
        allocations = allocate(week, inputs.plan.factories, boxes, before)
        rows.extend(
            (week, share.region, share.boxes, share.region not in own.regions)
            for share in allocations
            if share.factory == own.key
        )
        before = {**before, **shares_of(allocations)}
        ctx.heartbeat()
    overflow = math.fsum(boxes for _, _, boxes, is_overflow in rows if is_overflow)
    ctx.log.info("factory %s takes %d region weeks, %.0f boxes of them overflow", own.key, len(rows), overflow)
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
    return FactoryNetworkConfigured(factory=own.key, network=ctx.write("network", table))


def volume_by_week(table: pa.Table, plan: RunPlanned) -> Volume:
    """Mean boxes of the plan's weeks.

    Raises ContractViolation when a week is missing, a region is no factory's, or a volume is negative or not finite.
    """
    regions = {region for factory in plan.factories for region in factory.regions}
    volume: Volume = {week.starts: {} for week in plan.weeks}
    for row in table.select(["week", "region", "mean"]).to_pylist():
        week, region, mean = row["week"], row["region"], row["mean"]
        if week not in volume:
            continue
        if region not in regions:
            raise ContractViolation(f"order-volume forecast region {region}, which no factory of the plan serves")
        if not 0 <= mean < math.inf:
            raise ContractViolation(f"order-volume forecast {mean} boxes for {region} in week {week}")
        volume[week][region] = mean
    for week, by_region in volume.items():
        if not by_region:
            raise ContractViolation(f"order-volume forecast nothing for week {week}, which the plan covers")
    return volume


def _check_popularity(table: pa.Table, volume: Volume) -> None:
    covered: defaultdict[date, set[str]] = defaultdict(set)
    for row in table.select(["week", "region"]).to_pylist():
        covered[row["week"]].add(row["region"])
    for week, by_region in volume.items():
        missing = sorted(by_region.keys() - covered[week])
        if missing:
            raise ContractViolation(
                f"recipe-popularity gave no shares for week {week} in {', '.join(missing)}, where order-volume has boxes"
            )


def last_shares(plan: RunPlanned, first_week: date, ctx: Context) -> Shares:
    """Who cooked what in the networks of the factories' latest earlier run, in the latest of their weeks up to `first_week`.

    Nothing when a factory has no earlier network: the parts of a region can only be told from all of them.
    """
    if any(factory.last is None for factory in plan.factories):
        return {}
    allocations = []
    for factory in plan.factories:
        assert factory.last is not None
        answer = FactoryNetworkConfigured.model_validate(factory.last.output)
        rows = ctx.read(answer.network).select(["week", "region", "boxes"]).to_pylist()
        week = max((row["week"] for row in rows if row["week"] <= first_week), default=None)
        allocations += [Allocation(factory.key, row["region"], row["boxes"]) for row in rows if row["week"] == week]
    return shares_of(allocations)
