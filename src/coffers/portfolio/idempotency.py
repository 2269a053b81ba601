"""Requests that programs name, so that one which is sent again is done once."""

import re
import uuid
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from coffers.clock import Millis
from coffers.errors import CoffersError, InvalidRecord
from coffers.store.engine import Transaction
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account, NewAccount

_KEY: Final = re.compile(r"[!-~]{1,255}")


class KeyReused(CoffersError):
    """Something was asked for under a name that another request has."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the idempotency key {key!r} belongs to another request; give each one of its own"
        )


def checked_key(text: str) -> str:
    """Return what a program calls its request.

    Raises:
        InvalidRecord: for a text that cannot be a key.
    """
    if not _KEY.fullmatch(text):
        raise InvalidRecord({"Idempotency-Key": ["must be 1 to 255 printable ASCII characters"]})
    return text


@dataclass(frozen=True, slots=True)
class Once:
    """What makes one account alone, however often it comes.

    `form` is what a page's form carries: whatever it says when it comes again, it made its account.
    `key` is what a program calls its request, which says the same each time.
    """

    form: str | None = None
    key: str | None = None


OFTEN: Final = Once()
"""Each time it comes there is one account more."""


async def add_once(
    tx: Transaction, new: NewAccount, once: Once, said: object, now: Millis
) -> tuple[Account, bool]:
    """Add an account without a key of an exchange; return it, and whether it was there already.

    `said` is all that was asked for.

    Raises:
        AlreadyConnected: for a form that made one already.
        KeyReused: when the key is another request's.
        InvalidRecord: for a key that cannot be one.
    """
    identity, own = None, uuid.uuid4().hex
    if once.key is not None:
        key = checked_key(once.key)
        identity = f"key:{sha256(key.encode()).hexdigest()}"
        # No two accounts share what stands for their credentials, and so neither does this.
        whose = new.user_id, new.market_code, key
        told = msgspec.json.encode((*whose, said), order="deterministic")
        own = f"asked:{sha256(told).hexdigest()}"
    elif once.form is not None:
        identity = f"form:{sha256(once.form.encode()).hexdigest()}"
    try:
        return await tx.accounts.add(new, identity=identity, credential_id=own, now=now), False
    except AlreadyConnected as same:
        if once.key is None:
            raise
        found = await tx.accounts.get(new.user_id, same.account_id)
        if found is None or await tx.accounts.credential_id(new.user_id, found.id) != own:
            raise KeyReused(once.key) from None
        return found, True
