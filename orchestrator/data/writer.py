"""The one writer of the order history: all of it in one transaction, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import DeadlockDetected, LockNotAvailable

from contracts.errors import BadRequest, TransientError
from orchestrator.data.history import (
    CannotCookRow,
    CentreRow,
    CostRow,
    FactoryRow,
    IngredientRow,
    MenuRow,
    OfferRow,
    OrderHistory,
    OrderRow,
    Progress,
    RecipeRow,
    RegionRow,
)

LOCK_WAIT = "30s"
"""How long a load waits for those who read or write the order history."""

_LOCK = 7_064_311  # any number, of this writer alone: two loads at once wait for each other
_PROGRESS_EVERY = 10_000
_NETWORK = ("factories", "regions", "centres")

_SAME_RATIOS = """
    SELECT recipes_per_box, portions_per_order FROM history WHERE (recipes_per_box, portions_per_order) <> (%s, %s)
"""
# A week is loaded either whole or by days: both would count its orders twice. Saturday is isodow 6.
_WEEKS_TWICE = """
    SELECT o.centre, o.starts FROM orders o JOIN incoming_orders i ON (o.centre, o.recipe) = (i.centre, i.recipe)
    AND o.starts - (extract(isodow FROM o.starts)::int + 1) % 7 = i.starts - (extract(isodow FROM i.starts)::int + 1) % 7
    WHERE o.days <> i.days ORDER BY o.starts, o.centre LIMIT 1
"""
_HISTORY = """
    INSERT INTO history (source, first_week, last_week, recipes_per_box, portions_per_order) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (only_one) DO UPDATE SET
    source = CASE WHEN strpos(history.source, excluded.source) > 0 THEN history.source
        ELSE history.source || ' + ' || excluded.source END,
    first_week = least(history.first_week, excluded.first_week),
    last_week = greatest(history.last_week, excluded.last_week), loaded_at = now()
"""


@dataclass(frozen=True)
class _Table:
    name: LiteralString
    key: tuple[LiteralString, ...]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


def store(
    database_url: str,
    history: OrderHistory,
    replace: bool = True,
    progress: Progress = lambda stage, rows: None,
) -> None:
    """Write `history` in one transaction, making the tables where they are missing.

    With `replace` the tables are emptied first. Without, rows of the same key are overwritten, a recipe's ingredients, a week's
    menu and the recipes that a factory cannot cook are replaced as a whole, and the weeks covered are widened.

    Raises TransientError when the database cannot be reached or is busy, BadRequest when `database_url` is none or when the
    addition does not fit what is there: other ratios, or days of a week that was loaded whole.
    """
    _check_url(database_url)
    tables = _tables(history)
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            connection.execute(files("contracts").joinpath("order_history.sql").read_bytes())
            (_replace if replace else _append)(connection, tables, history, progress)
            connection.execute(_HISTORY, _history_row(history))
    except (LockNotAvailable, DeadlockDetected) as error:
        raise TransientError("the order history is in use: wait for the runs that read it, then load again") from error
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split()).rstrip("?.")
        raise TransientError(
            f"cannot write to the database: {reason}. Check DATABASE_URL, or run `brigade up`"
        ) from error


def _check_url(database_url: str) -> None:
    """Without quoting it: it may hold a password."""
    try:
        conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        raise BadRequest("DATABASE_URL is no PostgreSQL URL: write it as postgresql://user@host:5432/name") from None


def _tables(history: OrderHistory) -> tuple[_Table, ...]:
    """Parents first."""
    return (
        _Table("factories", ("factory",), FactoryRow._fields, history.factories),
        _Table("regions", ("region",), RegionRow._fields, history.regions),
        _Table("centres", ("centre",), CentreRow._fields, history.centres),
        _Table("costs", ("factory", "region"), CostRow._fields, history.costs),
        _Table("recipes", ("recipe",), RecipeRow._fields, history.recipes),
        _Table("ingredients", ("recipe", "ingredient"), IngredientRow._fields, history.ingredients),
        _Table("cannot_cook", ("factory", "recipe"), CannotCookRow._fields, history.cannot_cook),
        _Table("menu", ("week", "recipe"), MenuRow._fields, history.menu),
        _Table("offers", ("week", "recipe"), OfferRow._fields, history.offers),
        _Table("orders", ("starts", "centre", "recipe"), OrderRow._fields, history.orders),
    )


def _history_row(history: OrderHistory) -> list[Any]:
    ratios = [history.recipes_per_box, history.portions_per_order]
    return [history.source, history.first_week, history.last_week, *ratios]


def _replace(
    connection: psycopg.Connection, tables: Sequence[_Table], history: OrderHistory, progress: Progress
) -> None:
    names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
    connection.execute(sql.SQL("TRUNCATE {}, history").format(names))
    for table in tables:
        _copy(connection, table, table.name, progress)


def _append(
    connection: psycopg.Connection, tables: Sequence[_Table], history: OrderHistory, progress: Progress
) -> None:
    ratios = connection.execute(_SAME_RATIOS, _history_row(history)[-2:]).fetchone()
    if ratios:
        raise BadRequest(
            f"the history loaded has {ratios[0]} recipes a box and {ratios[1]} portions an order, the addition "
            f"{history.recipes_per_box} and {history.portions_per_order}: give the same, or replace the history"
        )
    for table in tables:
        incoming = f"incoming_{table.name}"
        connection.execute(
            sql.SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DROP").format(
                sql.Identifier(incoming), sql.Identifier(table.name)
            )
        )
        _copy(connection, table, incoming, progress)
    twice = connection.execute(_WEEKS_TWICE).fetchone()
    if twice:
        raise BadRequest(
            f"centre {twice[0]} has orders of {twice[1]} both by day and by week: load the week one way, or replace the history"
        )
    connection.execute("DELETE FROM ingredients WHERE recipe IN (SELECT recipe FROM incoming_recipes)")
    connection.execute("DELETE FROM menu WHERE week IN (SELECT week FROM incoming_menu)")
    connection.execute("DELETE FROM cannot_cook WHERE factory IN (SELECT factory FROM incoming_cannot_cook)")
    connection.execute("DELETE FROM offers WHERE week IN (SELECT week FROM incoming_menu)")
    for table in tables:
        connection.execute(_upsert(table, keep=history.derived_network and table.name in _NETWORK))


def _upsert(table: _Table, keep: bool) -> sql.Composed:
    others = [sql.Identifier(column) for column in table.columns if column not in table.key]
    change = sql.SQL("UPDATE SET {}").format(
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in others)
    )
    return sql.SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT ({}) DO {}").format(
        sql.Identifier(table.name),
        sql.Identifier(f"incoming_{table.name}"),
        sql.SQL(", ").join(map(sql.Identifier, table.key)),
        change if others and not keep else sql.SQL("NOTHING"),
    )


def _copy(connection: psycopg.Connection, table: _Table, into: str, progress: Progress) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(into), columns)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for count, row in enumerate(table.rows, start=1):
            copy.write_row(row)
            if count % _PROGRESS_EVERY == 0:
                progress(f"writing {table.name}", count)
    progress(f"writing {table.name}", len(table.rows))
