"""Files to tables; S3 is a dictionary here."""

import io
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from services.forecast_api.errors import JobFailed
from services.forecast_api.reading import read

COLUMNS = {"item_id": "string", "timestamp": "timestamp", "demand": "float"}
DAYS, SECONDS = "yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss"


class Bucket:
    """What `read` asks of S3."""

    def __init__(self, **objects: bytes) -> None:
        self._objects = {name.replace("__", "/"): body for name, body in objects.items()}

    def get_paginator(self, _: str) -> "Bucket":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - as boto3 has them
        if Bucket != "bucket":
            raise ClientError({"Error": {"Code": "NoSuchBucket", "Message": "none"}}, "ListObjectsV2")
        found = [{"Key": key, "Size": len(body)} for key, body in self._objects.items() if key.startswith(Prefix)]
        return [{"Contents": found}] if found else [{}]

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self._objects[Key])}


def rows(bucket: Any, path: str = "s3://bucket/orders", kind: str = "CSV", times: str = DAYS) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(bucket, path, kind, COLUMNS, times)[0].to_pylist()
    return found


def test_a_file_is_read_and_its_names_are_passed_over() -> None:
    found = rows(Bucket(orders=b"\xef\xbb\xbfitem_id,timestamp,demand\r\na,2026-01-05,1.5\r\n\r\nb,2026-01-05,\r\n"))
    assert found == [
        {"item_id": "a", "timestamp": datetime.fromisoformat("2026-01-05"), "demand": 1.5},
        {"item_id": "b", "timestamp": datetime.fromisoformat("2026-01-05"), "demand": None},
    ]


def test_all_files_below_a_prefix_are_read_in_order_and_no_others() -> None:
    bucket = Bucket(in__b=b"b,2026-01-05,2\n", in__a=b"a,2026-01-05,1\n", in__none=b"", inside=b"c,2026-01-05,3\n")
    for path in ("s3://bucket/in/", "s3://bucket/in"):
        assert [each["item_id"] for each in rows(bucket, path)] == ["a", "b"]
    assert [each["item_id"] for each in rows(bucket, "s3://bucket")] == ["a", "b", "c"]


def test_times_are_as_the_import_says() -> None:
    assert (
        rows(Bucket(orders=b"a,2026-01-05 06:30:00,1\n"), times=SECONDS)[0]["timestamp"].isoformat()
        == "2026-01-05T06:30:00"
    )


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"a,2026-01-05,1\na,2026-01-05\n", "row 2: 2 columns and not 3"),
        (b"a,2026-01-05,many\n", "row 1: demand 'many' is no number"),
        (b"a,2026-01-05,inf\n", "row 1: demand is infinite"),
        (b"a,2026-02-30,1\n", "row 1: timestamp '2026-02-30' is no time as yyyy-MM-dd"),
        (b"a,2026-01-05 00:00:00,1\n", "row 1: timestamp '2026-01-05 00:00:00' is no time"),
        (b"item_id,timestamp,demand\n,2026-01-05,1\n", "row 2: item_id is empty"),
        (b'a,"2026\n', "row 1: "),
        (b"\xe4,2026-01-05,1\n", "is not UTF-8 at byte 0"),
        (b"item_id,timestamp,demand\n", "has no rows"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_row(body: bytes, named: str) -> None:
    with pytest.raises(JobFailed) as failed:
        rows(Bucket(orders=body))
    assert "s3://bucket/orders" in str(failed.value)
    assert named in str(failed.value)


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_parquet_is_read_by_its_names() -> None:
    bucket = Bucket(orders=parquet(demand=[1], more=[0], item_id=["a"], timestamp=[date(2026, 1, 5)]))
    assert rows(bucket, kind="PARQUET") == [
        {"item_id": "a", "timestamp": datetime.fromisoformat("2026-01-05"), "demand": 1.0}
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"no file", "is no Parquet file"),
        (parquet(item_id=["a"], timestamp=["2026-01-05"]), "has no column demand"),
        (parquet(item_id=["a", None], timestamp=["2026-01-05"] * 2, demand=[1, 2]), "row 2: item_id is empty"),
    ],
)
def test_what_is_wrong_in_parquet_is_named_too(body: bytes, named: str) -> None:
    with pytest.raises(JobFailed, match=named):
        rows(Bucket(orders=body), kind="PARQUET")


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(JobFailed, match="there is no object at s3://bucket/orders"):
        rows(Bucket())
    with pytest.raises(JobFailed, match=r"s3://other/orders cannot be read: .*NoSuchBucket"):
        rows(Bucket(), "s3://other/orders")
