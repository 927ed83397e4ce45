"""One batch's orders, streamed from a server-side cursor and added up to menu weeks by the database."""

from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pyarrow as pa

from contracts.configurator import Batch, History
from contracts.data_extractor import ExtractHistory, HistoryExtracted
from services.runtime.context import Context

ROWS_AT_A_TIME = 4000

SCHEMA = pa.schema(
    [
        ("week", pa.date32()),
        ("centre", pa.string()),
        ("region", pa.string()),
        ("factory", pa.string()),
        ("recipe", pa.string()),
        ("orders", pa.float64()),
        ("price", pa.float64()),
        ("base_price", pa.float64()),
        ("emailer", pa.bool_()),
        ("homepage", pa.bool_()),
    ]
)

# A week's price is the plain mean of its days' known prices; a promotion counts when it ran on any of its days.
# ISO weekdays count from Monday = 1, so mod(isodow + 1, 7) is the number of days since Saturday.
# MATERIALIZED: `orders` is read once, whatever join the planner likes. ORDER BY inside the aggregates and COLLATE "C": the
# same sums and the same order of rows on every database. `orders` is unqualified, so that a search_path can replace it.
_QUERY = """
    WITH weekly AS MATERIALIZED (
        SELECT
            starts - mod(extract(isodow FROM starts)::integer + 1, 7) AS week,
            centre,
            recipe,
            sum(orders ORDER BY starts) AS orders,
            avg(price ORDER BY starts) AS price,
            avg(base_price ORDER BY starts) AS base_price,
            bool_or(emailer) AS emailer,
            bool_or(homepage) AS homepage
        FROM orders
        WHERE centre = ANY(%(centres)s) AND starts >= %(first_week)s AND starts < %(last_week)s + 7
        GROUP BY 1, 2, 3
    )
    SELECT week, centre, region, factory, recipe, orders, price, base_price, emailer, homepage
    FROM weekly JOIN centres USING (centre) JOIN regions USING (region)
    ORDER BY week, centre COLLATE "C", recipe COLLATE "C"
"""


def handle(inputs: ExtractHistory, ctx: Context) -> HistoryExtracted:
    """Extract the menu weeks of the plan's history for the batch's centres."""
    for attempt in ctx.retrying():
        with attempt:
            table = extract(ctx, inputs.batch, inputs.plan.history)
    ctx.log.info("extracted %d weekly rows of %d centres", table.num_rows, len(inputs.batch.centres))
    return HistoryExtracted(history=ctx.write("history", table))


def extract(ctx: Context, batch: Batch, history: History) -> pa.Table:
    """The weekly orders, with the columns of `HistoryExtracted`, in one query."""
    parameters = {"centres": list(batch.centres), "first_week": history.first_week, "last_week": history.last_week}
    chunks: list[pa.RecordBatch] = []
    # A server-side cursor lives in a transaction; `transaction` opens one on a connection that commits by itself too.
    with ctx.connect() as connection, connection.transaction(), _cursor(connection) as cursor:
        cursor.execute(_QUERY, parameters)
        while rows := cursor.fetchmany(ROWS_AT_A_TIME):
            columns = zip(SCHEMA, zip(*rows, strict=True), strict=True)
            chunks.append(pa.record_batch([pa.array(values, field.type) for field, values in columns], schema=SCHEMA))
            ctx.heartbeat()
    return pa.Table.from_batches(chunks, schema=SCHEMA)


def _cursor(connection: psycopg.Connection) -> AbstractContextManager[psycopg.ServerCursor[tuple[Any, ...]]]:
    return connection.cursor(name="weekly_orders")
