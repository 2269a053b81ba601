"""What a venue tells to an account's key alone: networks, deposit addresses, leverage."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from coffers import money
from coffers.clock import HOUR, Clock, Millis, is_recent
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord
from coffers.markets.catalogue import Catalogue
from coffers.markets.pairs import DepositAddress, Network, VenueCurrency, VenuePair
from coffers.portfolio.errands import Errands
from coffers.portfolio.ledger import NotForAccount
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.store.venue_tasks import CURRENCIES, Task
from coffers.valuation.model import UNCOUNTED, Position

NETWORKS, DEPOSIT_ADDRESS, LEVERAGE = "networks", "deposit_address", "leverage"
"""The kinds of errands."""

NETWORKS_FRESH = Millis(6 * HOUR)
"""The age from which a venue's networks are asked for anew."""

_BROKEN = frozenset({"NotJson", "no_address"})
"""Codes of answers that are none, where others of their kind are the venue's refusal."""


class NetworksAsked(msgspec.Struct, frozen=True):
    """A venue's networks, to be asked with an account's key and kept."""

    account_id: int


class AddressAsked(msgspec.Struct, frozen=True):
    """An account's deposit address, by the exchange library's names."""

    account_id: int
    currency: str
    network: str | None


class LeverageAsked(msgspec.Struct, frozen=True):
    """The most leverage that an account may take in a contract, by its symbol."""

    account_id: int
    symbol: str


class VenueRefused(CoffersError):
    """The venue understood what was asked and refused it, in its own words."""


@dataclass(frozen=True, slots=True)
class DepositData:
    """Where an account takes deposits of a currency, and what it has of it; None is not known."""

    address: DepositAddress
    free: Decimal | None
    in_orders: Decimal | None
    total: Decimal | None


class VenueAccounts:
    """Asks venues about accounts, by way of a worker. Belongs to one event loop."""

    def __init__(self, store: Store, errands: Errands, catalogue: Catalogue, clock: Clock) -> None:
        self._store = store
        self._errands = errands
        self._catalogue = catalogue
        self._clock = clock
        self._asking: dict[tuple[str, int], asyncio.Task[bytes]] = {}

    async def networks(self, account: Account) -> tuple[list[VenueCurrency], Millis]:
        """Return the currencies of an account's venue with their networks, and their age.

        Raises:
            NotForAccount: where no venue stands behind the account.
            ConnectorFailure, CoffersError: as an errand, when nothing is known.
        """
        venue = self.venue(account)
        known, at = await self._known(venue)
        if at is None or not is_recent(at, NETWORKS_FRESH, self._clock.now()):
            try:
                await self._ask_once(venue, account)
            except CoffersError:
                if at is None:
                    raise
            known, at = await self._known(venue)
        return known, at or self._clock.now()

    async def with_leverage(self, account: Account, pair: VenuePair) -> VenuePair:
        """Return a pair with the most leverage of a contract where only its venue can tell it.

        Exchanges allow it account by account: nothing is kept. What cannot be had stays None.
        """
        if pair.kind == "spot" or pair.max_leverage is not None:
            return pair
        asked = LeverageAsked(account.id, pair.symbol)
        try:
            told = await self._errands.ask(account.user_id, LEVERAGE, asked)
        except CoffersError:
            return pair
        return replace(pair, max_leverage=msgspec.json.decode(told, type=Decimal | None))

    async def deposit_data(self, account: Account, currency: str, network: str) -> DepositData:
        """Return where an account takes deposits of a currency by a network, and what it has.

        Raises:
            NotForAccount: where no venue stands behind the account, or it has no address of its
                own.
            InvalidRecord: where the venue is known not to have the currency or the network.
            VenueRefused: when the venue refuses.
            ConnectorFailure, CoffersError: as an errand.
        """
        venue = self.venue(account)
        if account.subaccount_name:
            raise NotForAccount(
                "The main account's key reads this sub-account, and would be told the main "
                "account's address."
            )
        currencies, _ = await self._known(venue)
        asked = _named(currencies, currency, network)
        told = await self._address(account, AddressAsked(account.id, *asked))
        async with self._store.reading() as tx:
            positions = await tx.holdings.of_account(account.user_id, account.id)
        has = [each for each in positions if _is_of(each, currency, asked[0])]
        if not has and not (account.sync.read_at and not account.sync.missing_wallets):
            return DepositData(told, None, None, None)
        free = money.total(each.free for each in has)
        in_orders = money.total(each.in_orders for each in has)
        return DepositData(told, free, in_orders, money.add(free, in_orders))

    def venue(self, account: Account) -> str:
        """Return the venue that holds an account.

        Raises:
            NotForAccount: where none does.
        """
        market = self._catalogue.get(account.market_code)
        if market is not None and market.venue is not None:
            return market.venue
        if market is not None and market.chain is not None:
            raise NotForAccount("A wallet lies on its chain, and no exchange knows of it.")
        raise NotForAccount("No exchange holds this account, so there is none to be asked.")

    async def _known(self, venue: str) -> tuple[list[VenueCurrency], Millis | None]:
        async with self._store.reading() as tx:
            standing = await tx.venue_tasks.standing(Task(venue, CURRENCIES))
            known = await tx.venue_markets.currencies(venue)
        return known, None if standing is None else standing.done_at

    async def _ask_once(self, venue: str, account: Account) -> None:
        """Have a venue's networks asked; all calls of a user wait for one errand of the user's.

        None waits for another user's, which may have to wait for its own user's other errands.
        """
        key = venue, account.user_id
        asking = self._asking.get(key)
        if asking is None:
            asked = self._errands.ask(account.user_id, NETWORKS, NetworksAsked(account.id))
            asking = asyncio.create_task(asked)
            self._asking[key] = asking
            asking.add_done_callback(lambda ended: self._ended(key, ended))
        await asyncio.shield(asking)

    def _ended(self, key: tuple[str, int], ended: asyncio.Task[bytes]) -> None:
        del self._asking[key]
        if not ended.cancelled():
            ended.exception()  # those who still wait raise it

    async def _address(self, account: Account, asked: AddressAsked) -> DepositAddress:
        try:
            told = await self._errands.ask(account.user_id, DEPOSIT_ADDRESS, asked)
        except ConnectorFailure as failure:
            is_refusal = failure.kind is FailureKind.UNEXPECTED_ANSWER
            if is_refusal and failure.code not in _BROKEN:
                raise VenueRefused(str(failure)) from failure
            raise
        return msgspec.json.decode(told, type=DepositAddress)


def _named(
    currencies: Sequence[VenueCurrency], currency: str, network: str
) -> tuple[str, str | None]:
    """Return what the exchange library calls a currency and a network of it.

    Raises:
        InvalidRecord: where the venue's are known, and these are none of them.
    """
    if not currencies:
        return currency.upper(), network
    found = next((each for each in currencies if _is_called(each, currency)), None)
    if found is None:
        raise InvalidRecord({"currency": ["does not have a valid value"]})
    if not found.networks:
        return found.code, network
    by = next((each for each in found.networks if _is_network(each, network)), None)
    if by is None:
        raise InvalidRecord({"network": ["does not have a valid value"]})
    return found.code, by.library_code


def _is_called(currency: VenueCurrency, name: str) -> bool:
    return name.casefold() in {currency.code.casefold(), currency.venue_code.casefold()}


def _is_network(network: Network, name: str) -> bool:
    return name.casefold() in {network.code.casefold(), network.library_code.casefold()}


def _is_of(position: Position, currency: str, code: str) -> bool:
    names = {currency.upper(), code}
    is_named = position.asset in names or position.venue_code in names
    return is_named and position.wallet not in UNCOUNTED
