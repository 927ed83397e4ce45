"""From the files of forecast export jobs to boxes of the plan's weeks."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from contracts.configurator import RunPlanned
from contracts.errors import BadData
from services.models.volume import SCHEMA
from services.runtime import canonical
from services.runtime.parquet import rounded

METHOD = "amazon-forecast"
NUMBERS = ("mean", "p10", "p50", "p90")


@dataclass(frozen=True)
class Exported:
    """What was exported for one factory: CSV files, by name. Others may lie beside them."""

    factory: str
    files: Mapping[str, bytes]

    def rows(self) -> Iterator[dict[str, str]]:
        """Of the latest export: a name is `<job>_<time>_part<number>.csv`."""
        by_export: dict[str, list[str]] = {}
        for name in sorted(self.files):
            export, part, _ = name.rpartition("_part")
            if part and name.endswith(".csv"):
                by_export.setdefault(export, []).append(name)
        for name in by_export[max(by_export)] if by_export else ():
            yield from csv.DictReader(io.StringIO(self.files[name].decode(), newline=""))


def volume_of(plan: RunPlanned, exported: Iterable[Exported]) -> pa.Table:
    """The columns of `OrderVolumeForecasted`, sorted by week and region; other weeks than the plan's are left out.

    Raises BadData when there is no forecast at all, and for a region without one of the plan's weeks.
    """
    weeks = {week.starts for week in plan.weeks}
    found: dict[tuple[date, str], dict[str, Any]] = {}
    for each in exported:
        for row in each.rows():
            week, region = date.fromisoformat(row["date"][:10]), row["item_id"]
            if week in weeks:
                numbers = {name: float(row[name]) for name in NUMBERS}
                found[week, region] = {
                    "week": week,
                    "region": region,
                    "factory": each.factory,
                    "method": METHOD,
                    **numbers,
                }
    regions = {region for _, region in found}
    if not regions:
        raise BadData("Amazon Forecast gave no forecast of the plan's weeks: load the regions' orders and run again")
    for week in sorted(weeks):
        for region in sorted(regions):
            if (week, region) not in found:
                raise BadData(f"Amazon Forecast gave no forecast of {region} in week {week}: start a new run")
    return rounded(pa.Table.from_pylist([row for _, row in sorted(found.items())], schema=SCHEMA))


def boxes(volume: pa.Table) -> pa.Table:
    """The same as canonical rows."""
    rows = [{**row, "kind": "boxes", "name": row["region"], "unit": "boxes"} for row in volume.to_pylist()]
    return pa.Table.from_pylist(rows, schema=canonical.SCHEMA)
