"""Files in S3 to a table: one object, or all below a prefix. What does not fit is named by file and row."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from services.forecast_api.errors import JobFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Values = Sequence[Any]

TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "timestamp": pa.timestamp("ms"),  # the shortest that Parquet keeps
}

MOST_FILES = 10_000
MOST_BYTES = 256 * 1024**2
"""Of all files of an import together: they are held in memory, and a dataset is one value in the database."""

PATTERNS = {
    "yyyy-MM-dd": re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII),
    "yyyy-MM-dd HH:mm:ss": re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII),
}


def read(
    s3: "S3Client", path: str, file_format: str, columns: Mapping[str, str], timestamps: str
) -> tuple[pa.Table, int]:
    """A table of `columns` (name to type, in the order of CSV files), and how many bytes it was read from.

    A CSV file may begin with a row of the columns' names. Raises JobFailed when a file or a row does not fit, or S3 refuses.
    """
    parse = {name: _parser(kind, timestamps) for name, kind in columns.items()}
    found: dict[str, list[Any]] = {name: [] for name in columns}
    size = 0
    for uri, body in _bodies(s3, path):
        size += len(body)
        rows = _csv_rows(uri, body, columns) if file_format == "CSV" else _parquet_rows(uri, body, columns)
        for number, values in rows:
            for name, value in zip(columns, values, strict=True):
                try:
                    found[name].append(parse[name](value))
                except ValueError as error:
                    raise JobFailed(f"{uri}, row {number}: {name} {error}") from error
    table = pa.table(found, schema=pa.schema([(name, TYPES[kind]) for name, kind in columns.items()]))
    if table.num_rows == 0:
        raise JobFailed(f"{path} has no rows")
    return table, size


def write(s3: "S3Client", path: str, name: str, body: bytes) -> None:
    """Raises JobFailed when S3 refuses."""
    bucket, prefix = _bucket_and_key(path)
    key = f"{prefix.rstrip('/')}/{name}" if prefix else name
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    except (ClientError, BotoCoreError) as error:
        raise JobFailed(f"s3://{bucket}/{key} cannot be written: {error}") from error


def _bucket_and_key(path: str) -> tuple[str, str]:
    parts = urlsplit(path, allow_fragments=False)
    return parts.netloc, f"{parts.path}{'?' if parts.query else ''}{parts.query}".lstrip("/")


def _bodies(s3: "S3Client", path: str) -> Iterator[tuple[str, bytes]]:
    bucket, prefix = _bucket_and_key(path)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        objects = {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}
        folder = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        below = [key for key in sorted(objects) if key.startswith(folder) and objects[key] and not key.endswith("/")]
        keys = [prefix] if prefix in objects and not prefix.endswith("/") else below
        if not keys:
            raise JobFailed(f"there is no object at {path}")
        if len(keys) > MOST_FILES or sum(objects[key] for key in keys) > MOST_BYTES:
            raise JobFailed(
                f"{path} has more than {MOST_FILES} files or {MOST_BYTES // 1024**2} MiB: import less at once"
            )
        for key in keys:
            yield f"s3://{bucket}/{key}", s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise JobFailed(f"{path} cannot be read: {error}") from error


def _csv_rows(uri: str, body: bytes, columns: Mapping[str, str]) -> Iterator[tuple[int, Values]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobFailed(f"{uri} is not UTF-8 at byte {error.start}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if not row or (
                reader.line_num == 1 and [name.strip().lower() for name in row] == [*map(str.lower, columns)]
            ):
                continue
            if len(row) != len(columns):
                raise JobFailed(
                    f"{uri}, row {reader.line_num}: {len(row)} columns and not {len(columns)}, as its schema"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise JobFailed(f"{uri}, row {reader.line_num}: {error}") from error


def _parquet_rows(uri: str, body: bytes, columns: Mapping[str, str]) -> Iterator[tuple[int, Values]]:
    try:
        table = pq.read_table(io.BytesIO(body), use_threads=False)
    except pa.ArrowException as error:
        raise JobFailed(f"{uri} is no Parquet file: {error}") from error
    if missing := [name for name in columns if name not in table.column_names]:
        raise JobFailed(f"{uri} has no column {missing[0]}")
    number = 0
    for batch in table.select(list(columns)).to_batches():
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield number, values


def _parser(kind: str, timestamps: str) -> Callable[[Any], Any]:
    """From a file's text, or a Parquet value. It raises ValueError with what is wrong."""
    if kind == "timestamp":
        return _timestamps(timestamps)
    return {"string": _string, "integer": _integer, "float": _float}[kind]


def _timestamps(written: str) -> Callable[[Any], datetime]:
    seen: dict[str, datetime] = {}

    def parse(value: Any) -> datetime:
        if isinstance(value, datetime):
            return value.replace(microsecond=0, tzinfo=None)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - data has no zone
        text = str(value).strip()
        if text not in seen:
            try:
                if not PATTERNS[written].fullmatch(text):
                    raise ValueError
                seen[text] = datetime.fromisoformat(text)
            except ValueError as error:
                raise ValueError(f"'{text[:64]}' is no time as {written}") from error
        return seen[text]

    return parse


def _string(value: Any) -> str:
    text = "" if value is None else str(value)
    if not 0 < len(text) <= 256:
        raise ValueError("is empty" if not text else "is longer than 256 characters")
    return text


def _float(value: Any) -> float | None:
    """None for what is missing."""
    if value is None or (isinstance(value, str) and value.strip() in ("", "NaN", "nan")):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"'{str(value)[:64]}' is no number") from error
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise ValueError("is infinite")
    return number


def _integer(value: Any) -> int | None:
    number = _float(value)
    if number is not None and (not number.is_integer() or abs(number) > 2**53):
        raise ValueError(f"'{str(value)[:64]}' is no integer")
    return None if number is None else int(number)
