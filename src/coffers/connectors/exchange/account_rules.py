"""Whose accounts a key opens, as data: sub-accounts, and wallets that several markets share.

A rule is for its venue and for those that derive from it, as in `rules.py`.
"""

from functools import cache
from importlib.resources import files

import msgspec

from coffers.connectors.exchange.rules import Wallet

OWN_ID = "$id"
"""Stands in the parameters of a call for the id of the sub-account."""

OWN_ADDRESS = "$address"
"""Stands in the parameters of a call for the address that is connected."""


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that lists sub-accounts, and the names of its entries' fields.

    `path` leads to the entries. `number` is what names the sub-account where its own key answers.
    `kinds` are our words for the venue's; `frozen` are values of a sub-account that is locked,
    `main` those of the main account itself. `page` is the parameter that numbers pages from 1 on,
    `size` the one that takes how many entries are wanted, `most` of them. `after` is the parameter
    that goes on where an answer ended, with what is at `cursor` in it.
    """

    method: str
    path: str
    id: str
    params: dict[str, str] = {}
    label: str | None = None
    kind: str | None = None
    kinds: dict[str, str] = {}
    number: str | None = None
    frozen: dict[str, list[str]] = {}
    main: dict[str, list[str]] = {}
    page: str | None = None
    size: str | None = None
    most: int | None = None
    after: str | None = None
    cursor: str = ""


class SubaccountRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the main account's key lists sub-accounts, and the parts that it reads of one.

    `listed` is None for a venue that derives from one which lists them, and does not. `read` is
    empty where only a key of the sub-account's own reads it; `own` tells how it is connected then,
    where that is not by such a key.
    """

    listed: Listed | None = None
    read: dict[str, list[Wallet]] = {}
    own: str | None = None


class Shared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wallet that is read whole under several kinds of market.

    `options` are those of the library's, of which one is true where an account has such a wallet;
    without any, every account has it.
    """

    name: str
    kinds: list[str]
    options: list[str] = []


class IdentityCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call, and where its answer tells which account a key is of."""

    method: str
    number: str


class OwnershipRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that tells which account a key is of, where balances do not, and what is shared.

    `sharing` is the call in its place for accounts that have the shared wallet.
    """

    method: str
    number: str
    shared: Shared
    sharing: IdentityCall | None = None


@cache
def subaccount_rules() -> dict[str, SubaccountRule]:
    """Return how sub-accounts are listed and read, by venue."""
    return msgspec.json.decode(_data("subaccounts"), type=dict[str, SubaccountRule])


@cache
def ownership_rules() -> dict[str, OwnershipRule]:
    """Return how an account is told that balances do not name, by venue."""
    return msgspec.json.decode(_data("ownership"), type=dict[str, OwnershipRule])


def _data(subject: str) -> bytes:
    return (files(__package__) / "data" / f"{subject}.json").read_bytes()
