import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.errors import ContractViolation
from contracts.message import DatasetRef
from contracts.publisher import ForecastPublished, PublishForecast
from contracts.site_forecast import SiteForecasted
from services.publisher.canonical import Row, table_of
from services.publisher.handler import handle
from services.runtime.context import Context, Statement
from services.runtime.testing import local_context

W1, W2 = date(2026, 11, 28), date(2026, 12, 5)
RUN_DATE = date(2026, 11, 25)


def row(week: date, factory: str, name: str, mean: float) -> Row:
    return Row(week, factory, "recipe", name, "orders", mean, mean / 2, mean, mean * 2)


ROWS = {W1: [row(W1, "B", "pie", 1 / 3), row(W1, "A", "pie", 10.0)], W2: [row(W2, "A", "soup", 7.25)]}


def context(folder: Path, run_id: str) -> Context:
    return replace(local_context(folder, "publisher"), run_id=run_id)


def publish(ctx: Context, run_date: date = RUN_DATE, order: Sequence[date] = (W1, W2)) -> ForecastPublished:
    plan = RunPlanned(
        date=run_date,
        weekday="wednesday",
        seed=1,
        history=History(first_week=date(2026, 9, 12), last_week=date(2026, 11, 14)),
        weeks=tuple(MenuWeek(key=week.isoformat(), starts=week, recipes=("pie",)) for week in (W1, W2)),
        factories=(Factory(key="A", weekly_cap=1.0, regions=()),),
        batches=(Batch(key="b1", centres=("1",)),),
        recipe_book=DatasetRef(uri="file:///none", rows=0, sha256="0" * 64),
        recipes_per_box=3.0,
        portions_per_order=2.0,
    )
    forecasts = tuple(SiteForecasted(forecast=ctx.write(f"site-{week}", table_of(ROWS[week]))) for week in order)
    return handle(PublishForecast(plan=plan, forecasts=forecasts), ctx)


def start_run(database: psycopg.Connection, run_id: str, run_date: date = RUN_DATE) -> None:
    database.execute("INSERT INTO graphs VALUES ('digest', '{}') ON CONFLICT DO NOTHING")
    database.execute(
        "INSERT INTO runs (run_id, pipeline, style, date, request, graph, deadline)"
        " VALUES (%s, 'order-simulation', 'orchestrated', %s, '{}', 'digest', now())",
        [run_id, run_date],
    )


def commit(database: psycopg.Connection, statements: Sequence[Statement]) -> None:
    """What the worker does with the statements when it stores the answer."""
    with database.transaction(), database.cursor() as cursor:
        for statement in statements:
            cursor.executemany(statement.sql, statement.rows)


def run(database: psycopg.Connection, folder: Path, run_id: str, run_date: date = RUN_DATE) -> ForecastPublished:
    start_run(database, run_id, run_date)
    ctx = context(folder, run_id)
    published = publish(ctx, run_date)
    commit(database, ctx.statements)
    return published


def current(database: psycopg.Connection) -> list[tuple[str, str]]:
    return database.execute("SELECT pipeline, run_id FROM current_publication").fetchall()


def test_the_files_are_the_same_table_and_the_hash_is_the_csvs(tmp_path: Path) -> None:
    published = publish(context(tmp_path, "r1"))
    body = Path(published.csv_uri.removeprefix("file://")).read_bytes()
    assert body.decode() == (
        "week,factory,kind,name,unit,mean,p10,p50,p90\n"
        "2026-11-28,A,recipe,pie,orders,10.000000,5.000000,10.000000,20.000000\n"
        "2026-11-28,B,recipe,pie,orders,0.333333,0.166667,0.333333,0.666667\n"
        "2026-12-05,A,recipe,soup,orders,7.250000,3.625000,7.250000,14.500000\n"
    )
    assert published.sha256 == hashlib.sha256(body).hexdigest()
    assert (published.date, published.rows) == (RUN_DATE, 3)
    table = pq.read_table(published.uri.removeprefix("file://"))
    assert table.column("mean").to_pylist() == [10.0, 0.333333, 7.25]


def test_another_run_of_the_same_forecast_has_the_same_hash(tmp_path: Path) -> None:
    first, second = publish(context(tmp_path, "r1")), publish(context(tmp_path, "r2"), order=(W2, W1))
    assert first.sha256 == second.sha256
    assert first.csv_uri != second.csv_uri


@pytest.mark.parametrize("order", [(W1,), (W1, W2, date(2026, 12, 12))])
def test_weeks_other_than_the_plans_are_not_published(
    tmp_path: Path, order: Sequence[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROWS, date(2026, 12, 12), [row(date(2026, 12, 12), "A", "pie", 1.0)])
    ctx = context(tmp_path, "r1")
    with pytest.raises(ContractViolation, match="do not cover exactly the plan's weeks: 2026-12"):
        publish(ctx, order=order)
    assert ctx.statements == []


def test_rows_version_and_pointer_appear_with_the_answer(database: psycopg.Connection, tmp_path: Path) -> None:
    published = run(database, tmp_path, "r1")
    assert database.execute(
        "SELECT run_id, pipeline, date, sha256, rows, uri, csv_uri FROM publications"
    ).fetchall() == [("r1", "order-simulation", RUN_DATE, published.sha256, 3, published.uri, published.csv_uri)]
    query = "SELECT week, factory, kind, name, unit, mean, p10, p50, p90 FROM published_forecasts ORDER BY 1, 2"
    assert database.execute(query).fetchall() == [
        (W1, "A", "recipe", "pie", "orders", 10.0, 5.0, 10.0, 20.0),
        (W1, "B", "recipe", "pie", "orders", 0.333333, 0.166667, 0.333333, 0.666667),
        (W2, "A", "recipe", "soup", "orders", 7.25, 3.625, 7.25, 14.5),
    ]
    assert current(database) == [("order-simulation", "r1")]


def test_publishing_a_run_twice_leaves_one_version(database: psycopg.Connection, tmp_path: Path) -> None:
    run(database, tmp_path, "r1")
    ctx = context(tmp_path, "r1")
    publish(ctx)
    commit(database, ctx.statements)
    assert database.execute("SELECT count(*) FROM publications").fetchone() == (1,)
    assert database.execute("SELECT count(*) FROM published_forecasts").fetchone() == (3,)


def test_the_pointer_never_goes_back_to_an_earlier_date(database: psycopg.Connection, tmp_path: Path) -> None:
    run(database, tmp_path, "wednesday")
    run(database, tmp_path, "tuesday", RUN_DATE - timedelta(days=1))
    assert current(database) == [("order-simulation", "wednesday")]
    run(database, tmp_path, "wednesday-again")
    assert current(database) == [("order-simulation", "wednesday-again")]
    run(database, tmp_path, "thursday", RUN_DATE + timedelta(days=1))
    assert current(database) == [("order-simulation", "thursday")]


def test_of_two_runs_that_publish_at_once_the_later_date_is_current(
    database: psycopg.Connection, database_url: str, tmp_path: Path
) -> None:
    """The earlier run holds its pointer uncommitted while the later one arrives at it."""
    later = RUN_DATE + timedelta(days=1)
    contexts = {"earlier": context(tmp_path, "earlier"), "later": context(tmp_path, "later")}
    for (run_id, ctx), run_date in zip(contexts.items(), (RUN_DATE, later), strict=True):
        start_run(database, run_id, run_date)
        publish(ctx, run_date)

    def commit_later() -> None:
        with psycopg.connect(database_url, application_name="later", autocommit=True) as connection:
            commit(connection, contexts["later"].statements)

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database_url, autocommit=True) as connection:
        with connection.transaction(), connection.cursor() as cursor:
            for statement in contexts["earlier"].statements:
                cursor.executemany(statement.sql, statement.rows)
            done = pool.submit(commit_later)
            waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'later' AND wait_event_type = 'Lock'"
            while not (done.done() or database.execute(waiting).fetchone()):
                database.execute("SELECT pg_stat_clear_snapshot()")
        done.result(timeout=30)
    assert current(database) == [("order-simulation", "later")]


def test_a_run_nobody_started_cannot_publish(database: psycopg.Connection, tmp_path: Path) -> None:
    ctx = context(tmp_path, "unknown")
    publish(ctx)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        commit(database, ctx.statements)
