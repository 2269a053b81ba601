"""Gathers what a venue's answer is compared with, before the venue is asked."""

from coffers.clock import Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind, ReadRequest
from coffers.errors import NotFound
from coffers.markets.catalogue import Catalogue, Market
from coffers.store.engine import Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account
from coffers.sync.flows import flows_since
from coffers.sync.known import Known
from coffers.valuation.model import Flow, Snapshot
from coffers.vault.sealed import Sealed

VALUED_AT_ONCE = 20
"""Known flows of one reading whose worth is looked for again."""


class Gatherer:
    """Reads from the store what is known of an account."""

    def __init__(self, catalogue: Catalogue, newest: NewestBook, clock: Clock) -> None:
        self._catalogue = catalogue
        self._newest = newest
        self._clock = clock

    async def known(
        self, tx: Transaction, account: Account, sealed: Sealed | None, taken_at: Millis
    ) -> Known:
        """Return what is known of an account whose reading began at `taken_at`.

        Raises:
            NotFound: when the catalogue has lost the account's market.
        """
        user_id, account_id = account.user_id, account.id
        since = flows_since(account, self._clock.now())
        opening = await tx.history.opening(user_id, account_id)
        market = market_of(self._catalogue, account)
        return Known(
            account,
            market,
            sealed,
            tuple(await tx.holdings.of_account(user_id, account_id)),
            tuple(await tx.holdings.contracts_of(user_id, account_id)),
            await self._newest.read(tx),
            opening is not None,
            ReadRequest(
                since,
                await tx.history.known_flows(user_id, account_id, since),
                await self._memory(tx, account, market),
            ),
            () if opening is None else await self._unvalued(tx, account, opening),
            taken_at,
        )

    async def _memory(self, tx: Transaction, account: Account, market: Market) -> str | None:
        """Return what the reading before left; an exchange leaves nothing where all is known."""
        if not market.chain and account.sync.flows_known:
            return None
        return await tx.memories.get(account.user_id, account.id)

    async def _unvalued(
        self, tx: Transaction, account: Account, opening: Snapshot
    ) -> tuple[Flow, ...]:
        """Return the flows in the figures whose worth is to be looked for again."""
        found = await tx.history.unvalued_flows(
            account.user_id, account.id, self._clock.now(), VALUED_AT_ONCE, after=opening.at
        )
        return tuple(found)


def market_of(catalogue: Catalogue, account: Account) -> Market:
    """Return the market of a connected account.

    Raises:
        NotFound: when the catalogue has lost it since the account was connected.
    """
    market = catalogue.get(account.market_code)
    if market is None:
        raise NotFound(f"the catalogue has no market {account.market_code!r} any more")
    return market


def took_too_long(market: Market) -> ConnectorFailure:
    """Return the failure of a venue that did not answer within the time it is given."""
    return ConnectorFailure(
        FailureKind.UNREACHABLE, f"{market.name} did not answer in time", code="timeout"
    )
