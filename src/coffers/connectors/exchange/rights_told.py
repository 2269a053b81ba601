"""What a venue's answer says of a key, as yes, no or unknown; what cannot be read is unknown."""

from collections.abc import Callable, Mapping, Sequence

from coffers.clock import SECOND, Millis, from_iso
from coffers.connectors.exchange.client import NotJson
from coffers.connectors.exchange.failures import unexpected
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.reading import ConnectorFailure, FailureKind

_NO_RIGHTS = "no_rights"
# Where ccxt finds neither an answer nor an error in what came, it raises one of these all the same.
_NO_ANSWER = frozenset(
    {_NO_RIGHTS, NotJson.__name__, "ExchangeError", "AuthenticationError", "PermissionDenied"}
)

_LAST = from_iso("9999-12-31T23:59:59Z")


def flag(told: Mapping[str, object], name: str) -> bool | None:
    """Return a field that is true or false."""
    value = told.get(name)
    return value if isinstance(value, bool) else None


def listed(value: object) -> list[str] | None:
    """Return the texts of a list, which may be empty."""
    if not isinstance(value, list):
        return None
    texts = [each for each in value if isinstance(each, str)]
    return texts if len(texts) == len(value) else None


def parted(value: object, separator: str | None = ",") -> list[str] | None:
    """Return the words of a text; one without any tells nothing."""
    if not isinstance(value, str):
        return None
    return [word.strip() for word in value.split(separator) if word.strip()] or None


def restricted(addresses: object) -> bool | None:
    """Return whether addresses are listed, in a list or a text; `*` stands for all of them."""
    texts = addresses.split(",") if isinstance(addresses, str) else listed(addresses)
    return None if texts is None else any(text.strip() not in {"", "*"} for text in texts)


def millis(value: object) -> Millis | None:
    """Return a moment in milliseconds, a number or its digits; 0 and less mean none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return Millis(value) if 0 < value <= _LAST else None


def seconds(value: object) -> Millis | None:
    """Return a moment in seconds, as `millis` does."""
    moment = millis(value)
    return None if moment is None else millis(moment * SECOND)


def instant(value: object) -> Millis | None:
    """Return an ISO 8601 moment; 1970-01-01T00:00:00Z means none."""
    try:
        return millis(from_iso(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def part(session: VenueSession, answer: object, *path: str) -> Mapping[str, object]:
    """Return the object at a path of an answer; `0` is the first of a list.

    Raises:
        ConnectorFailure: where there is none: that is no answer on rights, perhaps an outage.
    """
    found = answer
    for step in path:
        if isinstance(found, Mapping):
            found = found.get(step)
        else:
            found = found[0] if step == "0" and isinstance(found, list) and found else None
    if not isinstance(found, Mapping) or not found:
        raise no_rights(session)
    return found


def rows(session: VenueSession, answer: object, name: str) -> Sequence[object]:
    """Return the list of this name in an answer; it may be empty.

    Raises:
        ConnectorFailure: as `part`.
    """
    found = part(session, answer).get(name)
    if not isinstance(found, list):
        raise no_rights(session)
    return found


def only(
    entries: Sequence[object], is_own: Callable[[Mapping[str, object]], bool]
) -> Mapping[str, object]:
    """Return the one entry that is of the asking key, an empty one where that cannot be told."""
    own = [entry for entry in entries if isinstance(entry, Mapping) and is_own(entry)]
    return own[0] if len(own) == 1 else {}


def no_rights(session: VenueSession) -> ConnectorFailure:
    """Return the failure for an answer that says nothing of rights."""
    return unexpected(session.venue, "it does not tell what the key may do", _NO_RIGHTS)


def is_untold(failure: ConnectorFailure) -> bool:
    """Tell a venue's refusal to say from an outage that only looks like an answer."""
    if failure.kind is FailureKind.UNEXPECTED_ANSWER:
        return failure.code not in _NO_ANSWER
    return failure.kind in {FailureKind.PERMISSION_DENIED, FailureKind.UNSUPPORTED}
