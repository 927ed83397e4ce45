"""A TCP line that can be held, cut, slowed down and dropped at a chosen moment. Its calls are for other threads."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chaos.background import Background

CHUNK = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]


@dataclass
class Trap:
    """Springs once, at the first chunk of a client that contains `text`.

    The connection is dropped then: before the server has seen the chunk, or when its reply comes, which the client never sees.
    """

    text: bytes
    seen_by_server: bool
    sprung: bool = False


class Line:
    """From a port of the loopback interface to wherever `connect` leads."""

    def __init__(self, background: Background, connect: Connect) -> None:
        self._background = background
        self._connect = connect
        self._pairs: set[_Pair] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self._delay = 0.0
        self._traps: list[Trap] = []
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @contextmanager
    def listening(self) -> Iterator["Line"]:
        self._background.run(self._listen())
        try:
            yield self
        finally:
            self._background.run(self._close())

    def hold(self) -> None:
        """As a network that is cut: nothing gets through, nobody is told. What was sent meanwhile gets through afterwards."""
        self._background.run(self._set_passing(False))

    def refuse(self) -> None:
        """As a server that is down: connections break, new ones are closed at once."""
        self._refusing = True
        self.drop()

    def restore(self) -> None:
        """As at first: it passes everything at once."""
        self._refusing = False
        self._delay = 0.0
        self._traps.clear()
        self._background.run(self._set_passing(True))

    def slow(self, seconds: float) -> None:
        """Hold each chunk that a client sends for so long: a query takes one."""
        self._delay = seconds

    def drop(self) -> None:
        """Break every connection there is."""
        self._background.run(self._drop())

    def trap(self, text: bytes, *, seen_by_server: bool) -> Trap:
        """Set a trap, for one connection."""
        trap = Trap(text, seen_by_server)
        self._traps.append(trap)
        return trap

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._set_passing(True)
        await self._drop()

    async def _set_passing(self, passing: bool) -> None:
        if passing:
            self._passing.set()
        else:
            self._passing.clear()

    async def _drop(self) -> None:
        for pair in list(self._pairs):
            pair.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        await self._passing.wait()
        try:
            server = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair((reader, writer), server)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._ask(pair), self._reply(pair))
        except (ConnectionError, TimeoutError):
            pass  # one end is gone: so is the other, below
        finally:
            self._pairs.discard(pair)
            pair.abort()

    async def _ask(self, pair: "_Pair") -> None:
        (reader, _), (_, server) = pair.client, pair.server
        while chunk := await reader.read(CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)  # the fault itself
            await self._passing.wait()
            trap = next((trap for trap in self._traps if trap.text in chunk and not trap.sprung), None)
            if trap is not None:
                trap.sprung = True
                pair.trapped = True
                if not trap.seen_by_server:
                    pair.abort()
                    return
            server.write(chunk)
            await server.drain()
        with contextlib.suppress(OSError):
            server.write_eof()

    async def _reply(self, pair: "_Pair") -> None:
        (_, client), (reader, _) = pair.client, pair.server
        while chunk := await reader.read(CHUNK):
            await self._passing.wait()
            if pair.trapped:
                pair.abort()
                return
            client.write(chunk)
            await client.drain()
        with contextlib.suppress(OSError):
            client.write_eof()


@dataclass(eq=False)
class _Pair:
    """One connection of a client and the one it leads to."""

    client: Streams
    server: Streams
    trapped: bool = False

    def abort(self) -> None:
        for _, writer in (self.client, self.server):
            writer.transport.abort()
