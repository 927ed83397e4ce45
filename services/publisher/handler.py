"""Publish once: files under the step's key, rows and the pointer in the transaction that stores the answer."""

import hashlib
import json
from collections.abc import Sequence

from contracts.errors import ContractViolation
from contracts.message import DatasetRef, Replacement
from contracts.publisher import ForecastPublished, PublishForecast
from services.publisher.canonical import Row, csv_bytes, rows_of, table_of
from services.publisher.history import weekly_orders
from services.publisher.page import render
from services.publisher.page.content import Content
from services.publisher.previous import read_previous
from services.publisher.totals import Total, totals_of
from services.runtime.context import Context

# The version before its rows and the pointer, which refer to it.
_VERSION = """
    INSERT INTO publications (run_id, pipeline, date, sha256, rows, uri, csv_uri, degraded)
    SELECT run_id, pipeline, %s, %s, %s, %s, %s, %s FROM runs WHERE run_id = %s
    ON CONFLICT DO NOTHING
"""
_ROWS = """
    INSERT INTO published_forecasts (run_id, week, factory, kind, name, unit, mean, p10, p50, p90)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
_TOTALS = """
    INSERT INTO published_totals (run_id, week, factory, unit, mean, p10, p50, p90)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING
"""
# Two runs that publish at once take turns here: the dates the pointer compares must be of committed versions.
_ONE_AT_A_TIME = "LOCK TABLE current_publication IN SHARE ROW EXCLUSIVE MODE"
# A run of an earlier date never replaces one of a later date; of two with the same date the one published last counts, but
# a degraded one never replaces one that is not.
_POINTER = """
    INSERT INTO current_publication AS current (pipeline, run_id)
    SELECT pipeline, run_id FROM publications WHERE run_id = %s
    ON CONFLICT (pipeline) DO UPDATE SET run_id = excluded.run_id
    WHERE (SELECT ROW (date, degraded = '[]') FROM publications WHERE run_id = current.run_id)
        <= (SELECT ROW (date, degraded = '[]') FROM publications WHERE run_id = excluded.run_id)
"""


def handle(inputs: PublishForecast, ctx: Context) -> ForecastPublished:
    """Publish all site forecasts of a run as one version.

    Raises ContractViolation when the site forecasts do not cover exactly the plan's weeks.
    """
    rows = rows_of(ctx.read(forecast.forecast) for forecast in inputs.forecasts)
    _check_weeks(rows, inputs)
    totals = totals_of(ctx.read(forecast.totals) for forecast in inputs.forecasts if forecast.totals)
    body = csv_bytes(rows)
    sha256 = hashlib.sha256(body).hexdigest()
    page = render(_content(inputs, ctx, rows, totals, sha256))
    published = ForecastPublished(
        date=inputs.plan.date,
        sha256=sha256,
        rows=len(rows),
        uri=ctx.write("forecast", table_of(rows)).uri,
        csv_uri=ctx.write_file("forecast.csv", body, "text/csv; charset=utf-8"),
        page_uri=ctx.write_file("forecast.html", page, "text/html; charset=utf-8"),
    )
    _publish_with_answer(ctx, published, rows, totals, inputs.replacements)
    ctx.log.info("publishes %d rows, sha256 %s", published.rows, published.sha256)
    return published


def _content(
    inputs: PublishForecast, ctx: Context, rows: Sequence[Row], totals: Sequence[Total], sha256: str
) -> Content:
    """What the page says beside the forecast itself."""
    return Content(
        run_id=ctx.run_id,
        plan=inputs.plan,
        rows=rows,
        totals=totals,
        history=weekly_orders(ctx.read(batch.history) for batch in inputs.history),
        networks=inputs.networks,
        sha256=sha256,
        previous=read_previous(ctx, inputs.plan.date),
        degraded=inputs.replacements,
        kinds_of_food=_kinds_of_food(ctx, inputs.plan.recipe_book),
    )


def _kinds_of_food(ctx: Context, recipe_book: DatasetRef) -> dict[str, str]:
    book = ctx.read(recipe_book).select(["recipe", "category", "cuisine"])
    return {row["recipe"]: f"{row['category']}, {row['cuisine']}" for row in book.to_pylist()}


def _check_weeks(rows: Sequence[Row], inputs: PublishForecast) -> None:
    forecast = {row.week for row in rows}
    planned = {week.starts for week in inputs.plan.weeks}
    if forecast != planned:
        odd = ", ".join(str(week) for week in sorted(forecast ^ planned))
        raise ContractViolation(
            f"the site forecasts do not cover exactly the plan's weeks: {odd} is in one of them only"
        )


def _publish_with_answer(
    ctx: Context,
    published: ForecastPublished,
    rows: Sequence[Row],
    totals: Sequence[Total],
    degraded: Sequence[Replacement],
) -> None:
    replaced = json.dumps([each.model_dump() for each in degraded])
    version = (published.date, published.sha256, published.rows, published.uri, published.csv_uri, replaced, ctx.run_id)
    ctx.with_answer(_VERSION, [version])
    ctx.with_answer(_ROWS, [(ctx.run_id, *row) for row in rows])
    if totals:
        ctx.with_answer(_TOTALS, [(ctx.run_id, *total) for total in totals])
    ctx.with_answer(_ONE_AT_A_TIME, [()])
    ctx.with_answer(_POINTER, [(ctx.run_id,)])
