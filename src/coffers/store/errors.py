"""What can go wrong with the database, each with the sentence that its reader needs."""

import re
import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from coffers.errors import CoffersError, InvalidRecord


class StoreUnavailable(CoffersError):
    """The database cannot be read or written now."""


class UnknownMasterKey(StoreUnavailable):
    """A secret was sealed under a master key that the database does not know: nothing is stored."""

    def __init__(self) -> None:
        super().__init__(
            "the server has another master key than its data and keeps no secrets meanwhile; "
            "its log says more"
        )


class Unstorable(InvalidRecord):
    """A value that no column of the database can hold: it was given, and trying again is of no use.

    Where one is expected from outside it is refused before it comes here, by its name.
    """

    def __init__(self) -> None:
        super().__init__({"value": ["is one that the database cannot hold"]})


class DatabaseTooNew(CoffersError):
    """The database was written by a later release."""


class MigrationNeeded(CoffersError):
    """The database is of an earlier release and is not changed without being asked."""


class AlreadyConnected(InvalidRecord):
    """The same exchange key or address is connected already."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        super().__init__(
            {
                "api_key": ["This account is already connected!"],
                "account_id": [str(account_id)],
            }
        )
        self.args = (f"this key is connected already, as account {account_id}",)


class NameTaken(InvalidRecord):
    """Another user has this name."""

    def __init__(self, name: str) -> None:
        super().__init__({"name": [f"{name!r} is taken"]})


class KeyTaken(CoffersError):
    """There is a token with this API key."""

    def __init__(self) -> None:
        super().__init__("there is a token with this API key already")


_PLAIN = (
    (r"readonly database|read-only", "the database is read-only"),
    (r"disk is full|No space left", "the disk with the database is full"),
    (r"unable to open database", "the database file cannot be opened"),
    (r"database is locked", "the database stayed locked by another process"),
    (r"deadlock detected|lock timeout", "another change of the same held it up; try again"),
    (r"malformed|not a database", "the database file is damaged or no database"),
    (r"disk I/O error", "the disk with the database gives errors"),
    (r"password authentication|role .* does not exist", "the database refused the login"),
    (r"database .* does not exist", "the database does not exist"),
)


_DATA_EXCEPTION: Final = "22"
"""The class of PostgreSQL's errors for values that are out of range or cannot be meant."""


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return the clear form of a driver's error; what the driver said stays out of it."""
    said = error.orig if isinstance(error, DBAPIError) else error
    text = str(said)
    for pattern, sentence in _PLAIN:
        if re.search(pattern, text, re.IGNORECASE):
            return StoreUnavailable(sentence)
    return StoreUnavailable(f"the database did not answer ({type(error).__name__})")


def fault_of(error: BaseException) -> StoreUnavailable | Unstorable:
    """Return what an error of a driver says of who asked alone: of the database, or of a value."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return Unstorable() if _is_of_a_value(said) else unavailable(error)


def _is_of_a_value(said: BaseException | None) -> bool:
    # The driver of SQLite tells an integer above 64 bits by an error of Python's.
    if isinstance(said, sqlite3.DataError | OverflowError):
        return True
    return (getattr(said, "sqlstate", None) or "").startswith(_DATA_EXCEPTION)
