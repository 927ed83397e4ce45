import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.configurator import Batch, Factory, History, MenuWeek, RunPlanned
from contracts.data_extractor import HistoryExtracted
from contracts.errors import ContractViolation
from contracts.message import EarlierResult, Replacement
from contracts.network_configuration import FactoryNetworkConfigured
from contracts.publisher import ForecastPublished, PublishForecast
from contracts.site_forecast import SiteForecasted
from services.publisher.handler import handle
from services.publisher.totals import Total
from services.runtime.canonical import Row, table_of
from services.runtime.context import Context, Statement
from services.runtime.testing import local_context

W1, W2 = date(2026, 11, 28), date(2026, 12, 5)
RUN_DATE = date(2026, 11, 25)


def row(week: date, factory: str, name: str, mean: float) -> Row:
    return Row(week, factory, "recipe", name, "orders", mean, mean / 2, mean, mean * 2)


ROWS = {W1: [row(W1, "B", "pie", 1 / 3), row(W1, "A", "pie", 10.0)], W2: [row(W2, "A", "soup", 7.25)]}


Make = Callable[[str], Context]
"""A context of a run."""


@pytest.fixture
def make(database: psycopg.Connection, database_url: str, tmp_path: Path) -> Make:
    return lambda run_id: replace(local_context(tmp_path, "publisher", database_url=database_url), run_id=run_id)


def publish(
    ctx: Context,
    run_date: date = RUN_DATE,
    order: Sequence[date] = (W1, W2),
    totals: bool = True,
    last: EarlierResult | None = None,
    degraded: tuple[Replacement, ...] = (),
) -> ForecastPublished:
    book = [
        {
            "recipe": "pie",
            "category": "Baked",
            "cuisine": "British",
            "ingredient": "flour",
            "quantity": 1.0,
            "unit": "g",
        }
    ]
    plan = RunPlanned(
        date=run_date,
        weekday="friday",
        seed=1,
        history=History(first_week=date(2026, 9, 12), last_week=date(2026, 11, 14)),
        weeks=tuple(MenuWeek(key=week.isoformat(), starts=week, recipes=("pie",)) for week in (W1, W2)),
        factories=(Factory(key="A", weekly_cap=1.0, regions=(), last=last),),
        batches=(Batch(key="b1", centres=("1",)),),
        recipe_book=ctx.write("book", pa.Table.from_pylist(book)),
        recipes_per_box=3.0,
        portions_per_order=2.0,
    )
    forecasts = tuple(
        SiteForecasted(
            forecast=ctx.write(f"site-{week}", table_of(ROWS[week])),
            totals=ctx.write(f"totals-{week}", totals_table(week)) if totals else None,
            degraded=degraded,
        )
        for week in order
    )
    history = pa.table({"week": [date(2026, 11, 14)], "factory": ["A"], "orders": [9.0]})
    network = ctx.write("network", pa.table({"week": [W1], "region": ["north"], "boxes": [1.0], "overflow": [False]}))
    inputs = PublishForecast(
        plan=plan,
        forecasts=forecasts,
        history=(HistoryExtracted(history=ctx.write("history", history)),),
        networks=(FactoryNetworkConfigured(factory="A", network=network),),
    )
    return handle(inputs, ctx)


def totals_table(week: date) -> pa.Table:
    means: dict[str, float] = {}
    for each in ROWS[week]:
        means[each.factory] = means.get(each.factory, 0.0) + each.mean
    rows = [Total(week, factory, "orders", mean, mean / 2, mean, mean * 2) for factory, mean in means.items()]
    return pa.Table.from_pylist([total._asdict() for total in rows])


def page_of(published: ForecastPublished) -> str:
    return Path(published.page_uri.removeprefix("file://")).read_text(encoding="utf-8")


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


def run(
    database: psycopg.Connection,
    make: Make,
    run_id: str,
    run_date: date = RUN_DATE,
    degraded: tuple[Replacement, ...] = (),
) -> ForecastPublished:
    start_run(database, run_id, run_date)
    ctx = make(run_id)
    published = publish(ctx, run_date, degraded=degraded)
    commit(database, ctx.statements)
    return published


def current(database: psycopg.Connection) -> list[tuple[str, str]]:
    return database.execute("SELECT pipeline, run_id FROM current_publication").fetchall()


def test_the_files_are_the_same_table_and_the_hash_is_the_csvs(make: Make) -> None:
    published = publish(make("r1"))
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


def test_another_run_of_the_same_forecast_has_the_same_hash(make: Make) -> None:
    first, second = publish(make("r1")), publish(make("r2"), order=(W2, W1))
    assert first.sha256 == second.sha256
    assert first.csv_uri != second.csv_uri


@pytest.mark.parametrize("order", [(W1,), (W1, W2, date(2026, 12, 12))])
def test_weeks_other_than_the_plans_are_not_published(
    make: Make, order: Sequence[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROWS, date(2026, 12, 12), [row(date(2026, 12, 12), "A", "pie", 1.0)])
    ctx = make("r1")
    with pytest.raises(ContractViolation, match="do not cover exactly the plan's weeks: 2026-12"):
        publish(ctx, order=order)
    assert ctx.statements == []


def test_rows_version_and_pointer_appear_with_the_answer(database: psycopg.Connection, make: Make) -> None:
    published = run(database, make, "r1")
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


def test_publishing_a_run_twice_leaves_one_version(database: psycopg.Connection, make: Make) -> None:
    run(database, make, "r1")
    ctx = make("r1")
    publish(ctx)
    commit(database, ctx.statements)
    assert database.execute("SELECT count(*) FROM publications").fetchone() == (1,)
    assert database.execute("SELECT count(*) FROM published_forecasts").fetchone() == (3,)


def test_the_pointer_never_goes_back_to_an_earlier_date(database: psycopg.Connection, make: Make) -> None:
    run(database, make, "wednesday")
    run(database, make, "tuesday", RUN_DATE - timedelta(days=1))
    assert current(database) == [("order-simulation", "wednesday")]
    run(database, make, "wednesday-again")
    assert current(database) == [("order-simulation", "wednesday-again")]
    run(database, make, "thursday", RUN_DATE + timedelta(days=1))
    assert current(database) == [("order-simulation", "thursday")]


def test_of_two_runs_that_publish_at_once_the_later_date_is_current(
    database: psycopg.Connection, database_url: str, make: Make
) -> None:
    """The earlier run holds its pointer uncommitted while the later one arrives at it."""
    later = RUN_DATE + timedelta(days=1)
    contexts = {"earlier": make("earlier"), "later": make("later")}
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


def test_a_run_nobody_started_cannot_publish(database: psycopg.Connection, make: Make) -> None:
    ctx = make("unknown")
    publish(ctx)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        commit(database, ctx.statements)


def test_totals_appear_with_the_answer(database: psycopg.Connection, make: Make) -> None:
    run(database, make, "r1")
    query = "SELECT run_id, week, factory, unit, mean, p10, p50, p90 FROM published_totals ORDER BY 2, 3"
    assert database.execute(query).fetchall() == [
        ("r1", W1, "A", "orders", 10.0, 5.0, 10.0, 20.0),
        ("r1", W1, "B", "orders", 0.333333, 0.166667, 0.333333, 0.666667),
        ("r1", W2, "A", "orders", 7.25, 3.625, 7.25, 14.5),
    ]


def test_site_forecasts_without_totals_are_published_without(database: psycopg.Connection, make: Make) -> None:
    start_run(database, "r1")
    ctx = make("r1")
    published = publish(ctx, totals=False)
    commit(database, ctx.statements)
    assert published.rows == 3
    assert database.execute("SELECT count(*) FROM published_totals").fetchone() == (0,)
    assert "Orders of all recipes together" not in page_of(published)


def test_the_page_does_not_change_the_hash(make: Make) -> None:
    """It names its run; the canonical content does not."""
    first, second = publish(make("r1")), publish(make("r2"))
    assert page_of(first) != page_of(second)
    assert page_of(first).replace("r1", "r2") == page_of(second)
    assert first.sha256 == second.sha256


def test_a_repeat_writes_the_same_page(make: Make) -> None:
    assert page_of(publish(make("r1"))) == page_of(publish(make("r1")))


def test_a_first_publication_has_nothing_to_compare_with(database: psycopg.Connection, make: Make) -> None:
    assert "There is no publication of an earlier date" in page_of(run(database, make, "r1"))


def test_a_publication_is_compared_with_the_last_one_of_an_earlier_date(
    database: psycopg.Connection, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with another of the same date, which the other style may have made, nor with one of a later date."""
    for days, run_id in ((-7, "last-week"), (-2, "monday"), (-2, "monday-again"), (0, "other-style"), (2, "friday")):
        run(database, make, run_id, RUN_DATE + timedelta(days=days))
    monkeypatch.setitem(ROWS, W1, [row(W1, "A", "pie", 15.0), row(W1, "A", "stew", 1.0)])
    page = page_of(run(database, make, "r1"))
    assert "Compared with the publication of 23 November 2026 (run <code>monday-again</code>)" in page
    assert "2 of 3 rows changed, 1 row of before is gone." in page
    assert "+5.0 <small>(+50.0 %)</small>" in page
    assert ">new</td>" in page


def test_nothing_changed_is_said(database: psycopg.Connection, make: Make) -> None:
    run(database, make, "tuesday", RUN_DATE - timedelta(days=1))
    assert "Nothing: all 3 numbers of P50 are those of the publication of 24 November 2026" in page_of(
        run(database, make, "r1")
    )


def test_publications_of_replaced_data_are_not_compared(database: psycopg.Connection, make: Make) -> None:
    run(database, make, "tuesday", RUN_DATE - timedelta(days=1))
    database.execute(
        "INSERT INTO history (source, first_week, last_week, recipes_per_box, portions_per_order, replaced_at)"
        " VALUES ('other', '2026-09-12', '2026-11-14', 3, 2, now() + interval '1 second')"
    )
    assert "There is no publication of an earlier date" in page_of(run(database, make, "r1"))


def test_other_pipelines_are_not_compared(database: psycopg.Connection, make: Make) -> None:
    run(database, make, "tuesday", RUN_DATE - timedelta(days=1))
    database.execute("UPDATE runs SET pipeline = 'lunch'")
    database.execute("UPDATE publications SET pipeline = 'lunch'")
    assert "There is no publication of an earlier date" in page_of(run(database, make, "r1"))


def test_a_reused_network_says_from_where(make: Make) -> None:
    ctx = make("r1")
    first = publish(ctx)
    assert "computed in this run" in page_of(first)
    network = ctx.write("network", pa.table({"week": [W1], "region": ["north"], "boxes": [1.0], "overflow": [False]}))
    output = FactoryNetworkConfigured(factory="A", network=network).model_dump(mode="json")
    again = publish(ctx, last=EarlierResult(run_id="wednesday", date=date(2026, 11, 18), output=output))
    assert "reused</strong> from run <code>wednesday</code> of 18 November 2026" in page_of(again)
    assert "does not compute it on a Friday" in page_of(again)
    assert first.sha256 == again.sha256


def test_a_degraded_publication_says_why_and_replaces_no_good_one_of_its_date(
    database: psycopg.Connection, make: Make
) -> None:
    volume = Replacement(component="order-volume", item="-", by="the week a year ago", why="BadData: no history")
    run(database, make, "worse", degraded=(volume,))
    assert current(database) == [("order-simulation", "worse")]
    assert database.execute("SELECT degraded FROM publications").fetchall() == [([volume.model_dump()],)]
    run(database, make, "good")
    run(database, make, "worse again", degraded=(volume,))
    assert current(database) == [("order-simulation", "good")]
    run(database, make, "tomorrow", RUN_DATE + timedelta(days=1), degraded=(volume,))
    assert current(database) == [("order-simulation", "tomorrow")]
