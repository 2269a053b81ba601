"""Moments as parameters: a day, or an ISO 8601 time."""

from datetime import UTC, date, datetime, time

from coffers.clock import DAY, Millis
from coffers.errors import InvalidRecord


def begin_of(name: str, text: str) -> Millis:
    """Return the moment that a parameter names; a day begins at midnight in UTC.

    A time without an offset is in UTC.

    Raises:
        InvalidRecord: for what is neither a day nor a time.
    """
    return _moment(name, text)[0]


def end_of(name: str, text: str) -> Millis:
    """Return the moment that a line of values ends at; a day's end is the next midnight in UTC.

    Raises:
        InvalidRecord: for what is neither a day nor a time.
    """
    moment, is_day = _moment(name, text)
    return Millis(moment + DAY) if is_day else moment


def last_of(name: str, text: str) -> Millis:
    """Return the last moment that is meant; of a day it is the one before the next midnight.

    Raises:
        InvalidRecord: for what is neither a day nor a time.
    """
    moment, is_day = _moment(name, text)
    return Millis(moment + DAY - 1) if is_day else moment


def _moment(name: str, text: str) -> tuple[Millis, bool]:
    try:
        return _millis(datetime.combine(date.fromisoformat(text), time(), UTC)), True
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return _millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC)), False
    except (ValueError, OverflowError):
        raise InvalidRecord({name: ["is invalid"]}) from None


def _millis(moment: datetime) -> Millis:
    return Millis(round(moment.timestamp() * 1000))
