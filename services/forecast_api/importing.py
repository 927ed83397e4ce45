"""A dataset import job: files to the whole dataset as it is afterwards."""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from services.forecast_api import kinds
from services.forecast_api.errors import JobFailed
from services.forecast_api.reading import read
from services.forecast_api.schemas import ITEM, METADATA, RELATED, TIMESTAMP, Schema, schema_of
from services.forecast_api.store import ACTIVE
from services.forecast_api.work import Done, Work, to_bytes


def run(work: Work) -> Done:
    """Raises JobFailed naming file and row."""
    request = work.resource.request
    dataset = work.find(kinds.DATASET, request["DatasetArn"])
    schema = schema_of(dataset.request)
    path = request["DataSource"]["S3Config"]["Path"]
    table, size = read(work.s3, path, request["Format"], schema.columns, request["TimestampFormat"])
    if schema.type in (RELATED, METADATA):
        _check_unique(table, schema, path)
    statistics = {name: _statistics(table[name]) for name in schema.columns}
    if request["ImportMode"] == "INCREMENTAL":
        table = _after(_before(work, dataset.arn), table, schema)
    return Done({"DataSize": size / 1024**3, "FieldStatistics": statistics}, to_bytes(table))


def _keys(schema: Schema) -> list[str]:
    return [ITEM] if schema.type == METADATA else [ITEM, *schema.dimensions, TIMESTAMP]


def _check_unique(table: pa.Table, schema: Schema, path: str) -> None:
    """Only the target is aggregated."""
    seen: set[tuple[Any, ...]] = set()
    keys = _keys(schema)
    for number, key in enumerate(zip(*(table[name].to_pylist() for name in keys), strict=True), start=1):
        if key in seen:
            names = ", ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True))
            raise JobFailed(f"{path}, the {number}. row of data: {names} is there twice")
        seen.add(key)


def _before(work: Work, dataset: str) -> pa.Table | None:
    imports = [each.arn for each in work.store.made_from(dataset) if each.status == ACTIVE]
    return work.table(imports[0]) if imports else None


def _after(before: pa.Table | None, added: pa.Table, schema: Schema) -> pa.Table:
    """What is there with what came: a row for the same item and time takes the place of the earlier ones."""
    if before is None:
        return added
    keys = _keys(schema)
    new = added.select(keys).group_by(keys, use_threads=False).aggregate([])
    return pa.concat_tables([before.join(new, keys=keys, join_type="left anti", use_threads=False), added])


def _statistics(column: pa.ChunkedArray) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Count": len(column),
        "CountDistinct": pc.count_distinct(column).as_py(),
        "CountNull": column.null_count,
        "CountNan": 0,
    }
    found |= {f"{name}Long": found[name] for name in list(found)}
    if pa.types.is_string(column.type):
        return found
    least, most = (pc.min_max(column)[name].as_py() for name in ("min", "max"))
    if least is None:
        return found
    found |= {"Min": str(least), "Max": str(most)}
    if not pa.types.is_timestamp(column.type):
        moments = {"Avg": pc.mean(column).as_py(), "Stddev": pc.stddev(column).as_py()}
        found |= {name: value for name, value in moments.items() if math.isfinite(value)}
    return found
