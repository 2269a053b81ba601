"""Where the database is, as its URL tells; no error repeats any of the URL."""

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

POSTGRESQL: Final = "postgresql"
TLS_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_SQLITE: Final = "sqlite"
_PARAMETERS: Final = {
    _SQLITE: (),
    POSTGRESQL: (
        *("sslmode", "sslrootcert"),
        *("host", "port", "passfile", "krbsrvname", "target_session_attrs", "ssl"),
    ),
}
"""What a URL may tell behind its question mark; what both drivers of PostgreSQL understand."""

_UNREADABLE: Final = (
    "is no address of a database; special characters in its password must be percent-encoded"
)


def read_database(url: str) -> "URL":
    """Return what a URL tells: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.

    Raises:
        ValueError: for one that cannot be meant, with a sentence that shows none of its password.
    """
    # Here, since commands without a database start sooner without the library.
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    if url.partition("://")[0] not in _PARAMETERS:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    try:
        told = make_url(url)
    except (ArgumentError, ValueError):
        # Such as a port that is no number, which may be a part of a password.
        raise ValueError(_UNREADABLE) from None
    _check_parameters(told)
    if told.drivername == _SQLITE and (told.host or told.database in {None, "", ":memory:"}):
        raise ValueError("names no file: sqlite:///PATH, with four slashes for an absolute path")
    return told


def _check_parameters(told: "URL") -> None:
    known = _PARAMETERS[told.drivername]
    for name in told.query:
        if name not in known:
            takes = f"known are {', '.join(known)}" if known else "a file takes none"
            raise ValueError(f"has a parameter {name!r} that is not known; {takes}")
    mode, file = told.query.get("sslmode"), told.query.get("sslrootcert")
    if mode is not None and (mode not in TLS_MODES or "ssl" in told.query):
        raise ValueError(f"its sslmode must be one of {', '.join(TLS_MODES)}, and told once")
    if file is None and mode in {"verify-ca", "verify-full"}:
        raise ValueError(f"its sslmode {mode} needs sslrootcert, a file with certificates to trust")
    if file is not None and not (isinstance(file, str) and os.access(file, os.R_OK)):
        raise ValueError(f"its sslrootcert {file!r} cannot be read")
