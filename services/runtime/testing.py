"""A context for a squad's own tests: files in a folder, no AWS, no step store."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path

import psycopg
import pyarrow as pa

from contracts.amazon_forecast import Waiting
from contracts.message import DatasetRef, EarlierResult
from services.runtime import parquet
from services.runtime.context import Context, Forecasting
from services.runtime.resources import Resource


class FolderFiles:
    """Claim checks as `file://` URIs below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, ref: DatasetRef) -> pa.Table:
        return parquet.decode(ref, Path(ref.uri.removeprefix("file://")).read_bytes())

    def write(self, name: str, table: pa.Table, schema_version: int) -> DatasetRef:
        body = parquet.encode(table)
        uri = self.write_bytes(name, body, "application/vnd.apache.parquet")
        return parquet.reference(uri, table, body, schema_version)

    def write_bytes(self, name: str, body: bytes, content_type: str) -> str:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return f"file://{path}"

    def folder(self, name: str) -> str:
        return f"file://{self._folder / name}/"

    def read_folder(self, uri: str) -> dict[str, bytes]:
        files = Path(uri.removeprefix("file://")).rglob("*")
        return {path.name: path.read_bytes() for path in sorted(files) if path.is_file()}


class AtOnce:
    """Amazon Forecast where whatever is wanted is there at once, and keeps what it was asked for.

    `ready_first` is called with each resource before: it may raise ResourcePending, or do what the service would.
    """

    def __init__(self, ready_first: Callable[[Resource], object] = lambda wanted: None) -> None:
        self.wanted: list[tuple[Resource, Waiting]] = []
        self.deleted: list[Resource] = []
        self._ready_first = ready_first

    def ready(self, wanted: Sequence[Resource], waiting: Waiting) -> tuple[str, ...]:
        for each in wanted:
            self.wanted.append((each, waiting))
            self._ready_first(each)
        return tuple(self.arn(each) for each in wanted)

    def arn(self, wanted: Resource) -> str:
        return f"arn:{type(wanted).__name__}/{wanted.name}"

    def delete(self, wanted: Resource) -> None:
        self.deleted.append(wanted)


def local_context(
    folder: Path,
    component: str,
    item: str = "-",
    database_url: str | None = None,
    earlier: dict[tuple[str, str], EarlierResult] | None = None,
    forecasting: Forecasting | None = None,
) -> Context:
    """A context whose files live in `folder` and whose earlier results are those given, by (component, item)."""

    def connect() -> AbstractContextManager[psycopg.Connection]:
        if database_url is None:
            raise RuntimeError("this test gave the handler no database_url")
        return psycopg.connect(database_url)

    def find_earlier(component: str, item: str, before: date, since: datetime) -> EarlierResult | None:
        found = (earlier or {}).get((component, item))
        return found if found and found.date < before else None

    return Context(
        run_id="test-run",
        component=component,
        item=item,
        version="v1",
        attempt=1,
        log=logging.LoggerAdapter(logging.getLogger(component), {}),
        files=FolderFiles(folder),
        connect=connect,
        find_earlier=find_earlier,
        beat=lambda: None,
        forecasting=forecasting or AtOnce(),
    )
