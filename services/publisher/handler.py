"""Publish once: files under the step's key, rows and the pointer in the transaction that stores the answer."""

import hashlib
from collections.abc import Sequence

from contracts.errors import ContractViolation
from contracts.message import DatasetRef
from contracts.publisher import ForecastPublished, PublishForecast
from services.publisher.history import weekly_orders
from services.publisher.page import render
from services.publisher.page.content import Content
from services.publisher.previous import read_previous
from services.publisher.totals import Total, totals_of
from services.runtime.canonical import Row, csv_bytes, rows_of, table_of
from services.runtime.context import Context
from services.runtime.publication import Files, publish_with_answer


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
    files = Files(published.sha256, published.uri, published.csv_uri)
    publish_with_answer(ctx, published.date, files, rows, inputs.replacements, totals)
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
