"""What is to be done with each account of another service, before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import MANUAL, PAPER, Catalogue, Market
from coffers.markets.fields import SECRET_FIELDS
from coffers.portfolio.fields import FIELDS
from coffers.portfolio.import_source import SourceAccount
from coffers.portfolio.naming import LENGTHS
from coffers.secret import Secret
from coffers.store.imports import Import
from coffers.store.records import Account

Way = Literal["go_on", "adopt", "connect", "wallet", "manual", "skip"]
"""How an account comes here.

`go_on`: an earlier run brought it; `adopt`: it is connected here already, without having been
taken over; `connect`: by its exchange key; `wallet`: by its address; `manual`: kept by hand;
`skip`: it cannot come.
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done with an account.

    `name` is what it will be called. `account_id` is the account here of `go_on` and `adopt`;
    `asks` are the credentials that the source cannot tell. `reason` says why it is skipped.
    """

    source: SourceAccount
    way: Way
    name: str
    market: Market | None = None
    account_id: int | None = None
    asks: tuple[str, ...] = ()
    reason: str = ""
    history_until: int | None = None
    has_history: bool = False


@dataclass(frozen=True, slots=True)
class Here:
    """What there is here already: the user's accounts, and which were taken over from where.

    `imported` is what came from this source, by its ids; `linked` has the source, and the id there,
    of all accounts that came from any.
    """

    accounts: Sequence[Account]
    imported: Mapping[int, Import]
    linked: Mapping[int, tuple[str, int]]


def plan(found: Sequence[SourceAccount], here: Here, catalogue: Catalogue) -> list[Planned]:
    """Return what is to be done with each account, in the order of the source."""
    return [_planned(each, here, catalogue) for each in found]


def credentials_of(planned: Planned, given: Mapping[str, str]) -> Credentials:
    """Return the credentials of an account: what the source tells, and what was given."""
    source = planned.source
    told = {"api_key": source.api_key, "address": source.address or ""}
    told["customer_id"] = source.customer_id or ""
    every = {name: given.get(name) or told.get(name) or "" for name in FIELDS}
    return Credentials(
        api_key=every["api_key"],
        secret=Secret(every["secret"]),
        passphrase=Secret(every["passphrase"]) if every["passphrase"] else None,
        customer_id=every["customer_id"] or None,
        subaccount_name=source.subaccount_name,
        address=every["address"] or None,
        login=every["login"] or None,
    )


def _planned(source: SourceAccount, here: Here, catalogue: Catalogue) -> Planned:
    name = _name(source)
    if known := here.imported.get(source.id):
        return Planned(
            source,
            "go_on",
            name,
            account_id=known.account_id,
            history_until=known.history_until,
            has_history=known.is_complete,
        )
    market = catalogue.get(source.market_code)
    if reason := _why_not(source, market) or _why_twice(source, name, here):
        return Planned(source, "skip", name, market, reason=reason)
    if same := _same(source, here):
        return Planned(source, "adopt", name, market, account_id=same)
    if source.market_code == MANUAL:
        return Planned(source, "manual", name, market)
    if market is not None and market.chain is not None:
        return Planned(source, "wallet", name, market)
    return Planned(source, "connect", name, market, asks=_asks(source, market))


def _why_not(source: SourceAccount, market: Market | None) -> str:
    code = source.market_code
    if market is None:
        return f"there is no market {code!r} here"
    if code == PAPER:
        return "it is a paper account, with nothing real in it"
    if code == MANUAL:
        return ""
    if market.chain is not None:
        return "" if source.address else "the source does not tell its address"
    if market.venue is None:
        return f"{market.name} cannot be connected here"
    lacking = sorted(set(market.required_fields) - set(FIELDS))
    return f"{market.name} needs {', '.join(lacking)}, which cannot be kept here" if lacking else ""


def _same(source: SourceAccount, here: Here) -> int | None:
    """Return the account here that has the same key or address, if nothing was taken over to it."""
    public = source.api_key or source.address
    for account in here.accounts:
        ours = account.api_key or account.address
        is_same = (
            account.mode == "real"
            and account.market_code == source.market_code
            and bool(public)
            and ours == public
            and (account.subaccount_name or "") == (source.subaccount_name or "")
        )
        if is_same and account.id not in here.linked:
            return account.id
    return None


def _why_twice(source: SourceAccount, name: str, here: Here) -> str:
    """Return why a hand-kept account is likely here already: one server may have two addresses.

    An exchange or a chain would tell that it is the same, and nobody can be asked of this one.
    """
    by_hand = (each for each in here.accounts if each.market_code == MANUAL == source.market_code)
    for account in by_hand:
        whence, there = here.linked.get(account.id, ("", 0))
        if (account.name, there) == (name, source.id):
            return (
                f"account {account.id} here has its name and came as account {there} of {whence}; "
                "if this is another one, give that another name"
            )
    return ""


def _asks(source: SourceAccount, market: Market | None) -> tuple[str, ...]:
    required = () if market is None else market.required_fields
    told = {"api_key": source.api_key, "address": source.address}
    told["customer_id"] = source.customer_id
    return tuple(name for name in required if name in SECRET_FIELDS or not told.get(name))


def _name(source: SourceAccount) -> str:
    name = "".join(char for char in source.name if char.isprintable()).strip()
    name = name[: LENGTHS.stop - 1].strip()
    return name if len(name) in LENGTHS else f"{source.market_code} {source.id}"[: LENGTHS.stop - 1]
