"""A publication: versioned rows, and the pointer to the current version, in the transaction that stores the answer."""

import json
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from contracts.message import Replacement
from services.runtime.canonical import Row
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


class Files(NamedTuple):
    """Where the same rows are as Parquet and as canonical CSV, whose SHA-256 it is."""

    sha256: str
    uri: str
    csv_uri: str


def publish_with_answer(
    ctx: Context,
    day: date,
    files: Files,
    rows: Sequence[Row],
    degraded: Sequence[Replacement],
    totals: Sequence[Sequence[object]] = (),
) -> None:
    """`totals` have a week, a factory, a unit, and mean, P10, P50 and P90 of all its rows in that unit together."""
    replaced = json.dumps([each.model_dump() for each in degraded])
    ctx.with_answer(_VERSION, [(day, files.sha256, len(rows), files.uri, files.csv_uri, replaced, ctx.run_id)])
    ctx.with_answer(_ROWS, [(ctx.run_id, *row) for row in rows])
    if totals:
        ctx.with_answer(_TOTALS, [(ctx.run_id, *total) for total in totals])
    ctx.with_answer(_ONE_AT_A_TIME, [()])
    ctx.with_answer(_POINTER, [(ctx.run_id,)])
