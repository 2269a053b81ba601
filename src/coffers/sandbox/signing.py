"""Checks that a signed request is the key holder's, fresh and allowed, as the venue does."""

import hmac
import re
from hashlib import sha256

from coffers.sandbox import refusals
from coffers.sandbox.accounts import Account, Ledger
from coffers.sandbox.call import Call

_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}")
_DEFAULT_WINDOW = 5_000
_LONGEST_WINDOW = 60_000
_LEAD = 1_000


def authenticate(ledger: Ledger, call: Call, now: int) -> Account:
    """Return the account that a signed request speaks for.

    Raises:
        Refused: with the venue's error for the first thing that is wrong.
    """
    account = identify(ledger, call)
    _check_signature(account.secret, call)
    _check_freshness(call, now)
    return account


def identify(ledger: Ledger, call: Call) -> Account:
    """Return the account of the key in the request's header.

    Raises:
        Refused: for a key that is malformed, unknown, revoked or used from a strange address.
    """
    if not _KEY.fullmatch(call.key):
        raise refusals.key_malformed()
    account = ledger.find(call.venue, call.key)
    if account is None or account.is_revoked:
        raise refusals.key_refused()
    if account.rights.ips and call.address not in account.rights.ips:
        raise refusals.address_refused(call.address)
    return account


def sign(secret: str, text: str) -> str:
    """Return the hexadecimal HMAC-SHA256 of a text under a secret."""
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def _check_signature(secret: str, call: Call) -> None:
    given = call.text("signature")
    signed = _unsigned(call.query) + _unsigned(call.body)
    if not hmac.compare_digest(sign(secret, signed).encode(), given.lower().encode()):
        raise refusals.signature_wrong()


def _unsigned(text: str) -> str:
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def _check_freshness(call: Call, now: int) -> None:
    sent = call.integer("timestamp")
    window = call.integer("recvWindow", _DEFAULT_WINDOW)
    if window > _LONGEST_WINDOW:
        raise refusals.window_too_long()
    if sent >= now + _LEAD:
        raise refusals.early_timestamp()
    if now - sent > window:
        raise refusals.stale_timestamp()
