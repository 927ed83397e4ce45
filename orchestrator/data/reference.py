"""The files beside the orders that both formats share: recipes, factories, and what factories cost and cannot cook."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from contracts.configurator import Factory
from contracts.errors import BadData
from orchestrator.data.history import CannotCookRow, CostRow, FactoryRow, RecipeRow, RegionRow
from orchestrator.data.rejects import Reject, refuse
from orchestrator.data.sheet import BadRow, Once, Row, Sheet

COSTS = "costs.csv"
CANNOT_COOK = "cannot_cook.csv"


def read_recipes(
    path: Path, rejects: list[Reject], aliases: Mapping[str, Sequence[str]] | None = None
) -> tuple[RecipeRow, ...]:
    """The columns recipe, category and cuisine."""
    sheet = Sheet(path, ["recipe", "category", "cuisine"], aliases)
    once = Once("recipe")

    def parse(row: Row) -> RecipeRow:
        recipe = RecipeRow(row.name("recipe"), row.name("category"), row.name("cuisine"))
        once.check(recipe.recipe, row)
        return recipe

    return tuple(sorted(sheet.parse(parse, rejects)))


def read_factories(path: Path) -> tuple[tuple[FactoryRow, ...], tuple[RegionRow, ...]]:
    """The columns factory, weekly_cap (boxes, more than 0) and regions, separated by `|`.

    Raises BadData for any bad row: a plan without one of its factories is another plan, so none is ever set aside.
    """
    sheet = Sheet(path, ["factory", "weekly_cap", "regions"])
    factory_of: dict[str, str] = {}
    once = Once("factory")

    def parse(row: Row) -> FactoryRow:
        factory = _factory(row)
        once.check(factory.key, row)
        for region in factory.regions:
            if region in factory_of:
                raise BadRow(f"region '{region}' is factory {factory_of[region]}'s already")
            factory_of[region] = factory.key
        return FactoryRow(factory.key, factory.weekly_cap)

    rejects: list[Reject] = []
    factories = tuple(sorted(sheet.parse(parse, rejects)))
    refuse(rejects, set_aside=False)
    if not factories:
        raise BadData(f"{path} names no factory: give each a row with its weekly_cap and regions")
    return factories, tuple(sorted(RegionRow(*item) for item in factory_of.items()))


def _factory(row: Row) -> Factory:
    regions = [region.strip() for region in (row.text("regions") or "").split("|") if region.strip()]
    if regions:
        row.name("regions")  # each is a name when the whole is one
    try:
        return Factory(key=row.name("factory"), weekly_cap=row.number("weekly_cap"), regions=tuple(regions))
    except ValidationError as error:
        wrong = error.errors()[0]
        column = {"key": "factory"}.get(str(wrong["loc"][0]), str(wrong["loc"][0]))
        raise BadRow(f"{column} {wrong['input']!r}: {wrong['msg'].lower()}") from None


def read_costs(
    path: Path, factories: Collection[str], regions: Collection[str], unused: Collection[str] = ()
) -> tuple[CostRow, ...]:
    """The columns factory, region and cost, a row for each pair; without a region, for those that have no row of their own.

    Nothing without the file. Rows of the regions `unused`, which are known but not loaded, are left out. Raises BadData for any
    bad row and for a pair without a cost: with other costs the plan is another one, so none is ever set aside or made up.
    """
    if not path.exists():
        return ()
    sheet = Sheet(path, ["factory", "cost"])
    once = Once("factory and region")

    def parse(row: Row) -> tuple[tuple[str, str | None], float]:
        factory, region = _known(row, "factory", factories), None
        if row.text("region") is not None:
            region = _known(row, "region", {*regions, *unused})
        once.check((factory, region), row)
        return (factory, region), row.number("cost")

    rejects: list[Reject] = []
    given = dict(sheet.parse(parse, rejects))
    refuse(rejects, set_aside=False)
    pairs = [(factory, region) for factory in sorted(factories) for region in sorted(regions)]
    for factory, region in pairs:
        if (factory, region) not in given and (factory, None) not in given:
            raise BadData(
                f"{path} does not say what a box costs from factory {factory} to region {region}: "
                f"give it a row, or the factory one without a region"
            )
    return tuple(CostRow(f, r, given.get((f, r), given.get((f, None), 0.0))) for f, r in pairs)


def read_cannot_cook(path: Path, factories: Collection[str], recipes: Collection[str]) -> tuple[CannotCookRow, ...]:
    """The columns factory and recipe; nothing without the file.

    Raises BadData for any bad row: without it something would be planned where it cannot be cooked, so none is ever set aside.
    """
    if not path.exists():
        return ()
    once = Once("factory and recipe")

    def parse(row: Row) -> CannotCookRow:
        found = CannotCookRow(_known(row, "factory", factories), _known(row, "recipe", recipes))
        once.check(found, row)
        return found

    rejects: list[Reject] = []
    found = tuple(sorted(Sheet(path, ["factory", "recipe"]).parse(parse, rejects)))
    refuse(rejects, set_aside=False)
    return found


def _known(row: Row, column: str, names: Collection[str]) -> str:
    name = row.name(column)
    if name not in names:
        raise BadRow(f"unknown {column} '{name}': no good row names it")
    return name
