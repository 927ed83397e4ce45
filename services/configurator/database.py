"""What the configurator reads. Names are sorted by code point, so that no database's locale changes a plan."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

import psycopg
import pyarrow as pa

from contracts.configurator import History
from contracts.errors import BadData
from services.configurator.weeks import WEEK, latest_weeks, menu_saturdays, readable_history, refuse_stale

NOTHING_LOADED = "load one with 'brigade load' or make one with 'brigade sample'"
GUESS_FROM_WEEKS = 3
"""Without a menu, the coming one is the recipes ordered in so many weeks at the end of the history."""

_HISTORY = "SELECT first_week, last_week, recipes_per_box, portions_per_order, replaced_at FROM history"
_FACTORIES = "SELECT factory, weekly_cap FROM factories"
_REGIONS = "SELECT region, factory FROM regions"
_COSTS = 'SELECT factory, region, cost FROM costs ORDER BY factory COLLATE "C", region COLLATE "C"'
_COSTS_SCHEMA = pa.schema([("factory", pa.string()), ("region", pa.string()), ("cost", pa.float64())])
_CANNOT_COOK = """
    SELECT recipe, array_agg(factory ORDER BY factory COLLATE "C") FROM cannot_cook
    GROUP BY recipe ORDER BY recipe COLLATE "C"
"""
_CANNOT_COOK_SCHEMA = pa.schema([("recipe", pa.string()), ("factories", pa.list_(pa.string()))])
_CENTRES = "SELECT centre FROM centres"
_MENU_BOUNDS = "SELECT min(week), max(week) FROM menu"
_MENU = "SELECT week, recipe FROM menu WHERE week = ANY(%s)"
_OFFERS = """
    SELECT week, recipe, price, base_price, emailer::integer, homepage::integer FROM offers JOIN menu USING (week, recipe)
    WHERE week = ANY(%s) ORDER BY week, recipe COLLATE "C"
"""
_OFFER_SCHEMA = pa.schema(
    [("week", pa.date32()), ("recipe", pa.string())]
    + [(name, pa.float64()) for name in ("price", "base_price", "emailer", "homepage")]
)
_RECENT_RECIPES = "SELECT DISTINCT recipe FROM orders WHERE starts >= %s AND starts < %s"
_RECIPE_BOOK = """
    SELECT recipe, category, cuisine, ingredient, quantity, unit
    FROM recipes JOIN ingredients USING (recipe)
    ORDER BY recipe COLLATE "C", ingredient COLLATE "C"
"""
_BOOK_SCHEMA = pa.schema(
    [
        ("recipe", pa.string()),
        ("category", pa.string()),
        ("cuisine", pa.string()),
        ("ingredient", pa.string()),
        ("quantity", pa.float64()),
        ("unit", pa.string()),
    ]
)


@dataclass(frozen=True)
class Loaded:
    """One consistent view of the order history's surroundings. Caps are boxes a week."""

    history: History
    replaced_at: datetime
    """When this data replaced other data: results of earlier runs are not comparable."""
    recipes_per_box: float
    portions_per_order: float
    caps: dict[str, float]
    home_of: dict[str, str]
    """The factory of each region."""
    centres: tuple[str, ...]
    menus: dict[date, tuple[str, ...]]
    """The recipes of each menu week ahead."""
    recipe_book: pa.Table
    offers: pa.Table | None
    """Of the menus, when something is planned for each of them."""
    costs: pa.Table | None
    cannot_cook: pa.Table | None
    """Both as in `RunPlanned`, None when they have no rows. Some pairs may lack a cost."""


def read(connect: Callable[[], AbstractContextManager[psycopg.Connection]], run_date: date | None) -> Loaded:
    """Everything in one snapshot, so that a load at the same time is seen whole or not at all.

    Without a run date it is the whole history, and there are no menus. Raises BadData when there is no history for the run
    date or no menu for a week ahead.
    """
    with connect() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            with connection.transaction():
                return _read(connection, run_date)
        except psycopg.errors.UndefinedTable as error:
            raise BadData(f"this database has no order history: {NOTHING_LOADED}") from error


def _read(connection: psycopg.Connection, run_date: date | None) -> Loaded:
    row = connection.execute(_HISTORY).fetchone()
    if row is None:
        raise BadData(f"the order history is empty: {NOTHING_LOADED}")
    first_week, last_week, recipes_per_box, portions_per_order, replaced_at = row
    history = History(first_week=first_week, last_week=last_week)
    if run_date is not None:
        history = readable_history(first_week, last_week, run_date)
        refuse_stale(history, run_date)
    weeks = menu_saturdays(run_date) if run_date else ()
    return Loaded(
        history=history,
        replaced_at=replaced_at,
        recipes_per_box=recipes_per_box,
        portions_per_order=portions_per_order,
        caps=dict(connection.execute(_FACTORIES).fetchall()),
        home_of=dict(connection.execute(_REGIONS).fetchall()),
        centres=tuple(sorted(centre for (centre,) in connection.execute(_CENTRES))),
        menus=_menus(connection, history, weeks) if weeks else {},
        recipe_book=_recipe_book(connection),
        offers=_offers(connection, weeks),
        costs=_optional(connection, _COSTS, _COSTS_SCHEMA),
        cannot_cook=_optional(connection, _CANNOT_COOK, _CANNOT_COOK_SCHEMA),
    )


def _menus(connection: psycopg.Connection, history: History, weeks: tuple[date, ...]) -> dict[date, tuple[str, ...]]:
    bounds = connection.execute(_MENU_BOUNDS).fetchone()
    assert bounds is not None, "an aggregate always gives a row"
    first, last = bounds
    if first is None:
        return dict.fromkeys(weeks, _recent_recipes(connection, history))
    recipes: dict[date, list[str]] = {week: [] for week in weeks}
    for week, recipe in connection.execute(_MENU, [list(weeks)]):
        recipes[week].append(recipe)
    for week, found in recipes.items():
        if not found:
            raise BadData(f"no menu for week {week}: {_menu_advice(week, first, last)}")
    return {week: tuple(sorted(found)) for week, found in recipes.items()}


def _menu_advice(week: date, first: date, last: date) -> str:
    if week < last:
        return f"load one (the loaded menus run from {first} to {last})"
    # The run's last week must not be after the last menu, and its first is the Saturday after its date.
    return f"load one or choose a date before {last - 3 * WEEK}"


def _recent_recipes(connection: psycopg.Connection, history: History) -> tuple[str, ...]:
    recent = latest_weeks(history, GUESS_FROM_WEEKS)
    rows = connection.execute(_RECENT_RECIPES, [recent.first_week, recent.last_week + WEEK])
    recipes = tuple(sorted(recipe for (recipe,) in rows))
    if not recipes:
        raise BadData(
            f"no menu can be guessed: nothing was ordered in the weeks {recent.first_week} to {recent.last_week}; "
            "load a menu or the missing orders with 'brigade load'"
        )
    return recipes


def _offers(connection: psycopg.Connection, weeks: tuple[date, ...]) -> pa.Table | None:
    if not weeks:
        return None
    rows = connection.execute(_OFFERS, [list(weeks)]).fetchall()
    if {row[0] for row in rows} != set(weeks):
        return None
    return _table(rows, _OFFER_SCHEMA)


def _recipe_book(connection: psycopg.Connection) -> pa.Table:
    return _table(connection.execute(_RECIPE_BOOK).fetchall(), _BOOK_SCHEMA)


def _optional(connection: psycopg.Connection, query: LiteralString, schema: pa.Schema) -> pa.Table | None:
    rows = connection.execute(query).fetchall()
    return _table(rows, schema) if rows else None


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
