from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.data_extractor import ExtractHistory
from contracts.message import DatasetRef
from services.data_extractor.handler import SCHEMA, handle
from services.runtime.context import Context
from services.runtime.testing import local_context
from tests.behaviour.services.history import (
    FIRST_WEEK,
    LAST_WEEK,
    ORDER_COLUMNS,
    RECIPES,
    RUN_DATE,
    insert,
    load_surroundings,
    weekly_orders,
    weeks,
)

BATCH = Batch(key="b1", centres=("c00", "c03", "c05"))
HISTORY = History(first_week=FIRST_WEEK, last_week=LAST_WEEK)


@pytest.fixture
def loaded(database: psycopg.Connection) -> psycopg.Connection:
    load_surroundings(database)
    return database


@pytest.fixture
def ctx(tmp_path: Path, database_url: str) -> Context:
    return local_context(tmp_path, "data-extractor", "b1", database_url)


def extract(ctx: Context, history: History = HISTORY) -> pa.Table:
    plan = RunPlanned(
        date=RUN_DATE,
        weekday="wednesday",
        seed=1,
        history=history,
        weeks=(MenuWeek(key="2026-11-28", starts=date(2026, 11, 28), recipes=("pie",)),),
        factories=(Factory(key="A", weekly_cap=1.0, regions=()),),
        batches=(BATCH,),
        recipe_book=DatasetRef(uri="file:///none", rows=0, sha256="0" * 64),
        recipes_per_box=3.0,
        portions_per_order=2.0,
    )
    table = ctx.read(handle(ExtractHistory(plan=plan, batch=BATCH), ctx).history)
    assert table.schema.equals(SCHEMA)
    return table


def test_weekly_rows_come_out_as_they_are_for_the_batch_only(loaded: psycopg.Connection, ctx: Context) -> None:
    rows = weekly_orders(dict.fromkeys(weeks(), RECIPES))
    insert(loaded, "orders", rows)
    found = extract(ctx).to_pylist()
    assert len(found) == 10 * 3 * 4
    assert found == sorted(found, key=lambda row: (row["week"], row["centre"], row["recipe"]))
    assert {row["centre"] for row in found} == set(BATCH.centres)
    assert found[0] == {
        "week": FIRST_WEEK,
        "centre": "c00",
        "region": "north",
        "factory": "A",
        "recipe": "curry",
        "orders": 10.0,
        "price": 136.83,
        "base_price": 152.29,
        "emailer": False,
        "homepage": None,
    }
    assert {(row["centre"], row["region"], row["factory"]) for row in found} == {
        ("c00", "north", "A"),
        ("c03", "north", "A"),
        ("c05", "west", "B"),
    }


def test_only_the_weeks_of_the_history_come_out(loaded: psycopg.Connection, ctx: Context) -> None:
    insert(loaded, "orders", weekly_orders(dict.fromkeys(weeks(), RECIPES)))
    history = History(first_week=date(2026, 10, 3), last_week=date(2026, 10, 17))
    found = set(extract(ctx, history).column("week").to_pylist())
    assert found == set(weeks(history.first_week, history.last_week))


def test_days_are_added_up_to_menu_weeks_from_saturday_to_friday(loaded: psycopg.Connection, ctx: Context) -> None:
    days: list[tuple[Any, ...]] = [
        # day of the first week, price, emailer
        (0, 100.0, None),  # Saturday
        (3, None, True),
        (6, 104.0, False),  # Friday
        (7, 90.0, None),  # the Saturday after
    ]
    insert(
        loaded,
        "orders",
        [
            (FIRST_WEEK + timedelta(days=day), 1, "c00", "pie", 1.5 + day, price, None, emailer, None)
            for day, price, emailer in days
        ],
        ORDER_COLUMNS,
    )
    found = extract(ctx).select(["week", "orders", "price", "base_price", "emailer", "homepage"]).to_pylist()
    assert [tuple(row.values()) for row in found] == [
        (FIRST_WEEK, 1.5 * 3 + 9, 102.0, None, True, None),
        (FIRST_WEEK + timedelta(weeks=1), 8.5, 90.0, None, None, None),
    ]


def test_the_bytes_do_not_depend_on_how_the_rows_were_stored(loaded: psycopg.Connection, ctx: Context) -> None:
    rows = [
        (FIRST_WEEK + timedelta(days=day), 1, "c00", recipe, 1 / (day + 3), 10 / (day + 7), None, None, None)
        for day in range(70)
        for recipe in RECIPES
    ]
    insert(loaded, "orders", rows)
    before = extract(ctx)
    loaded.execute("TRUNCATE orders")
    insert(loaded, "orders", reversed(rows))
    assert extract(ctx).equals(before)


@pytest.mark.usefixtures("loaded")
def test_centres_without_orders_give_an_empty_table(ctx: Context) -> None:
    assert extract(ctx).num_rows == 0


def test_more_rows_than_one_fetch_arrive_with_heartbeats_between(loaded: psycopg.Connection, ctx: Context) -> None:
    recipes = [f"r{n:04}" for n in range(400)]
    insert(loaded, "recipes", [(recipe, "main", "thai") for recipe in recipes])
    insert(loaded, "orders", weekly_orders(dict.fromkeys(weeks(), recipes)))
    beats: list[None] = []
    table = extract(replace(ctx, beat=lambda: beats.append(None)))
    assert table.num_rows == 10 * 3 * 400
    assert len(beats) == 3


def test_a_search_path_replaces_the_orders_and_they_are_read_once(loaded: psycopg.Connection, ctx: Context) -> None:
    insert(loaded, "orders", weekly_orders(dict.fromkeys(weeks(), RECIPES)))
    loaded.execute("CREATE SCHEMA counted")
    loaded.execute("CREATE SEQUENCE counted.reads")
    # The lateral join takes a number each time the view is read, before its rows.
    loaded.execute(
        "CREATE VIEW counted.orders AS SELECT o.* FROM (SELECT nextval('counted.reads') OFFSET 0) AS read"
        " CROSS JOIN LATERAL (SELECT * FROM public.orders OFFSET 0) AS o"
    )

    def connect() -> psycopg.Connection:
        return psycopg.connect(loaded.info.dsn, options="-c search_path=counted,public")

    assert extract(replace(ctx, connect=connect)).num_rows == 10 * 3 * 4
    assert loaded.execute("SELECT last_value, is_called FROM counted.reads").fetchone() == (1, True)


def test_a_lost_connection_is_tried_again(loaded: psycopg.Connection, ctx: Context) -> None:
    insert(loaded, "orders", weekly_orders(dict.fromkeys(weeks(), RECIPES)))
    attempts: list[None] = []

    def connect() -> psycopg.Connection:
        attempts.append(None)
        if len(attempts) == 1:
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return psycopg.connect(loaded.info.dsn)

    assert extract(replace(ctx, connect=connect)).num_rows == 10 * 3 * 4
    assert len(attempts) == 2
