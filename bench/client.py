"""A client that costs next to nothing: one kept-alive connection, one request after another."""

import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_CHUNK = 1 << 18
_UNCHANGED = 304


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, the head and the body of an answer."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of a header.

        Raises:
            RuntimeError: when it is not there.
        """
        for line in self.head.decode("latin-1").split("\r\n"):
            found, _, value = line.partition(":")
            if found.lower() == name:
                return value.strip()
        raise RuntimeError(f"an answer without {name}")


class Client:
    """Sends the same GET request over and over; a context manager.

    Args:
        port: of the server, on loopback.
        path: with the query.
        headers: those besides Host.
    """

    def __init__(self, port: int, path: str, headers: dict[str, str] | None = None) -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self) -> Answer:
        """Send the request and return the whole answer.

        Raises:
            RuntimeError: as `receive`.
        """
        self.send()
        return self.receive()

    def send(self) -> None:
        """Send the request."""
        self._connection.sendall(self._request)

    def receive(self) -> Answer:
        """Return the whole answer to the request that was sent.

        Raises:
            RuntimeError: when the answer is no HTTP with a content length, or breaks off.
        """
        received = bytearray()
        while (end_of_head := received.find(b"\r\n\r\n")) < 0:
            self._receive(received)
        head = bytes(received[:end_of_head])
        status = int(head[9:12])
        whole = end_of_head + 4 + (0 if status == _UNCHANGED else _content_length(head.lower()))
        while len(received) < whole:
            self._receive(received)
        return Answer(status, head, bytes(received[end_of_head + 4 : whole]))

    def _receive(self, received: bytearray) -> None:
        chunk = self._connection.recv(_CHUNK)
        if not chunk:
            raise RuntimeError("the server closed the connection")
        received += chunk


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    raise RuntimeError("an answer without a content length")
