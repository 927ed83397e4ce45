"""Which factory cooks how much of a region's orders."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from contracts.errors import ContractViolation

Unable = tuple[str, ...]
"""The factories that cannot cook a recipe, sorted."""

Split = Mapping[str, float]
"""Each factory's share, summing to 1."""

Splits = Mapping[tuple[str, Unable], Split]
"""By region and who cannot cook the recipe."""


@dataclass(frozen=True)
class Kitchens:
    """The plan's factories, and which of them cannot cook a recipe; recipes that all can are left out of `unable`."""

    factories: tuple[str, ...]
    unable: Mapping[str, Unable]

    def unable_to(self, recipe: str) -> Unable:
        """Raises ContractViolation when nobody can cook it."""
        unable = self.unable.get(recipe, ())
        if set(self.factories) <= set(unable):
            raise ContractViolation(f"no factory of the plan can cook {recipe}: it cannot be on a menu")
        return unable

    def can_cook(self, factory: str, recipe: str) -> bool:
        return factory not in self.unable.get(recipe, ())


def read_kitchens(factories: Iterable[str], cannot_cook: pa.Table | None) -> Kitchens:
    """`cannot_cook` is the plan's; without it everybody cooks everything."""
    rows = cannot_cook.to_pylist() if cannot_cook is not None else []
    return Kitchens(tuple(sorted(factories)), {row["recipe"]: tuple(row["factories"]) for row in rows})


def factory_splits(
    networks: Mapping[str, pa.Table],
    week: date,
    homes: Mapping[str, str],
    kitchens: Kitchens,
    groups: Collection[Unable] = ((),),
) -> Splits:
    """Each factory's share of each region's orders of each group, summing to 1: its boxes over those of all factories.

    `networks` are by factory. One without rows for `week`, because it was made on another date, stands in with its latest
    earlier week, or with its first when all are later. `homes` maps every region to its factory.

    Only those that can cook a group get a share. Where the networks have no boxes of it, since it was not on their menus or
    others could cook it then, it is split as the region's boxes of all groups; without any, home cooks all of it, or else
    the first factory that can.
    """
    used: list[tuple[str, dict[str, Any]]] = []
    for factory, network in sorted(networks.items()):
        rows = network.to_pylist()
        standing_in = _week_to_use([row["week"] for row in rows], week)
        used += [(factory, row) for row in rows if row["week"] == standing_in and row["boxes"] > 0]
    return {
        (region, unable): _split([(f, row) for f, row in used if row["region"] == region], unable)
        or {_stand_in(home, unable, kitchens): 1.0}
        for region, home in homes.items()
        for unable in sorted(groups)
    }


def _split(rows: Sequence[tuple[str, Mapping[str, Any]]], unable: Unable) -> Split:
    """Empty when no factory that can cook the group has boxes. `rows` are one region's, with their factories."""
    possible = [(factory, row) for factory, row in rows if factory not in unable]
    of_group = [(factory, row) for factory, row in possible if tuple(row.get("unable", ())) == unable]
    boxes: dict[str, float] = {}
    for factory, row in of_group or possible:
        boxes[factory] = boxes.get(factory, 0.0) + row["boxes"]
    total = sum(boxes.values())
    return {factory: amount / total for factory, amount in boxes.items()}


def _stand_in(home: str, unable: Unable, kitchens: Kitchens) -> str:
    if home not in unable:
        return home
    return next(factory for factory in kitchens.factories if factory not in unable)


def _week_to_use(weeks: Sequence[date], week: date) -> date | None:
    if not weeks:
        return None
    return max((each for each in weeks if each <= week), default=min(weeks))
