"""Which account a balance answer is of, where the venue names it there."""

import hashlib

from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.rules import first, identities
from coffers.connectors.exchange.shapes import value_at


def identity_of(venue: Venue, wallet: str, answer: object) -> str | None:
    """Return what names the account that an answer is of, None where the venue does not tell.

    Args:
        venue: who answered.
        wallet: which wallet was asked for.
        answer: the JSON of the last call.
    """
    path = (first(identities(), venue.family) or {}).get(wallet)
    return None if path is None else told_identity(venue, answer, path)


def told_identity(venue: Venue, answer: object, path: str) -> str | None:
    """Return what names the account whose number is at this place, None where there is none."""
    told = value_at(answer, path.split("."))
    # A flag or a container names nobody, and neither do the values that stand for nothing.
    if isinstance(told, bool) or not isinstance(told, str | int) or str(told) in {"", "0"}:
        return None
    return hashed_identity(venue, str(told))


def hashed_identity(venue: Venue, number: str) -> str:
    """Return what names the account of this number, or of any other word that is its own.

    A hash: it is for comparing, and the venue's own number of a customer is nobody's business.
    """
    return hashlib.sha256(f"{venue.id}\0{number}".encode()).hexdigest()[:32]
