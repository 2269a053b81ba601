"""A line to a server on this machine that a test can cut, stall and mend."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_AT_ONCE = 65_536
_RESET = struct.pack("ii", 1, 0)


class Cable:
    """Carries TCP connections to a port, or to a socket in the file system.

    The address at this end stays the same throughout.
    """

    def __init__(self, target: int | str) -> None:
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        """Let everything through from now on."""
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def stall(self) -> None:
        """Take connections and bytes in, and let nothing through."""
        self._flows.clear()

    def reset(self) -> None:
        """Break every connection that there is now; new ones work."""
        for end in tuple(self._ends):
            line: socket.socket = end.get_extra_info("socket")
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await self._reach()
            self._ends |= {writer, back}
            try:
                await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            finally:
                self._ends -= {writer, back}
                back.transport.abort()
        writer.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, str):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection("127.0.0.1", self._target)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(_AT_ONCE):
            await self._flows.wait()
            sink.write(chunk)
            await sink.drain()
        await self._flows.wait()
        sink.write_eof()


@asynccontextmanager
async def laid(target: int | str) -> AsyncIterator[Cable]:
    """Lay a cable to a port of this machine, or to a socket."""
    cable = Cable(target)
    await cable.mend()
    try:
        yield cable
    finally:
        cable.cut()
