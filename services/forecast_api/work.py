"""What a job's process does, and what comes of it. It reads from the database; only the service writes what it found."""

import importlib
import io
import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config
from psycopg.rows import dict_row

from services.forecast_api import kinds
from services.forecast_api.arns import Caller
from services.forecast_api.errors import ApiError, JobFailed
from services.forecast_api.kinds import Kind
from services.forecast_api.schemas import Schema, schema_of
from services.forecast_api.store import Resource, Store
from services.runtime.text import cut, printable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger("brigade.forecast_api")

JOBS: Mapping[str, str] = {
    kinds.IMPORT.name: "importing",
    kinds.PREDICTOR.name: "training",
    kinds.FORECAST.name: "forecasting",
    kinds.EXPORT.name: "exporting",
}
"""The module whose `run` makes a resource of each kind."""

LONGEST_MESSAGE = 1000
"""Characters."""

AWS = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True)
class Done:
    """What the resource gets: members of its description, and what it holds."""

    details: dict[str, Any] = field(default_factory=dict)
    content: bytes | None = None


@dataclass(frozen=True)
class Failed:
    """Why it cannot be made, for whoever describes it."""

    message: str


@dataclass(frozen=True)
class Work:
    """One job: the resource that is being made, and where what it needs comes from."""

    resource: Resource
    store: Store

    @cached_property
    def s3(self) -> "S3Client":
        return boto3.client("s3", region_name=self.resource.region, config=AWS)

    def find(self, kind: Kind, arn: str) -> Resource:
        return self.store.find(Caller(self.resource.account, self.resource.region), arn, kind.name)

    def table(self, arn: str) -> pa.Table:
        """Raises JobFailed when it was deleted meanwhile."""
        return pq.read_table(io.BytesIO(self.content(arn)), use_threads=False)

    def content(self, arn: str) -> bytes:
        found = self.store.content(arn)
        if found is None:
            raise JobFailed(f"{arn} is not there any more")
        return found

    def datasets(self, imports: list[str]) -> dict[str, tuple[Schema, pa.Table]]:
        """By type, as each import left it."""
        found = {}
        for arn in imports:
            of = self.find(kinds.DATASET, self.find(kinds.IMPORT, arn).request["DatasetArn"])
            schema = schema_of(of.request)
            found[schema.type] = (schema, self.table(arn))
        return found


def to_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def begin() -> None:
    """Of a process of the pool, which ends with the service even if that is killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service is told too, and ends its processes
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "the pool has made this process"
    parent.join()
    os._exit(1)


def run(database_url: str, arn: str) -> Done | Failed:
    """Raises psycopg.Error when the database is gone: that says nothing about the job."""
    with psycopg.connect(database_url, row_factory=dict_row, autocommit=True, connect_timeout=10) as connection:
        store = Store(connection)
        resource = store.get(arn)
        try:
            done = _job(resource.kind)(Work(resource, store))
            json.dumps(done.details, allow_nan=False)  # what the database would not take is found here
            return done
        except (JobFailed, ApiError) as error:
            return Failed(cut(printable(str(error)), LONGEST_MESSAGE))
        except psycopg.Error:
            raise
        except Exception as error:
            log.exception("%s failed", arn)
            why = cut(printable(f"unexpected {type(error).__name__}: {error}"), LONGEST_MESSAGE)
            return Failed(f"{why}; the service's log says more")


def _job(kind: str) -> Callable[[Work], Done]:
    """Only what it needs is imported: models take a second or two, and neither an import nor the service has any."""
    run: Callable[[Work], Done] = importlib.import_module(f"services.forecast_api.{JOBS[kind]}").run
    return run
