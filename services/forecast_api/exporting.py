"""An export of a forecast: one file below the destination, named and laid out as AWS's are."""

import csv
import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from services.forecast_api.querying import DATE
from services.forecast_api.reading import write
from services.forecast_api.work import Done, Work, to_bytes


def run(work: Work) -> Done:
    """Raises JobFailed when S3 refuses."""
    request = work.resource.request
    table = work.table(request["ForecastArn"])
    at = (work.resource.created_at or datetime.now(UTC)).astimezone(UTC)
    suffix = request["Format"].lower()
    name = f"{request['ForecastExportJobName']}_{at:%Y-%m-%dT%H-%M-%SZ}_part0.{suffix}"
    write(
        work.s3, request["Destination"]["S3Config"]["Path"], name, _csv(table) if suffix == "csv" else to_bytes(table)
    )
    return Done()


def _csv(table: pa.Table) -> bytes:
    """Dates as 2026-11-25T00:00:00Z."""
    dates = pc.strftime(table[DATE].cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")
    written = table.set_column(table.column_names.index(DATE), DATE, dates)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(written.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in written.columns), strict=True))
    return buffer.getvalue().encode()
