"""What is known of an account before its venue is asked, and what the answer must agree with."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from coffers.clock import HOUR, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading, ReadRequest
from coffers.markets.assets import symbol_at
from coffers.markets.catalogue import Market
from coffers.store.records import Account
from coffers.valuation.contract import Contract
from coffers.valuation.model import Flow, Position, PriceBook
from coffers.vault.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of an account before the venue was asked.

    `sealed` is None where nobody outside is asked. `is_open` tells whether it has its opening
    snapshot; `unvalued` are flows whose worth is still to be found. `taken_at` is when the try to
    read it began.
    """

    account: Account
    market: Market
    sealed: Sealed | None
    positions: tuple[Position, ...]
    contracts: tuple[Contract, ...]
    book: PriceBook | None
    is_open: bool
    request: ReadRequest
    unvalued: tuple[Flow, ...]
    taken_at: Millis


def check_identity(known: Known, reading: Reading) -> None:
    """Refuse a reading of another account than the one that was read before.

    Where the venue did not say which account it is, now or ever, there is nothing to compare.

    Raises:
        ConnectorFailure: of kind `UNEXPECTED_ANSWER`.
    """
    expected, told = known.account.venue_identity, reading.identity
    if expected is not None and told is not None and expected != told:
        message = f"{known.market.name} answered for another account."
        raise ConnectorFailure(FailureKind.UNEXPECTED_ANSWER, message, code="other_account")


def finds_new(known: Known, reading: Reading) -> bool:
    """Return whether a reading found an asset that was not held before."""
    before = {held.asset for held in known.positions}
    return any(held.asset not in before for held in reading.positions)


def has_other_names(known: Known, newest: PriceBook) -> bool:
    """Return whether an account's venue means other assets than by the book of its reading."""
    venue, book = known.market.venue, known.book
    if venue is None or book is newest:
        return False
    before = {} if book is None else book.apart.get(venue, {})
    return before.keys() != newest.apart.get(venue, {}).keys()


def named(known: Known, reading: Reading) -> Reading:
    """Return a reading by the keys of what its venue means, where others mean another asset."""
    venue, book = known.market.venue, known.book
    if venue is None or book is None:
        return reading
    positions = tuple(
        held
        if (asset := _key(held.asset, venue, book)) == held.asset
        else replace(held, asset=asset)
        for held in reading.positions
    )
    flows = named_flows(reading.flows, known.market, book)
    return replace(reading, positions=positions, flows=flows)


def named_flows(flows: Iterable[Flow], market: Market, book: PriceBook | None) -> tuple[Flow, ...]:
    """Return flows by the keys of what a market's venue means, where others mean another asset."""
    venue = market.venue
    if venue is None or book is None:
        return tuple(flows)
    return tuple(
        replace(
            flow,
            asset=_key(flow.asset, venue, book),
            fee_asset=_key(flow.fee_asset, venue, book),
        )
        for flow in flows
    )


def _key(asset: str, venue: str, book: PriceBook) -> str:
    return book.named(venue, symbol_at(asset, venue))


def is_new(account: Account, reading: Reading) -> bool:
    """Return whether an account had been connected for less than an hour when it was read."""
    return reading.at - account.created_at < HOUR
