"""A connection to one Electrum server: JSON-RPC in lines, over TCP or TLS.

Source: https://electrumx-spesmilo.readthedocs.io/en/latest/protocol-basics.html
"""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from coffers.connectors.chain.nodes import MOST_BYTES
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.secret import Secret

CALL_TIMEOUT = 15.0
"""Seconds that a connection, or one answer, may take."""

MAX_CONCURRENT = 16
"""Calls under way on one connection; servers slow down who sends more."""

_PORTS = {"tcp": 50001, "ssl": 50002}


class ElectrumRefused(ConnectorFailure):
    """The server answered with an error of the protocol; `code` is the protocol's."""

    def __init__(self, code: object) -> None:
        super().__init__(
            FailureKind.UNEXPECTED_ANSWER,
            "The Electrum server refused a call.",
            code=f"electrum:{code if isinstance(code, int) else ''}",
        )


class Link:
    """An open connection. Calls may be under way together; answers come in any order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[object]] = {}
        self._calls = asyncio.Semaphore(MAX_CONCURRENT)
        self._is_lost = False

    async def call(self, method: str, *params: object) -> object:
        """Return the result of a call.

        Raises:
            ElectrumRefused: when the server answered with an error.
            ConnectorFailure: when it did not answer.
        """
        async with self._calls:
            if self._is_lost:
                raise _unreachable("closed the connection")
            id_ = next(self._ids)
            self._waiting[id_] = answer = asyncio.get_running_loop().create_future()
            body = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
            try:
                async with asyncio.timeout(CALL_TIMEOUT):
                    self._writer.write(json.dumps(body).encode() + b"\n")
                    await self._writer.drain()
                    return await answer
            except TimeoutError:
                raise _unreachable("did not answer in time") from None
            except OSError:
                raise _unreachable("closed the connection") from None
            finally:
                self._waiting.pop(id_, None)

    async def listen(self) -> None:
        """Give each answer to who waits for it, until the connection ends."""
        failure = _unreachable("closed the connection")
        try:
            while line := await self._reader.readline():
                self._answer(line)
        except (OSError, ValueError, RecursionError) as error:
            if not isinstance(error, OSError):
                failure = ConnectorFailure(
                    FailureKind.UNEXPECTED_ANSWER,
                    "The Electrum server's answer is not usable.",
                    code="odd",
                )
        self._is_lost = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(failure)

    def _answer(self, line: bytes) -> None:
        """Note one answer; what the server tells unasked has no id."""
        answer = json.loads(line, parse_float=str)
        id_ = answer.get("id") if isinstance(answer, dict) else None
        waiting = self._waiting.get(id_) if isinstance(id_, int) else None
        if waiting is None or waiting.done():
            return
        error = answer.get("error")
        if error is not None:
            waiting.set_exception(
                ElectrumRefused(error.get("code") if isinstance(error, dict) else None)
            )
        else:
            waiting.set_result(answer.get("result"))


@asynccontextmanager
async def opened(url: Secret) -> AsyncIterator[Link]:
    """Open a connection to `tcp://host:port` or `ssl://host:port`, and close it afterwards.

    A certificate must be one that this machine trusts.

    Raises:
        ConnectorFailure: when the server cannot be reached.
    """
    reader, writer = await _connected(url)
    link = Link(reader, writer)
    listening = asyncio.create_task(link.listen())
    try:
        yield link
    finally:
        listening.cancel()
        writer.close()
        with suppress(asyncio.CancelledError):
            await listening
        with suppress(OSError):
            await writer.wait_closed()


async def _connected(url: Secret) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url.reveal())
    port = parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context() if parts.scheme == "ssl" else None
    try:
        async with asyncio.timeout(CALL_TIMEOUT):
            return await asyncio.open_connection(
                parts.hostname, port, ssl=context, limit=MOST_BYTES
            )
    except ssl.SSLCertVerificationError:
        raise _unreachable("has a certificate that this machine does not trust") from None
    except (OSError, TimeoutError):
        raise _unreachable("cannot be reached") from None


def _unreachable(what: str) -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNREACHABLE, f"The Electrum server {what}.", code="unreachable"
    )
