"""Resources that take a job: from CREATE_PENDING to ACTIVE or CREATE_FAILED in a bounded pool of processes, and deletions.

One service at a time works on a database: it holds an advisory lock, which PostgreSQL gives back when the service is gone.
Whoever takes the lock finds what its predecessor left CREATE_IN_PROGRESS, and starts it again. An attempt is counted
before it starts, and a result is only taken from the latest, so that what kills its process is given up after
`MOST_ATTEMPTS`, and visibly.
"""

import json
import logging
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import dict_row

from contracts.errors import BadRequest
from services.forecast_api import work
from services.forecast_api.store import (
    ACTIVE,
    CREATE_FAILED,
    CREATE_IN_PROGRESS,
    CREATE_PENDING,
    DELETE_IN_PROGRESS,
    DELETE_PENDING,
    Connection,
)

log = logging.getLogger("brigade.forecast_api")

LOCK = 7064313
MOST_ATTEMPTS = 3

PATIENCE = 10.0
"""Seconds until a service that was killed has surely given its lock back."""

LOOK = 1.0
"""Seconds between two looks when nobody says that there is something to do."""

Result = Future[work.Done | work.Failed]


@dataclass
class Jobs:
    """`workers` processes at most. `look` says that there may be something to do."""

    database_url: str
    workers: int
    _stirred: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _running: dict[str, tuple[int, Result]] = field(default_factory=dict)
    _executor: ProcessPoolExecutor | None = None
    _ended_by_mistake: bool = False

    @property
    def well(self) -> bool:
        """Whether jobs are done, or will be when there are any."""
        return not self._ended_by_mistake

    def look(self) -> None:
        self._stirred.set()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Until this is left; what is under way then is pending again. Raises BadRequest when another service has the lock."""
        connection = self._open()
        if connection is None:
            raise BadRequest("another forecast-api works on this database: end it, or name another DATABASE_URL")
        thread = threading.Thread(target=self._work, args=(connection,), name="jobs")
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.look()
            thread.join()

    def _open(self) -> Connection | None:
        """A connection that holds the lock, or None when another keeps it for longer than `PATIENCE`."""
        connection = psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True, connect_timeout=10)
        try:
            connection.execute(f"SET lock_timeout = '{PATIENCE:g}s'".encode())
            connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            connection.execute("SET lock_timeout = 0")
        except psycopg.errors.LockNotAvailable:
            connection.close()
            return None
        self._resume(connection)
        return connection

    def _resume(self, connection: Connection) -> None:
        """What nobody works on any more is pending again, or has failed too often."""
        found = connection.execute(
            "SELECT arn, attempts FROM forecast_resources WHERE status = %s AND NOT arn = ANY(%s)",
            (CREATE_IN_PROGRESS, list(self._running)),
        ).fetchall()
        for row in found:
            self._again(connection, row["arn"], row["attempts"], "the service was ended while it was being created")

    def _work(self, connection: Connection | None) -> None:
        try:
            self._work_until_told(connection)
        except Exception:
            self._ended_by_mistake = True
            raise

    def _work_until_told(self, connection: Connection | None) -> None:
        while not self._stopping.is_set():
            self._stirred.clear()
            try:
                connection = connection or self._open()
                if connection is not None and self._turn(connection):
                    continue
            except psycopg.Error as error:
                log.warning("the database does not answer, and is asked again: %s", str(error).strip())
                connection = None
            self._stirred.wait(LOOK)
        self._end(connection)

    def _turn(self, connection: Connection) -> bool:
        """Whether there was anything to do."""
        finished = [(arn, attempt, result) for arn, (attempt, result) in self._running.items() if result.done()]
        for arn, attempt, result in finished:
            self._finish(connection, arn, attempt, result)
            del self._running[arn]
        deleted = _delete_pending(connection)
        started = self._start(connection, self.workers - len(self._running))
        return bool(finished or deleted or started)

    def _start(self, connection: Connection, free: int) -> int:
        rows = connection.execute(
            "UPDATE forecast_resources SET status = %s, attempts = attempts + 1, changed_at = clock_timestamp()"
            " WHERE arn IN (SELECT arn FROM forecast_resources WHERE status = %s ORDER BY created_at LIMIT %s)"
            " RETURNING arn, attempts",
            (CREATE_IN_PROGRESS, CREATE_PENDING, free),
        ).fetchall()
        for row in rows:
            log.info("%s: attempt %d", row["arn"], row["attempts"])
            self._running[row["arn"]] = row["attempts"], self._submit(row["arn"])
        return len(rows)

    def _submit(self, arn: str) -> Result:
        if self._executor is None:
            # Spawned: a fork would take connections and threads of the service with it.
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(self.workers, mp_context=context, initializer=work.begin)
        try:
            result = self._executor.submit(work.run, self.database_url, arn)
        except BrokenProcessPool as error:
            self._executor = None
            result = Future()
            result.set_exception(error)
        result.add_done_callback(lambda _: self.look())
        return result

    def _finish(self, connection: Connection, arn: str, attempt: int, result: Result) -> None:
        error = result.exception()
        if error is not None:
            if isinstance(error, BrokenProcessPool):
                self._executor = None
            self._again(connection, arn, attempt, f"its process did not end well: {type(error).__name__}: {error}")
            return
        found = result.result()
        failed = isinstance(found, work.Failed)
        log.info("%s: %s", arn, found.message if isinstance(found, work.Failed) else ACTIVE)
        connection.execute(
            "UPDATE forecast_resources SET status = %s, message = %s, details = details || %s::jsonb, content = %s,"
            " changed_at = clock_timestamp() WHERE arn = %s AND attempts = %s AND status = %s",
            (
                CREATE_FAILED if failed else ACTIVE,
                found.message if isinstance(found, work.Failed) else None,
                "{}" if isinstance(found, work.Failed) else json.dumps(found.details, allow_nan=False),
                None if isinstance(found, work.Failed) else found.content,
                *(arn, attempt, CREATE_IN_PROGRESS),
            ),
        )

    def _again(self, connection: Connection, arn: str, attempt: int, why: str) -> None:
        given_up = attempt >= MOST_ATTEMPTS
        log.warning("%s: %s; %s", arn, why, "given up" if given_up else "it is tried again")
        connection.execute(
            "UPDATE forecast_resources SET status = %s, message = %s, changed_at = clock_timestamp()"
            " WHERE arn = %s AND attempts = %s AND status = %s",
            (
                CREATE_FAILED if given_up else CREATE_PENDING,
                f"{why}, {attempt} times: delete it and create it again" if given_up else None,
                *(arn, attempt, CREATE_IN_PROGRESS),
            ),
        )

    def _end(self, connection: Connection | None) -> None:
        """A training may take minutes more: its process is ended, and the attempt does not count."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.kill()
        if connection is None:
            return
        with connection:
            connection.execute(
                "UPDATE forecast_resources SET status = %s, attempts = attempts - 1 WHERE status = %s",
                (CREATE_PENDING, CREATE_IN_PROGRESS),
            )


def _delete_pending(connection: Connection) -> int:
    """Two statements, as two states: whoever describes it meanwhile sees that it is being deleted."""
    pending, going = [DELETE_PENDING, DELETE_IN_PROGRESS], DELETE_IN_PROGRESS
    connection.execute("UPDATE forecast_resources SET status = %s WHERE status = %s", (going, DELETE_PENDING))
    return connection.execute("DELETE FROM forecast_resources WHERE status = ANY(%s)", (pending,)).rowcount
