"""How PostgreSQL's driver connects: by itself, and below SQLAlchemy, to a server or to a pooler.

A pooler that hands out transactions gives each one to whichever session of the server is free. A
statement that is prepared under a name stays with one session. One without a name is prepared anew
together with each run of it, in the same message: nothing stays behind, and no round trip is added.
"""

import socket
from asyncio import BaseTransport
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from sqlalchemy.engine import URL

KEPT_CONNECTIONS, MOST_CONNECTIONS = 5, 10
"""How many connections a process keeps for transactions, and how many it opens at the most."""

HELD_CONNECTIONS = 1
"""How many an API process opens for the look-up that every call begins with."""

LISTENING_CONNECTIONS = 1
"""How many a process listens over."""

HELD_FOR: Final = 30
"""Seconds after which the server undoes a transaction in which nothing more is said: its process
stands still, or the machine has vanished. What it holds is free again then."""

LOCK_WAITED_FOR: Final = 10
"""Seconds after which a statement gives up that waits for what another transaction holds."""

CONNECTED_BY = 10.0
"""Seconds within which a server must have taken a connection."""

SILENT_FOR: Final = 15
"""Seconds without a sign of life from the server's machine after which a connection is lost."""

_LOOKED_AT_EVERY: Final = 5

TLS: Final = ("sslmode", "sslrootcert")
"""What a URL may tell of TLS, in libpq's words."""

BOUNDED: Final = (
    f"SET LOCAL idle_in_transaction_session_timeout = '{HELD_FOR}s';"
    f"SET LOCAL lock_timeout = '{LOCK_WAITED_FOR}s';"
)
"""What bounds a transaction that has just begun."""

_SQLALCHEMYS_OWN = ("prepared_statement_cache_size", "prepared_statement_name_func")
_UNNAMED: dict[str, Any] = {"statement_cache_size": 0}


def without_tls(url: URL) -> URL:
    """Return a URL without what it tells of TLS, which SQLAlchemy cannot hand on."""
    return url.difference_update_query(TLS)


def library_options(url: URL, *, is_pooled: bool) -> dict[str, Any]:
    """Return what SQLAlchemy hands to the driver beside the URL `without_tls`."""
    options: dict[str, Any] = {"timeout": CONNECTED_BY, "connection_class": _Watched}
    if told := {name: url.query[name] for name in TLS if name in url.query}:
        # The driver has no arguments for these, and reads them as libpq does from a URL of its own.
        options["dsn"] = f"postgresql://?{urlencode(told)}"
    if not is_pooled:
        return options
    no_name: Callable[[], str] = str
    return {**options, **_UNNAMED, "prepared_statement_name_func": no_name}


def driver_options(url: URL) -> dict[str, Any]:
    """Return what the driver alone takes of a URL, but for TLS."""
    _, options = url.get_dialect()().create_connect_args(without_tls(url))
    return {name: value for name, value in options.items() if name not in _SQLALCHEMYS_OWN}


async def connect(url: URL) -> asyncpg.Connection:
    """Open a connection of one's own, with the driver alone.

    Raises:
        PostgresError, InterfaceError, OSError, TimeoutError: of the driver's, when there is none.
    """
    options = {**library_options(url, is_pooled=False), **driver_options(url)}
    return await asyncpg.connect(**options)


class _Watched(asyncpg.Connection):  # type: ignore[misc]  # the driver ships no types
    """A connection whose transactions end, and that is lost when the server's machine is.

    One that vanishes says nothing: whoever waits for its answer would wait for a quarter of an hour
    or for ever. The system itself asks it for a sign of life, and needs no answer of the server,
    which may be at work for long.

    The other way round the server is told, by each transaction as it begins: through a pooler
    nothing else would last until then, and in the same message it is no round trip more.
    """

    def __init__(self, protocol: Any, transport: BaseTransport, *rest: Any) -> None:  # noqa: ANN401 - the driver's
        super().__init__(protocol, transport, *rest)
        _watch(transport.get_extra_info("socket"))

    async def execute(self, query: str, *arguments: object, timeout: float | None = None) -> str:  # noqa: ASYNC109 - the driver's
        if query.startswith("BEGIN"):
            query += BOUNDED
        done: str = await super().execute(query, *arguments, timeout=timeout)
        return done


def _watch(line: socket.socket) -> None:
    if line.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Each system has some of these.
    for name, value in (
        ("TCP_KEEPIDLE", _LOOKED_AT_EVERY),
        ("TCP_KEEPINTVL", _LOOKED_AT_EVERY),
        ("TCP_KEEPCNT", SILENT_FOR // _LOOKED_AT_EVERY),
        ("TCP_USER_TIMEOUT", 1000 * SILENT_FOR),
    ):
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
