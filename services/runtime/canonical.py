"""The canonical content of a forecast: the same forecast has the same bytes, however it came together."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa

from contracts.errors import ContractViolation

DECIMALS = 6

SCHEMA = pa.schema(
    [
        ("week", pa.date32()),
        ("factory", pa.string()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("unit", pa.string()),
        ("mean", pa.float64()),
        ("p10", pa.float64()),
        ("p50", pa.float64()),
        ("p90", pa.float64()),
    ]
)


class Row(NamedTuple):
    """How much of something one factory needs in one week, in `unit`: of a recipe, of an ingredient, of a region's boxes."""

    week: date
    factory: str
    kind: str
    name: str
    unit: str
    mean: float
    p10: float
    p50: float
    p90: float

    @property
    def key(self) -> tuple[date, str, str, str]:
        return self.week, self.factory, self.kind, self.name


def rows_of(tables: Iterable[pa.Table]) -> list[Row]:
    """All rows, sorted by week, factory, kind and name, numbers rounded to six decimals.

    Raises ContractViolation for two rows of the same key and for a number that is not finite.
    """
    rows = sorted(
        (_rounded(Row(**row)) for table in tables for row in table.select(SCHEMA.names).to_pylist()),
        key=lambda row: row.key,
    )
    for row, following in pairwise(rows):
        if row.key == following.key:
            raise ContractViolation(f"there are two forecasts for {_label(row)}")
    return rows


def csv_bytes(rows: Sequence[Row]) -> bytes:
    """UTF-8 CSV with a header, six decimals and `\\n` line ends."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SCHEMA.names)
    for row in rows:
        numbers = (f"{number:.{DECIMALS}f}" for number in row[5:])
        writer.writerow([row.week.isoformat(), row.factory, row.kind, row.name, row.unit, *numbers])
    return text.getvalue().encode()


def table_of(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=SCHEMA)


def _rounded(row: Row) -> Row:
    numbers = (row.mean, row.p10, row.p50, row.p90)
    if not all(math.isfinite(number) for number in numbers):
        raise ContractViolation(f"a forecast is not finite for {_label(row)}")
    # Adding 0.0 turns a rounded -0.0 into 0.0, which would be written differently.
    mean, p10, p50, p90 = (round(number, DECIMALS) + 0.0 for number in numbers)
    return row._replace(mean=mean, p10=p10, p50=p50, p90=p90)


def _label(row: Row) -> str:
    return f"{row.kind} {row.name} of factory {row.factory} in week {row.week}"
