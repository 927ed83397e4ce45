"""What has to be cooked in a week, and what the loaded data says about where: cost and capability."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.errors import BadData, ContractViolation

Volume = Mapping[date, Mapping[str, float]]
"""Mean boxes by week and region."""

Unable = tuple[str, ...]
"""The factories that cannot cook a recipe, sorted. Recipes of the same ones are a group: they may go to the same places."""

Costs = Mapping[tuple[str, str], float]
"""Of a box, by factory and region."""


class Lot(NamedTuple):
    """What is given to factories: a region's boxes of one group."""

    region: str
    unable: Unable = ()


@dataclass(frozen=True)
class Demand:
    """One week's mean boxes by lot, and its menu by group."""

    week: date
    boxes: Mapping[Lot, float]
    recipes: Mapping[Unable, tuple[str, ...]]


def volume_by_week(table: pa.Table, plan: RunPlanned) -> Volume:
    """Mean boxes of the plan's weeks.

    Raises ContractViolation when a week is missing, a region is no factory's, or a volume is negative or not finite.
    """
    regions = {region for factory in plan.factories for region in factory.regions}
    volume: dict[date, dict[str, float]] = {week.starts: {} for week in plan.weeks}
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


def demands(volume: Volume, popularity: pa.Table, unable: Mapping[str, Unable]) -> Iterator[Demand]:
    """Every week's boxes by lot, in order: a group has its recipes' part of the region's take rates. `unable` is by recipe.

    Raises ContractViolation when a region with boxes has no take rates: it could not be cooked for.
    """
    rates: defaultdict[date, list[tuple[Lot, str, float]]] = defaultdict(list)
    for row in popularity.select(["week", "region", "recipe", "share"]).to_pylist():
        lot = Lot(row["region"], unable.get(row["recipe"], ()))
        rates[row["week"]].append((lot, row["recipe"], row["share"]))
    for week, by_region in sorted(volume.items()):
        shares: defaultdict[Lot, list[float]] = defaultdict(list)
        recipes: defaultdict[Unable, set[str]] = defaultdict(set)
        for lot, recipe, share in rates[week]:
            shares[lot].append(share)
            recipes[lot.unable].add(recipe)
        missing = sorted(by_region.keys() - {lot.region for lot in shares})
        if missing:
            raise ContractViolation(
                f"recipe-popularity gave no shares for week {week} in {', '.join(missing)}, where order-volume has boxes"
            )
        total = {
            region: math.fsum(s for lot in shares if lot.region == region for s in shares[lot]) for region in by_region
        }
        yield Demand(
            week=week,
            boxes={
                lot: by_region[lot.region] * (math.fsum(part) / total[lot.region])
                for lot, part in sorted(shares.items())
                if lot.region in by_region
            },
            recipes={group: tuple(sorted(names)) for group, names in sorted(recipes.items())},
        )


def unable_by_recipe(cannot_cook: pa.Table | None, plan: RunPlanned) -> Mapping[str, Unable]:
    """The factories that cannot cook each recipe; recipes that all can are left out.

    Raises BadData when the menu has a recipe that none of them can.
    """
    rows = cannot_cook.to_pylist() if cannot_cook is not None else []
    unable = {row["recipe"]: tuple(row["factories"]) for row in rows}
    everybody = {factory.key for factory in plan.factories}
    for week in plan.weeks:
        for recipe in week.recipes:
            if everybody <= set(unable.get(recipe, ())):
                raise BadData(
                    f"no factory can cook {recipe}, which is on the menu of week {week.starts}: "
                    f"take it off the menu or a row out of cannot_cook.csv"
                )
    return unable


def costs_by_lane(costs: pa.Table | None, plan: RunPlanned) -> Costs:
    """What a box costs; nothing when nothing is known. Raises ContractViolation when only some pairs are."""
    if costs is None:
        return {}
    found = {(row["factory"], row["region"]): row["cost"] for row in costs.to_pylist()}
    for region in (region for factory in plan.factories for region in factory.regions):
        for factory in plan.factories:
            if (factory.key, region) not in found:
                raise ContractViolation(f"the plan's costs lack a box of factory {factory.key} for region {region}")
    return found
