"""The public food-demand layout: weekly orders of meals by fulfilment centre, weeks counted from 1."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from contracts.errors import BadData, BadRequest
from orchestrator.data.bill import completed
from orchestrator.data.grouping import balanced, default_caps
from orchestrator.data.history import (
    RECIPES_PER_BOX,
    CentreRow,
    FactoryRow,
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
from orchestrator.data.weeks import WEEK, last_week_ending

MEALS = "meal_info.csv"
CENTRES = "fulfilment_center_info.csv"
ONLY_CENTRE = "55"
"""The centre of a file that has no column for it: the one the single-centre file was cut from."""

_LAST_WEEK = 9999
_MEAL_COLUMNS = {"recipe": ("meal_id",)}
_CENTRE_COLUMNS = {"centre": ("center_id",), "region": ("region_code",)}
_ORDER_COLUMNS = {
    "centre": ("center_id",),
    "recipe": ("meal_id", "fid"),
    "orders": ("num_orders",),
    "price": ("checkout_price", "totalprice"),
    "emailer": ("emailer_for_promotion",),
    "homepage": ("homepage_featured",),
}


class _Network(NamedTuple):
    factories: tuple[FactoryRow, ...]
    regions: tuple[RegionRow, ...]
    centres: tuple[CentreRow, ...]


def load_food_demand(
    file: Path,
    weeks: tuple[int, int] | None,
    ending: date,
    factories: Path | None,
    progress: Progress = lambda stage, rows: None,
) -> Loaded:
    """Read `file` with meal_info.csv and fulfilment_center_info.csv beside it; costs.csv and cannot_cook.csv where they exist.

    `weeks` are the first and the last number to load, None for all; rows outside are skipped unchecked. The last week loaded
    ends on `ending`, a Friday. `factories` is a file as in docs/data.md; without it the centres' regions are shared out by
    `balanced` and capped by `default_caps`.

    Raises BadRequest for what is wrong with a file or an argument as a whole, BadData when no good row is left.
    """
    last_week = last_week_ending(ending)
    if weeks and not 1 <= weeks[0] <= weeks[1]:
        raise BadRequest(f"weeks {weeks[0]}:{weeks[1]} is no range: give the first and the last, such as 1:10")
    meals_file, centres_file = file.parent / MEALS, file.parent / CENTRES
    given = read_factories(factories) if factories else None
    rejects: list[Reject] = []
    recipes = read_recipes(meals_file, rejects, _MEAL_COLUMNS)
    region_of = _read_centres(centres_file, rejects)
    parser = OrderParser(region_of, {row.recipe for row in recipes}, CENTRES, MEALS)
    orders = _shifted(_read_orders(file, weeks, last_week, parser, rejects, progress), last_week)
    used = {row.centre: region_of[row.centre] for row in orders}
    network = _given(*given, used) if given else _grouped(used, orders)
    keys = {row.factory for row in network.factories}
    listed = {*region_of.values(), *(row.region for row in (given[1] if given else ()))}
    costs_file, cannot_cook_file = file.parent / COSTS, file.parent / CANNOT_COOK
    history = OrderHistory(
        source=f"food-demand {file.name}",
        factories=network.factories,
        regions=network.regions,
        centres=network.centres,
        recipes=recipes,
        ingredients=completed(recipes),
        menu=(),
        orders=orders,
        first_week=orders[0].starts,
        last_week=last_week,
        costs=read_costs(costs_file, keys, {row.region for row in network.regions}, listed),
        cannot_cook=read_cannot_cook(cannot_cook_file, keys, {row.recipe for row in recipes}),
        derived_network=given is None,
    )
    files = (file, meals_file, centres_file, costs_file, cannot_cook_file, *([factories] if factories else []))
    return Loaded(history, tuple(rejects), files)


def _read_centres(path: Path, rejects: list[Reject]) -> dict[str, str]:
    """The region of each centre."""
    sheet = Sheet(path, ["centre", "region"], _CENTRE_COLUMNS)
    once = Once("centre")

    def parse(row: Row) -> tuple[str, str]:
        centre = row.name("centre")
        once.check(centre, row)
        return centre, row.name("region")

    return dict(sheet.parse(parse, rejects))


def _read_orders(
    path: Path,
    weeks: tuple[int, int] | None,
    last_week: date,
    parser: OrderParser,
    rejects: list[Reject],
    progress: Progress,
) -> list[OrderRow]:
    """The orders, dated as if week 9999 were the last one."""
    sheet = Sheet(path, ["week", "recipe", "orders", "price"], _ORDER_COLUMNS)
    skipped = 0

    def skip(row: Row) -> bool:
        nonlocal skipped
        outside = weeks is not None and _is_outside(row, *weeks)
        skipped += outside
        return outside

    def parse(row: Row) -> OrderRow:
        starts = last_week - (_LAST_WEEK - row.whole("week", _LAST_WEEK)) * WEEK
        centre = row.name("centre") if sheet.has("centre") else ONLY_CENTRE
        return parser.parse(row, starts, 7, centre)

    orders = list(sheet.parse(parse, rejects, skip, progress))
    if not orders:
        refuse_empty(
            path, rejects, f", {skipped} rows are of weeks outside {weeks[0]}:{weeks[1]}" if skipped and weeks else ""
        )
    return orders


def _is_outside(row: Row, first: int, last: int) -> bool:
    """Only when the week can be read: a row without one is no row of another week."""
    try:
        return not first <= row.whole("week", _LAST_WEEK) <= last
    except BadRow:
        return False


def _shifted(orders: list[OrderRow], last_week: date) -> tuple[OrderRow, ...]:
    """The same orders, sorted, with the latest in `last_week`."""
    shift = last_week - max(row.starts for row in orders)
    return tuple(sorted(row._replace(starts=row.starts + shift) for row in orders))


def _given(factories: tuple[FactoryRow, ...], regions: tuple[RegionRow, ...], region_of: Mapping[str, str]) -> _Network:
    """The network of a factories file. Regions without orders are left out: the layout's centres are of all files."""
    used = set(region_of.values())
    missing = sorted(used - {row.region for row in regions})
    if missing:
        raise BadData(
            f"no factory serves region {', '.join(missing)}: add it to a factory's regions in the factories file"
        )
    centres = tuple(sorted(CentreRow(*item) for item in region_of.items()))
    return _Network(factories, tuple(row for row in regions if row.region in used), centres)


def _grouped(region_of: Mapping[str, str], orders: Iterable[OrderRow]) -> _Network:
    """Factories A and B over the regions. Centres of a single region are regions of their own."""
    if len(set(region_of.values())) == 1:
        region_of = {centre: centre for centre in region_of}
    volume: defaultdict[str, float] = defaultdict(float)
    for row in orders:
        volume[region_of[row.centre]] += row.orders
    factory_of = balanced(volume)
    caps = default_caps(orders, {c: factory_of[r] for c, r in region_of.items()}, RECIPES_PER_BOX)
    regions = tuple(sorted(RegionRow(*item) for item in factory_of.items()))
    return _Network(caps, regions, tuple(sorted(CentreRow(*item) for item in region_of.items())))
