"""A connection that can be refused: it gets one last answer, and nothing more is taken from it.

What is not HTTP, and a head that is too large or too late, never reaches the application; it gets
the wire's error all the same, with a request id.
"""

import asyncio
from typing import Final, Literal

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from coffers import metrics
from coffers.api.edge import REQUEST_ID, request_id_of
from coffers.api.errors import MAX_TARGET, AddressTooLong, WireError, wire_error
from coffers.api.paging import field_lines

MAX_HEAD: Final = 32 * 1024
"""The most bytes of a request's line and headers."""

MAX_FIELDS: Final = 100
"""The most header fields of a request."""

_LINGER_SECONDS: Final = 1
_LINGER_BYTES: Final = 8 * MAX_HEAD
_FIELD_MARKS: Final = len(b": \r\n")

LATE: Final = WireError(408, "request_timeout", "The request did not come in time.")

_NOT_HTTP: Final = WireError(400, "bad_request", "This is no HTTP request.")
_TOO_LARGE: Final = WireError(
    431,
    "header_fields_too_large",
    f"The head is longer than {MAX_HEAD} bytes, or has more than {MAX_FIELDS} fields.",
)


class RefusingProtocol(HttpToolsProtocol):
    """One connection, as far as refusing it goes."""

    url = b""
    _part: Literal["between", "head", "body"] = "between"
    _fed = 0  # bytes of a head, or since the last of a body: trailers grow like heads
    _is_refused = False
    _timer: asyncio.TimerHandle | None = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - says less than our sentence
        """Answer what is no HTTP."""
        self._refuse(_NOT_HTTP)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _size(self) -> int:
        # The bytes that were fed may be those of several requests.
        fields = sum(len(name) + len(value) + _FIELD_MARKS for name, value in self.headers)
        return len(self.url) + fields

    def _too_large(self) -> WireError:
        if self._part == "head" and len(self.url) > MAX_TARGET:
            return wire_error(AddressTooLong(), "")
        return _TOO_LARGE

    def _refuse(self, error: WireError) -> None:
        """Give the last answer of this connection, and take nothing more from it."""
        if self._is_refused:
            return
        self._is_refused = True
        if self._is_answering():
            if self._part == "head" or self.cycle.response_started:
                # An answer to an earlier request is under way, which this one must not cut.
                self.cycle.keep_alive = False
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self._part == "head" or self._is_answering():
            metrics.requests.labels(metrics.UNKNOWN_ROUTE, error.status).inc()
            self.transport.write(self._answer(error))
        self._hang_up()

    def _answer(self, error: WireError) -> bytes:
        body = error.body()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (REQUEST_ID, request_id_of(dict(self.headers or ()))),
            (b"connection", b"close"),
        ]
        return b"%s%s\r\n%s" % (STATUS_LINE[error.status], field_lines(headers), body)

    def _hang_up(self) -> None:
        # Closed at once with bytes unread, the connection would be reset, and the answer lost.
        self.flow.resume_reading()
        self.transport.write_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _discard(self, data: bytes) -> None:
        self._fed += len(data)
        if self._fed > _LINGER_BYTES:
            # It does not listen. Reading on from four of them made an answer take 55 ms, not 20.
            self.flow.pause_reading()
