"""A small order history: two factories, three regions, ten centres, four recipes, ten weeks to 2026-11-20."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import psycopg

FIRST_WEEK, LAST_WEEK = date(2026, 9, 12), date(2026, 11, 14)
RUN_DATE = date(2026, 11, 25)
CENTRES = tuple(f"c{n:02}" for n in range(10))
RECIPES = ("curry", "pasta", "pie", "soup")
REGIONS = {"north": "A", "south": "A", "west": "B"}

ORDER_COLUMNS = ("starts", "days", "centre", "recipe", "orders", "price", "base_price", "emailer", "homepage")


def insert(
    database: psycopg.Connection, table: str, rows: Iterable[Sequence[Any]], columns: Sequence[str] = ()
) -> None:
    """Rows into a table, in the order of its columns or of those given."""
    into = f"COPY {table} ({', '.join(columns)}) FROM STDIN" if columns else f"COPY {table} FROM STDIN"
    with database.cursor() as cursor, cursor.copy(into.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def load_surroundings(database: psycopg.Connection) -> None:
    """Everything but orders."""
    insert(database, "factories", [("B", 500.0), ("A", 900.0)])
    insert(database, "regions", REGIONS.items())
    regions = list(REGIONS)
    insert(database, "centres", [(centre, regions[n % 3]) for n, centre in enumerate(CENTRES)])
    insert(database, "recipes", [(recipe, "main", "british") for recipe in RECIPES])
    insert(database, "ingredients", [(recipe, item, 0.5, "kg") for recipe in RECIPES for item in ("salt", "flour")])
    columns = ("source", "first_week", "last_week", "recipes_per_box", "portions_per_order")
    insert(database, "history", [("test", FIRST_WEEK, LAST_WEEK, 3.0, 2.0)], columns)


def weekly_orders(recipes_of_week: Mapping[date, Sequence[str]]) -> list[tuple[Any, ...]]:
    """One row a week, centre and recipe."""
    return [
        (week, 7, centre, recipe, 10.0 + n, 136.83, 152.29, False, None)
        for week, recipes in recipes_of_week.items()
        for n, centre in enumerate(CENTRES)
        for recipe in recipes
    ]


def weeks(first: date = FIRST_WEEK, last: date = LAST_WEEK) -> list[date]:
    return [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
