"""HTTP as the server speaks it to anybody who connects: with bounds on what it takes unasked.

Before a request reaches the application, its head has to fit and to come in time; else it is
refused (`refusing`). A request for the list is answered here and now where it can be.
"""

import asyncio
import select
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from coffers.api.errors import WireError
from coffers.api.paging import ACCOUNTS_PATH, field_lines
from coffers.api.parser import Parser
from coffers.api.refusing import LATE, MAX_FIELDS, MAX_HEAD, RefusingProtocol
from coffers.serving.scope import CONNECTION
from coffers.tasks import begun

HEAD_SECONDS: Final = 15
"""Time that a head may take from its first byte, and a new connection until it sends one."""

BODY_SECONDS: Final = 30
"""Time that a body may stand still."""

LAST_SECONDS: Final = 0.5
"""Time that a connection has to send one more request once the server is ending. If it were closed
at once, a request on its way would be lost. The answer says that it is the last one."""

_AGAIN_SECONDS: Final = 0.05
_MAX_KEPT: Final = 2048  # bytes of a request
_OF_BODIES: Final = (b"content-length", b"transfer-encoding")
_NO_FIELDS: Final[tuple[list[tuple[bytes, bytes]], bytes]] = ([], b"")


class _Refused(Exception):
    """Stops the parser in a request that has its answer already."""


class _Request(NamedTuple):
    """The bytes of a request without a body, and what is in them."""

    data: bytes
    url: bytes
    headers: list[tuple[bytes, bytes]]


_NO_REQUEST: Final = _Request(b"", b"", [])
_NO_OTHER_PROTOCOL: Final = WireError(
    400, "bad_request", "This server speaks HTTP/1.1 alone: send no Upgrade header with a body."
)


class BoundedProtocol(RefusingProtocol):
    """One connection.

    A parser that gets a field in pieces copies all of it at each piece: without a bound a few
    connections keep the process from everything else.
    """

    head_seconds: ClassVar[float] = HEAD_SECONDS
    body_seconds: ClassVar[float] = BODY_SECONDS
    last_seconds: ClassVar[float] = LAST_SECONDS

    _heard = _begun = 0.0  # moments of the loop's clock
    _messages = 0
    _last = _NO_REQUEST  # as long as the parser has seen none since
    _idle_until = 0.0
    _may_begin = False
    _is_ending = False
    _last_at = 0.0
    _tell_ending: Callable[[], None] | None = None
    _running: RequestResponseCycle | None = None
    _fields_of_all: ClassVar[tuple[list[tuple[bytes, bytes]], bytes]] = _NO_FIELDS

    def connection_made(  # type: ignore[override]  # as in the class above
        self, transport: asyncio.Transport
    ) -> None:
        """Begin to watch a new connection."""
        super().connection_made(transport)
        self.parser = Parser(self)
        # As the base class has it: what follows a connection's last request is no error.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._heard = self.loop.time()
        self._idle_until = self._heard + self.head_seconds
        self._timer = self.loop.call_at(self._next_look(self._idle_until), self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching, and tell whoever answers."""
        running = self._running
        if running is not None and running is not self.cycle and not running.response_complete:
            # The base class tells only the newest request, which waits behind this one: a stream
            # that runs would otherwise go on for ever.
            running.disconnected = True
            running.message_event.set()
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take the next bytes, unless the client had its last answer."""
        if self._is_refused:
            self._discard(data)
            return
        self._heard = self.loop.time()
        is_new = self._part == "between"
        if is_new:
            # Not left to the parser, which does not count empty lines before a request to it.
            self._begin()
        self._fed += len(data)
        self._may_begin = True
        if is_new and data == self._last.data:
            self._repeat(self._last)
        else:
            self._last, self._messages = _NO_REQUEST, 0
            super().data_received(data)
            if is_new and self._messages == 1:
                self._keep(data)
        self._may_begin = False
        if self._fed > MAX_HEAD and self._part != "between":
            self._refuse(self._too_large())
        if self._is_ending:
            self._await_last()

    def on_message_begin(self) -> None:
        """Begin a request, which may follow another in the same bytes."""
        # The one before may have its answer already, and the connection may count as idle.
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        super().on_message_begin()
        self._messages += 1
        self.scope[CONNECTION] = self  # type: ignore[typeddict-unknown-key]  # a key of our own
        if self._part != "head":
            self._begin()

    def on_headers_complete(self) -> None:
        """Hand the request to the application if its head is not too large."""
        if len(self.headers) > MAX_FIELDS or (self._fed > MAX_HEAD and self._size() > MAX_HEAD):
            self._refuse(self._too_large())
            raise _Refused
        if self.parser.should_upgrade() and self._has_body():
            # The parser would take the body for the next request, and a proxy the answer to that
            # for somebody else's.
            self._refuse(_NO_OTHER_PROTOCOL)
            raise _Refused
        # The parser adds what follows a body in chunks, which may be anybody's X-Forwarded-For.
        self.scope["headers"] = [*self.headers]
        super().on_headers_complete()
        self._part = "body"
        self._fed = 0

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which the application bounds."""
        self._fed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next request."""
        self._part = "between"
        self._idle_until = self._heard + self.timeout_keep_alive
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Take the next request; where there is none yet, the connection begins to be idle."""
        if self.pipeline or self._is_ending:
            super().on_response_complete()
            return
        # A timer for each answer, stopped by the next request, took a twentieth of their time.
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_until = self.loop.time() + self.timeout_keep_alive

    def shutdown(self) -> None:
        """Take one more request where none is being answered, and close after its answer.

        An answer that is being sent is finished first.
        """
        self._is_ending = True
        self._last_at = self.loop.time() + self.last_seconds
        if self._tell_ending is not None:
            self._tell_ending()
        if self._is_answering():
            self.cycle.keep_alive = False
        else:
            self._await_last()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, unless a request came in while the loop was busy."""
        if self.transport.is_closing():
            return
        if self._has_unread():
            self._close_idle_at(self.loop.time() + _AGAIN_SECONDS)
        else:
            self.transport.close()

    def when_ending(self, tell: Callable[[], None]) -> None:
        """Call back when the server is about to end, at once if it already is."""
        self._tell_ending = tell
        if self._is_ending:
            tell()

    def reply(self, scope: Scope, status: int, fields: bytes, body: bytes) -> bool:
        """Answer a request whole and at once; return False where that cannot be: nothing was sent.

        `fields` are the lines of its headers, checked already. The server's usual way takes an
        answer in two parts and checks every header again; it is still used for a connection's last
        answer, and for a client that reads too slowly.
        """
        cycle = self.cycle
        if (
            cycle.scope is not scope
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
        ):
            return False
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"%s%s%s\r\n" % (STATUS_LINE[status], self._server_fields(), fields))
        if body:
            self.transport.write(body)
        cycle.on_response()
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Begin to answer a request; a list at once, since most are ready before anything waits.

        Of several requests that came together only the first; the others wait their turn.
        """
        self._running = cycle
        if self._is_ending:
            cycle.keep_alive = False
        if not self._may_begin or cycle.scope["path"] != ACCOUNTS_PATH:
            super()._start_asgi_task(cycle, app)
            return
        self._may_begin = False
        task = begun(cycle.run_asgi(app), self.loop)
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def abort(self) -> None:
        """Close the connection at once, whatever waits to be sent."""
        self.transport.abort()

    def _keep(self, data: bytes) -> None:
        """Keep what the parser found, if these bytes were one whole request for the list.

        Clients that poll the list send the same bytes each time.
        """
        cycle = self.cycle
        if (
            self._part == "between"
            and cycle.scope["path"] == ACCOUNTS_PATH
            and cycle.keep_alive
            and cycle.scope["http_version"] == "1.1"
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
            and dict(self.headers).keys().isdisjoint(_OF_BODIES)
            and len(data) <= _MAX_KEPT
        ):
            self._last = _Request(data, self.url, list(self.headers))

    def _repeat(self, same: _Request) -> None:
        """Take a request once more, as the parser that stands at its beginning would."""
        self.on_message_begin()
        self.url = same.url
        self.headers += same.headers
        self.on_headers_complete()
        self.on_message_complete()

    def _server_fields(self) -> bytes:
        """Return the header lines that every answer has; the date in them changes each second."""
        headers, lines = self._fields_of_all
        if headers is not self.server_state.default_headers:
            headers = self.server_state.default_headers
            lines = field_lines(headers)
            BoundedProtocol._fields_of_all = headers, lines
        return lines

    def _has_body(self) -> bool:
        headers = dict(self.headers)
        return b"transfer-encoding" in headers or int(headers.get(b"content-length", 0)) > 0

    def _begin(self) -> None:
        self._part = "head"
        self._fed = 0
        self._begun = self._heard

    def _await_last(self) -> None:
        # What was refused closes by a timer of its own.
        if not self._is_answering() and not self._is_refused:
            self._close_idle_at(self._last_at)

    def _close_idle_at(self, moment: float) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_at(moment, self.timeout_keep_alive_handler)

    def _has_unread(self) -> bool:
        looking = select.poll()
        looking.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(looking.poll(0))

    def _look(self) -> None:
        """Close the connection if the client is late, or look again when it could be.

        One timer that looks at moments noted costs a request less than timers of its own.
        """
        if self.transport.is_closing():
            return
        now = self.loop.time()
        due = self._due(now)
        if due > now:
            self._timer = self.loop.call_at(self._next_look(due), self._look)
        elif self._part == "between" and self._has_unread() and not self._is_refused:
            # It is in time: the loop was busy.
            self._timer = self.loop.call_at(now + _AGAIN_SECONDS, self._look)
        elif self._is_refused or self._part == "between":
            self.transport.close()
        else:
            self._refuse(LATE)

    def _next_look(self, due: float) -> float:
        # A request may begin right after a look, and then has to be watched in time.
        return min(due, self.loop.time() + min(self.head_seconds, self.timeout_keep_alive))

    def _due(self, now: float) -> float:
        """Return when the client has to have sent more."""
        match self._part:
            case "body" if not self.flow.read_paused:
                return self._heard + self.body_seconds
            case "head" if not self._is_answering():
                return self._begun + self.head_seconds
            case "between" if not self._is_answering() and self.timeout_keep_alive_task is None:
                return self._idle_until
            case _:
                # The client waits for us, or the connection has a timer of its own as it ends.
                return now + self.head_seconds
