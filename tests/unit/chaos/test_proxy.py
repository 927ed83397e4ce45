"""The line between two programs: passing, held, refused, and dropped at a chosen chunk."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from chaos.background import background
from chaos.proxy import Line


class Echo:
    """A server that gives back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1024):
            self.heard += chunk
            writer.write(chunk)
        writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def line(echo: Echo) -> Iterator[Line]:
    with background() as behind:
        server = behind.run(asyncio.start_server(echo.serve, "127.0.0.1", 0))
        port = server.sockets[0].getsockname()[1]
        with Line(behind, lambda: asyncio.open_connection("127.0.0.1", port)).listening() as line:
            yield line
        behind.loop.call_soon_threadsafe(server.close)


@pytest.fixture
def client(line: Line) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", line.port), timeout=5) as client:
        yield client


def test_a_line_passes_everything_on(client: socket.socket) -> None:
    client.sendall(b"one")
    assert client.recv(10) == b"one"
    client.shutdown(socket.SHUT_WR)
    assert client.recv(10) == b""


def test_what_is_sent_while_it_is_held_comes_afterwards(line: Line, client: socket.socket, echo: Echo) -> None:
    client.sendall(b"one")
    assert client.recv(10) == b"one"
    line.hold()
    client.sendall(b"two")
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(10)
    assert echo.heard == b"one"
    line.restore()
    client.settimeout(5)
    assert client.recv(10) == b"two"


def test_a_line_that_refuses_breaks_old_connections_and_new_ones(line: Line, client: socket.socket) -> None:
    client.sendall(b"one")
    assert client.recv(10) == b"one"
    line.refuse()
    assert is_broken(client)
    with socket.create_connection(("127.0.0.1", line.port), timeout=5) as other:
        assert is_broken(other)
    line.restore()
    with socket.create_connection(("127.0.0.1", line.port), timeout=5) as other:
        other.sendall(b"two")
        assert other.recv(10) == b"two"


@pytest.mark.parametrize("seen", [True, False])
def test_a_trap_breaks_one_connection_once(line: Line, client: socket.socket, echo: Echo, seen: bool) -> None:
    trap = line.trap(b"COMMIT", seen_by_server=seen)
    client.sendall(b"BEGIN")
    assert client.recv(10) == b"BEGIN"
    client.sendall(b"COMMIT")
    assert is_broken(client)
    assert trap.sprung
    assert echo.heard == (b"BEGINCOMMIT" if seen else b"BEGIN")
    with socket.create_connection(("127.0.0.1", line.port), timeout=5) as other:
        other.sendall(b"COMMIT")
        assert other.recv(10) == b"COMMIT"


def is_broken(client: socket.socket) -> bool:
    try:
        return client.recv(10) == b""
    except ConnectionError:
        return True
