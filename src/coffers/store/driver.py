"""How PostgreSQL's driver connects: by itself, and below SQLAlchemy, to a server or to a pooler.

A pooler that hands out transactions gives each one to whichever session of the server is free. A
statement that is prepared under a name stays with one session. One without a name is prepared anew
together with each run of it, in the same message: nothing stays behind, and no round trip is added.
"""

from collections.abc import Callable
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # the driver ships no types
from sqlalchemy.engine import URL

KEPT_CONNECTIONS, MOST_CONNECTIONS = 5, 10
"""How many connections a process keeps for transactions, and how many it opens at the most."""

HELD_CONNECTIONS = 1
"""How many an API process opens for the look-up that every call begins with."""

LISTENING_CONNECTIONS = 1
"""How many a process listens over."""

CONNECTED_BY = 10.0
"""Seconds within which a server must have taken a connection."""

_SQLALCHEMYS_OWN = ("prepared_statement_cache_size", "prepared_statement_name_func")
_UNNAMED: dict[str, Any] = {"statement_cache_size": 0}


def library_options(*, is_pooled: bool) -> dict[str, Any]:
    """Return what SQLAlchemy hands to the driver beside the URL."""
    if not is_pooled:
        return {}
    no_name: Callable[[], str] = str
    return {**_UNNAMED, "prepared_statement_name_func": no_name}


def driver_options(url: URL) -> dict[str, Any]:
    """Return what the driver alone takes of a URL."""
    _, options = url.get_dialect()().create_connect_args(url)
    return {name: value for name, value in options.items() if name not in _SQLALCHEMYS_OWN}


async def connect(url: URL) -> asyncpg.Connection:
    """Open a connection of one's own, with the driver alone.

    Raises:
        PostgresError, InterfaceError, OSError, TimeoutError: of the driver's, when there is none.
    """
    return await asyncpg.connect(**{"timeout": CONNECTED_BY, **driver_options(url)})
