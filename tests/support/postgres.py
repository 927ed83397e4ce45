"""PostgreSQL alone, for tests that need no AWS."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.embedded.postgres import start_postgres, wait_for_postgres
from tests.support.stack import temporary_home


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server on a Unix socket, which is stopped at the end."""
    with temporary_home() as home:
        home.create()
        record = start_postgres(home)
        wait_for_postgres(record)
        yield record.url
