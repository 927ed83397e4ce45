"""The publication before this one: what planners had until now."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import psycopg

from services.runtime.context import Context

# Of an earlier date, whatever was published on this one: so both styles compare with the same. Publications of data that was
# replaced since are of something else.
_PREVIOUS = """
    SELECT p.run_id, p.date
    FROM publications p JOIN runs r USING (run_id)
    WHERE p.pipeline = (SELECT pipeline FROM runs WHERE run_id = %s) AND p.date < %s
      AND r.started_at >= coalesce((SELECT replaced_at FROM history), '-infinity')
    ORDER BY p.date DESC, p.published_at DESC
    LIMIT 1
"""
_ROWS = "SELECT week, factory, kind, name, p50 FROM published_forecasts WHERE run_id = %s"
_TOTALS = "SELECT week, factory, p50 FROM published_totals WHERE run_id = %s"


@dataclass(frozen=True)
class Previous:
    """The P50 of every row and total of an earlier publication; rows by week, factory, kind and name."""

    run_id: str
    run_date: date
    rows: dict[tuple[date, str, str, str], float] = field(default_factory=dict)
    totals: dict[tuple[date, str], float] = field(default_factory=dict)

    @cached_property
    def weeks(self) -> frozenset[date]:
        return frozenset(week for week, *_ in self.rows)


def read_previous(ctx: Context, before: date) -> Previous | None:
    """The latest publication of the same pipeline and data from a run of an earlier date, if there is one."""
    for attempt in ctx.retrying():
        with attempt, ctx.connect() as connection:
            connection.read_only = True
            with connection.transaction():
                previous = _read(connection, ctx.run_id, before)
    return previous


def _read(connection: psycopg.Connection, run_id: str, before: date) -> Previous | None:
    found = connection.execute(_PREVIOUS, [run_id, before]).fetchone()
    if found is None:
        return None
    earlier, earlier_date = found
    return Previous(
        run_id=earlier,
        run_date=earlier_date,
        rows={(w, f, k, n): p50 for w, f, k, n, p50 in connection.execute(_ROWS, [earlier])},
        totals={(w, f): p50 for w, f, p50 in connection.execute(_TOTALS, [earlier])},
    )
