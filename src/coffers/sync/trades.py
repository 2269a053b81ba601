"""The walk through an account's own trades, in the background, step by step.

As the walk through old flows: the venue is asked with no transaction open, then what it told and
where the walk stands are written in one. Killed anywhere, a step is only done again, and a trade
that is known already is not kept twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from coffers import money
from coffers.clock import HOUR, MINUTE, Clock, Millis
from coffers.connectors.reading import ConnectorFailure
from coffers.connectors.trades import FoundTrades, TradesConnector, TradesRequest
from coffers.markets.assets import symbol_at
from coffers.markets.catalogue import Catalogue
from coffers.store.engine import Store, Transaction
from coffers.store.records import Account
from coffers.store.trades import TradeWalk
from coffers.store.walking import Place, Walkable
from coffers.sync.credentials import open_credentials
from coffers.sync.flows import VALUE_LATER, FlowValuer
from coffers.sync.gathering import market_of
from coffers.sync.walker import CLAIM, Claimed, Walker
from coffers.valuation.model import Flow, Value
from coffers.valuation.trade import Trade
from coffers.vault.vault import Vault

LOOK_EVERY = HOUR
"""How long after a look the venue is asked for new trades."""

VALUED_AT_ONCE = 50
PRICES_AT_ONCE = 2
"""Trades of one step whose worth is looked for, and the prices: each takes up to eleven calls."""


@dataclass(frozen=True, slots=True)
class _Taken(Claimed[TradeWalk]):
    """What is known when a step begins; `unvalued` are trades whose worth is looked for now."""

    request: TradesRequest
    unvalued: tuple[Trade, ...]


class TradeWalker(Walker[_Taken, TradeWalk]):
    """Walks through trades, one step of one account at a time."""

    failed_event = "trades not told"

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        connector: TradesConnector,
        valuer: FlowValuer,
        clock: Clock,
        pause: Millis,
    ) -> None:
        super().__init__(store, vault, catalogue, valuer, clock, pause)
        self._connector = connector

    async def due(
        self, tx: Transaction, now: Millis, limit: int, after: Place | None = None
    ) -> Walkable:
        """Return accounts whose walks through trades may go on now."""
        return await tx.trades.due(now, limit, after)

    async def _take(self, user_id: int, account_id: int, holder: str) -> _Taken | None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            account = await tx.accounts.get(user_id, account_id)
            sealed = await tx.secrets.get(user_id, account_id)
            walk = await tx.trades.walk(user_id, account_id)
            if account is None or walk is None or walk.next_at is None:
                return None
            # It can only be further away if the clock was ahead when it was written.
            walk = replace(walk, look_at=min(walk.look_at, Millis(now + LOOK_EVERY)))
            market = market_of(self._catalogue, account)
            if sealed is None or market.venue is None:
                ended = replace(walk, next_at=None, is_untold=True)
                await tx.trades.keep_walk(user_id, account_id, ended)
                return None
            until = Millis(now + CLAIM)
            if not await tx.accounts.claim(user_id, account_id, holder, now=now, until=until):
                return None
            unvalued = await tx.trades.unvalued(user_id, account_id, now, VALUED_AT_ONCE)
            request = await _request(tx, account, market.venue, walk)
            return _Taken(account, market, sealed, walk, request, tuple(unvalued))

    async def _put_off(self, tx: Transaction, user_id: int, account_id: int, until: Millis) -> None:
        walk = await tx.trades.walk(user_id, account_id)
        if walk is not None and walk.next_at is not None:
            await tx.trades.keep_walk(user_id, account_id, replace(walk, next_at=until))

    async def _keep(self, tx: Transaction, account: Account, walk: TradeWalk) -> None:
        await tx.trades.keep_walk(account.user_id, account.id, walk)

    async def _do(self, taken: _Taken, holder: str) -> None:
        try:
            found, worths = await self._in_time(taken.market, self._told(taken))
        except ConnectorFailure as failure:
            await self._failed(taken, holder, failure)
        else:
            await self._brought(taken, holder, found, worths)

    async def _told(
        self, taken: _Taken
    ) -> tuple[FoundTrades | None, dict[tuple[str, Millis], Value | None]]:
        return await self._ask(taken), await self._worths(taken)

    async def _ask(self, taken: _Taken) -> FoundTrades | None:
        if self._clock.now() < taken.walk.look_at:
            return None
        credentials = open_credentials(self._vault, taken.account, taken.sealed)
        return await self._connector.trades(taken.market, credentials, taken.request)

    async def _worths(self, taken: _Taken) -> dict[tuple[str, Millis], Value | None]:
        """Return what a unit of an asset was worth in the minutes of some unvalued trades."""
        wanted = dict.fromkeys(_priced_by(trade) for trade in taken.unvalued)
        units = [_unit(asset, minute) for asset, minute in list(wanted)[:PRICES_AT_ONCE]]
        valued = await self._valuer.valued(taken.market.venue, taken.account, units)
        return {(unit.asset, unit.at): unit.value for unit in valued}

    async def _brought(
        self,
        taken: _Taken,
        holder: str,
        found: FoundTrades | None,
        worths: dict[tuple[str, Millis], Value | None],
    ) -> None:
        account, now = taken.account, self._clock.now()
        own = account.user_id, account.id
        async with self._turns.ending(account, taken.sealed, holder) as tx:
            if tx is None:
                return
            await _keep_values(tx, account, taken.unvalued, worths, now)
            walk = taken.walk
            if found is not None:
                await tx.trades.add(*own, found.trades)
                walk = _after(walk, found, Millis(now + LOOK_EVERY))
            due = await tx.trades.next_valuation(*own)
            wanted = walk.look_at if due is None else min(due, walk.look_at)
            next_at = None if walk.is_untold else Millis(max(wanted, now + self._pause))
            await tx.trades.keep_walk(*own, replace(walk, next_at=next_at))
        self._count(taken.market, "valued" if found is None else "trades")


async def _request(
    tx: Transaction, account: Account, venue: str | None, walk: TradeWalk
) -> TradesRequest:
    """Return what to ask for: trades of assets that are held or were moved, and of contracts."""
    own = account.user_id, account.id
    held = await tx.holdings.of_account(*own)
    contracts = await tx.holdings.contracts_of(*own)
    moved = await tx.history.flow_assets(*own)
    assets = {position.venue_code for position in held}
    named = moved | {position.asset for position in held}
    assets |= {asset if venue is None else symbol_at(asset, venue) for asset in named}
    symbols = frozenset(contract.symbol for contract in contracts)
    return TradesRequest(walk.cursor, frozenset(assets), symbols)


async def _keep_values(
    tx: Transaction,
    account: Account,
    tried: Iterable[Trade],
    worths: dict[tuple[str, Millis], Value | None],
    now: Millis,
) -> None:
    own = account.user_id, account.id
    for trade in tried:
        key = _priced_by(trade)
        if key not in worths:
            continue
        unit = worths[key]
        if unit is not None:
            worth = Value(
                money.multiply(trade.cost, unit.btc), money.multiply(trade.cost, unit.usd)
            )
            await tx.trades.keep_value(*own, trade, worth)
            continue
        tries = await tx.trades.value_tries(*own, trade)
        await tx.trades.value_later(*own, trade, Millis(now + VALUE_LATER.after(tries + 1)))


def _priced_by(trade: Trade) -> tuple[str, Millis]:
    """Return what a trade is priced by: an asset in a whole minute, since candles are of those."""
    return trade.cost_asset, Millis(trade.at - trade.at % MINUTE)


def _unit(asset: str, at: Millis) -> Flow:
    return Flow("", "in", asset, asset, Decimal(1), money.ZERO, asset, at)


def _after(walk: TradeWalk, found: FoundTrades, next_look: Millis) -> TradeWalk:
    """Return where a walk stands after a step; failures before it are forgotten."""
    is_as_far = walk.is_complete and found.known_since == walk.known_since
    return replace(
        walk,
        cursor=found.cursor,
        known_since=found.known_since,
        known_until=found.known_until,
        is_complete=found.reaches_first and not found.is_untold and (found.is_resting or is_as_far),
        has_gaps=walk.has_gaps or found.has_gaps,
        is_untold=found.is_untold,
        steps=walk.steps + 1,
        failures=0,
        failure_message=None,
        look_at=next_look if found.is_resting else walk.look_at,
    )
