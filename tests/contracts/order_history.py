"""A small order history with all that may be known, for the tests of those who read the database."""

from datetime import date, timedelta
from typing import Any, LiteralString

import psycopg

RUN_DATE = date(2026, 11, 25)
"""A Wednesday."""

WEEKS = tuple(date(2026, 10, 31) + timedelta(weeks=n) for n in range(3))
"""Of the orders, to 2026-11-20."""

MENU_WEEKS = tuple(date(2026, 11, 28) + timedelta(weeks=n) for n in range(4))

_ROWS: tuple[tuple[LiteralString, list[tuple[Any, ...]]], ...] = (
    ("INSERT INTO factories VALUES (%s, %s)", [("A", 900.0), ("B", 500.0)]),
    ("INSERT INTO regions VALUES (%s, %s)", [("north", "A"), ("west", "B")]),
    ("INSERT INTO centres VALUES (%s, %s)", [("c1", "north"), ("c2", "west")]),
    ("INSERT INTO recipes VALUES (%s, %s, %s)", [("pie", "baked", "british"), ("soup", "soup", "french")]),
    ("INSERT INTO ingredients VALUES (%s, 'salt', 0.5, 'g')", [("pie",), ("soup",)]),
    ("INSERT INTO menu VALUES (%s, %s)", [(week, recipe) for week in MENU_WEEKS for recipe in ("pie", "soup")]),
    ("INSERT INTO offers VALUES (%s, 'pie', 9.5, 10.0, true, false)", [(week,) for week in MENU_WEEKS]),
    ("INSERT INTO costs VALUES (%s, %s, 1.5)", [(factory, region) for factory in "AB" for region in ("north", "west")]),
    ("INSERT INTO cannot_cook VALUES (%s, %s)", [("B", "soup")]),
    (
        "INSERT INTO orders VALUES (%s, 7, %s, %s, 10.0, 9.5, 10.0, true, false)",
        [(week, centre, recipe) for week in WEEKS for centre in ("c1", "c2") for recipe in ("pie", "soup")],
    ),
    (
        "INSERT INTO history VALUES (true, 'test', %s, %s, 3.0, 2.5)",
        [(WEEKS[0], WEEKS[-1])],
    ),
)


def load(database_url: str) -> None:
    with psycopg.connect(database_url) as database, database.cursor() as cursor:
        for statement, rows in _ROWS:
            cursor.executemany(statement, rows)
