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


def after_the_last(account: Account, reading: Reading) -> Reading:
    """Return a reading that is later than the one before, whatever the clock says.

    With a clock that was set back, or that is behind after a start of the machine, the reading
    would lie before the opening and before deposits that its balances contain. Those would then
    count as profit or loss for good.
    """
    previous = account.sync.read_at
    if previous is None or reading.at > previous:
        return reading
    at, flows_until = Millis(previous + 1), reading.flows_until
    return replace(reading, at=at, flows_until=at if flows_until == reading.at else flows_until)


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
    """Return whether a newer book gives other keys to what the account's venue lists."""
    venue, book = known.market.venue, known.book
    if venue is None or book is newest:
        return False
    before = {} if book is None else book.apart.get(venue, {})
    return before.keys() != newest.apart.get(venue, {}).keys()


def named(known: Known, reading: Reading) -> Reading:
    """Return a reading with keys of their own for symbols that mean another asset elsewhere."""
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
    """Return flows with keys of their own for symbols that mean another asset elsewhere."""
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
