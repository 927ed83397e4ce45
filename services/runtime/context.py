"""What a squad's handler sees besides its typed input. Nothing here knows AWS."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import psycopg
import pyarrow as pa
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from contracts.amazon_forecast import Waiting
from contracts.component import Policy
from contracts.errors import BadRequest, BrigadeError
from contracts.message import DatasetRef, EarlierResult, Replacement
from services.runtime.resources import Resource
from services.runtime.text import cut

Log = logging.LoggerAdapter[logging.Logger]


class Files(Protocol):
    """The claim check: where large data waits while a message carries its reference.

    Blocking calls; an async handler awaits them through `asyncio.to_thread`.
    """

    def read(self, ref: DatasetRef) -> pa.Table:
        """Raises ContractViolation when the bytes are not those the reference was made for."""

    def write(self, name: str, table: pa.Table, schema_version: int) -> DatasetRef: ...

    def write_bytes(self, name: str, body: bytes, content_type: str) -> str: ...

    def folder(self, name: str) -> str:
        """The URI that files below this name have in common, up to the slash."""

    def read_folder(self, uri: str) -> dict[str, bytes]:
        """Every file there, by its name."""


class Forecasting(Protocol):
    """Amazon Forecast's API, or what speaks it. Blocking calls."""

    def ready(self, wanted: Sequence[Resource], waiting: Waiting) -> tuple[str, ...]:
        """The ARNs of resources, ACTIVE; those that are not there are asked for.

        Raises ResourcePending while one is not ready; with `callback` it waits instead, and raises ResourceLate when that takes
        too long. Raises ResourceFailed, with the reason, when one could not be made.
        """

    def delete(self, wanted: Resource) -> None:
        """The resource of this name, if it is there."""


@dataclass(frozen=True)
class Statement:
    """SQL to run once for each row, in the transaction that stores the step's answer."""

    sql: str
    rows: Sequence[Sequence[Any]]


def is_retryable(error: BaseException) -> bool:
    if isinstance(error, BrigadeError):
        return error.retryable
    return isinstance(error, (OSError, psycopg.OperationalError))


@dataclass(frozen=True)
class Context:
    """One attempt at one step. `failure` is why its component's fallback runs, and None for its handler."""

    run_id: str
    component: str
    item: str
    version: str
    attempt: int
    log: Log
    files: Files
    connect: Callable[[], AbstractContextManager[psycopg.Connection]]
    """Open a connection to the order history, closed on leaving the `with`."""
    find_earlier: Callable[[str, str, date, datetime], EarlierResult | None]
    beat: Callable[[], None]
    forecasting: Forecasting
    statements: list[Statement] = field(default_factory=list)
    failure: str | None = None
    policy: Policy = field(default_factory=Policy)
    nested: Callable[[], dict[str, Any]] | None = None

    def read(self, ref: DatasetRef) -> pa.Table:
        """The table behind a reference."""
        return self.files.read(ref)

    def write(self, name: str, table: pa.Table, schema_version: int = 1) -> DatasetRef:
        """Store a table under this step's deterministic key, so that a repeated attempt overwrites its own."""
        return self.files.write(f"{self._folder}/{name}.parquet", table, schema_version)

    def write_file(self, name: str, body: bytes, content_type: str) -> str:
        """Store any other file under this step's key; gives its URI."""
        return self.files.write_bytes(f"{self._folder}/{name}", body, content_type)

    def folder(self, name: str) -> str:
        """The URI of a folder under this step's key, for others to write files to."""
        return self.files.folder(f"{self._folder}/{name}")

    def read_folder(self, uri: str) -> dict[str, bytes]:
        """Every file that others wrote to it, by name."""
        return self.files.read_folder(uri)

    def earlier_result(self, component: str, item: str, before: date, since: datetime) -> EarlierResult | None:
        """The answer of a component for an item in the latest succeeded run of an earlier date, if there is one.

        Only runs started at `since` or later count: the moment from which their data is comparable. Degraded answers do not.
        """
        return self.find_earlier(component, item, before, since)

    def run_nested(self) -> dict[str, Any]:
        """Run the pipeline that this version of the component is a run of, and give what its last step answers.

        However often the step is tried, it is one run. Raises NestedRunFailed, and BadRequest where it is none.
        """
        if self.nested is None:
            raise BadRequest(
                f"{self.component} {self.version} is no run of a pipeline: its contract says which versions are"
            )
        return self.nested()

    def with_answer(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run SQL in the transaction that stores the answer: it happens exactly when the answer counts, or not at all."""
        self.statements.append(Statement(sql, rows))

    def heartbeat(self) -> None:
        """Call now and then in long loops. Raises when this attempt no longer counts, so that it can stop early."""
        self.beat()

    def replaced(self, by: str, why: str | None = None) -> tuple[Replacement, ...]:
        """For an answer's `degraded`: what it gives instead of this step's own result; `why` is the failure by default.

        Raises ValueError when there was no failure and no `why`.
        """
        why = why or self.failure
        if why is None:
            raise ValueError("nothing failed: say why the result was replaced")
        return (Replacement(component=self.component, item=self.item, by=cut(by, 200), why=cut(why, 300)),)

    def retrying(self) -> Retrying:
        """Tenacity for I/O inside one attempt: `for attempt in ctx.retrying(): with attempt: ...`.

        Retries retryable errors, lost connections and operational database errors with exponential back-off and full
        jitter, as often as the component's policy says; the last error is raised as it was.
        """
        return Retrying(
            stop=stop_after_attempt(self.policy.io_attempts),
            wait=wait_random_exponential(multiplier=0.2, max=self.policy.io_longest_wait),
            retry=retry_if_exception(is_retryable),
            reraise=True,
        )

    @property
    def _folder(self) -> str:
        """The component comes first, so that a policy can allow it this prefix and no other."""
        return f"{self.component}/{self.run_id}/{self.item}"
