"""Your own history: one row per week or day, centre or factory, and recipe. docs/data.md has the columns."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from contracts.errors import BadData, BadRequest
from orchestrator.data.bill import completed
from orchestrator.data.history import (
    PORTIONS_PER_ORDER,
    RECIPES_PER_BOX,
    CentreRow,
    FactoryRow,
    IngredientRow,
    MenuRow,
    OfferRow,
    OrderHistory,
    OrderRow,
    Progress,
    RegionRow,
)
from orchestrator.data.orders import OrderParser
from orchestrator.data.reference import (
    CANNOT_COOK,
    COSTS,
    read_cannot_cook,
    read_costs,
    read_factories,
    read_recipes,
)
from orchestrator.data.rejects import Loaded, Reject, refuse_empty
from orchestrator.data.sheet import BadRow, Once, Row, Sheet
from orchestrator.data.weeks import WEEK, saturday_of

RECIPES = "recipes.csv"
FACTORIES = "factories.csv"
CENTRES = "centres.csv"
MENU = "menu.csv"
INGREDIENTS = "ingredients.csv"


def load_long(
    file: Path,
    factories: Path | None = None,
    recipes_per_box: float = RECIPES_PER_BOX,
    portions_per_order: float = PORTIONS_PER_ORDER,
    progress: Progress = lambda stage, rows: None,
) -> Loaded:
    """Read the orders in `file` and, beside it, recipes.csv and factories.csv (or `factories`).

    centres.csv, menu.csv, ingredients.csv, costs.csv and cannot_cook.csv are read where they exist.

    Raises BadRequest for what is wrong with a file or an argument as a whole, BadData for anything bad about the factories and
    when no good order or no whole menu week is left.
    """
    if not (0 < recipes_per_box < 1000 and 0 < portions_per_order < 1000):
        raise BadRequest("recipes per box and portions per order must be more than 0 and below 1000")
    folder, factories_file = file.parent, factories or file.parent / FACTORIES
    sheet = Sheet(file, ["recipe", "orders"])
    _check_keys(sheet)
    factory_rows, regions = read_factories(factories_file)
    rejects: list[Reject] = []
    recipes = read_recipes(folder / RECIPES, rejects)
    names = {row.recipe for row in recipes}
    if sheet.has("centre"):
        centres, listed_in = _read_centres(folder / CENTRES, regions, rejects), CENTRES
    else:
        (centres, regions), listed_in = _centre_per_factory(factory_rows, regions), factories_file.name
    given = _read_ingredients(folder / INGREDIENTS, names, rejects)
    menu, offers = _read_menu(folder / MENU, names, rejects)
    keys = {row.factory for row in factory_rows}
    orders = _read_orders(
        sheet, OrderParser({row.centre for row in centres}, names, listed_in, RECIPES), rejects, progress
    )
    first_week, last_week = _whole_weeks(orders)
    history = OrderHistory(
        source=f"long {file.name}",
        factories=factory_rows,
        regions=regions,
        centres=centres,
        recipes=recipes,
        ingredients=completed(recipes, given),
        menu=menu,
        orders=orders,
        first_week=first_week,
        last_week=last_week,
        recipes_per_box=recipes_per_box,
        portions_per_order=portions_per_order,
        offers=offers,
        costs=read_costs(folder / COSTS, keys, {row.region for row in regions}),
        cannot_cook=read_cannot_cook(folder / CANNOT_COOK, keys, names),
    )
    beside = (folder / name for name in (RECIPES, CENTRES, MENU, INGREDIENTS, COSTS, CANNOT_COOK))
    return Loaded(history, tuple(rejects), (file, factories_file, *beside))


def _check_keys(sheet: Sheet) -> None:
    if sheet.has("week") == sheet.has("day"):
        raise BadRequest(f"{sheet.path} must have either a column week or a column day, and not both")
    if not (sheet.has("centre") or sheet.has("factory")):
        raise BadRequest(f"{sheet.path} must have a column centre or a column factory")


def _read_centres(path: Path, regions: Iterable[RegionRow], rejects: list[Reject]) -> tuple[CentreRow, ...]:
    """Without the file every region is one centre of the same name."""
    known = {row.region for row in regions}
    if not path.exists():
        return tuple(sorted(CentreRow(region, region) for region in known))
    once = Once("centre")

    def parse(row: Row) -> CentreRow:
        centre = CentreRow(row.name("centre"), row.name("region"))
        if centre.region not in known:
            raise BadRow(f"no factory serves region '{centre.region}'")
        once.check(centre.centre, row)
        return centre

    return tuple(sorted(Sheet(path, ["centre", "region"]).parse(parse, rejects)))


def _centre_per_factory(
    factories: Iterable[FactoryRow], regions: Iterable[RegionRow]
) -> tuple[tuple[CentreRow, ...], tuple[RegionRow, ...]]:
    """Orders by factory: each factory is one centre of its name, in its one region (of its name where it lists none)."""
    region_of: dict[str, str] = {}
    for row in regions:
        if row.factory in region_of:
            raise BadRequest(
                f"orders by factory cannot be told apart by region, but factory {row.factory} has several: "
                "give the orders a column centre, or each factory one region"
            )
        region_of[row.factory] = row.region
    owner = {region: factory for factory, region in region_of.items()}
    for name, _ in factories:
        if name not in region_of and name in owner:
            raise BadRequest(
                f"factory {name} lists no region, and its name is a region of factory {owner[name]}: give it a region"
            )
    centres = tuple(CentreRow(name, region_of.get(name, name)) for name, _ in factories)
    return centres, tuple(sorted(RegionRow(row.region, row.centre) for row in centres))


def _read_ingredients(path: Path, recipes: set[str], rejects: list[Reject]) -> tuple[IngredientRow, ...]:
    if not path.exists():
        return ()
    once = Once("recipe and ingredient")

    def parse(row: Row) -> IngredientRow:
        recipe, ingredient = _known_recipe(row, recipes), row.name("ingredient")
        quantity = row.number("quantity")
        if quantity == 0:
            raise BadRow("quantity is 0")
        once.check((recipe, ingredient), row)
        return IngredientRow(recipe, ingredient, quantity, row.name("unit"))

    return tuple(sorted(Sheet(path, ["recipe", "ingredient", "quantity", "unit"]).parse(parse, rejects)))


def _read_menu(
    path: Path, recipes: set[str], rejects: list[Reject]
) -> tuple[tuple[MenuRow, ...], tuple[OfferRow, ...]]:
    """The menus, and the offers of those recipes of which anything is planned."""
    if not path.exists():
        return (), ()
    once = Once("week and recipe")

    def parse(row: Row) -> OfferRow:
        week, recipe = saturday_of(row.day("week")), _known_recipe(row, recipes)
        prices = (row.number_or_none("price"), row.number_or_none("base_price"))
        offer = OfferRow(week, recipe, *prices, row.flag_or_none("emailer"), row.flag_or_none("homepage"))
        once.check((week, recipe), row)
        return offer

    rows = sorted(Sheet(path, ["week", "recipe"]).parse(parse, rejects), key=lambda row: row[:2])
    planned = tuple(row for row in rows if any(value is not None for value in row[2:]))
    return tuple(MenuRow(row.week, row.recipe) for row in rows), planned


def _known_recipe(row: Row, recipes: set[str]) -> str:
    recipe = row.name("recipe")
    if recipe not in recipes:
        raise BadRow(f"unknown recipe '{recipe}': {RECIPES} has no good row for it")
    return recipe


def _read_orders(sheet: Sheet, parser: OrderParser, rejects: list[Reject], progress: Progress) -> tuple[OrderRow, ...]:
    place = "centre" if sheet.has("centre") else "factory"

    def parse(row: Row) -> OrderRow:
        starts, days = (row.day("day"), 1) if sheet.has("day") else (saturday_of(row.day("week")), 7)
        return parser.parse(row, starts, days, row.name(place))

    orders = tuple(sorted(sheet.parse(parse, rejects, progress=progress)))
    if not orders:
        refuse_empty(sheet.path, rejects)
    return orders


def _whole_weeks(orders: tuple[OrderRow, ...]) -> tuple[date, date]:
    """The first and last menu week that the orders, sorted, cover from its Saturday to its Friday."""
    first_day, end = orders[0].starts, orders[-1].starts + timedelta(days=orders[-1].days)
    first, last = saturday_of(first_day + timedelta(days=6)), saturday_of(end) - WEEK
    if first > last:
        raise BadData(
            f"the orders from {first_day} to {end} hold no whole menu week, Saturday to Friday: load more days"
        )
    return first, last
