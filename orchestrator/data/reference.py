"""The files beside the orders that both formats share: recipes and factories."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from contracts.configurator import Factory
from contracts.errors import BadData
from orchestrator.data.history import FactoryRow, RecipeRow, RegionRow
from orchestrator.data.rejects import Reject, refuse
from orchestrator.data.sheet import BadRow, Once, Row, Sheet


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
