"""The walk back through an account's deposits and withdrawals, in the background, step by step.

A step asks the venue with no transaction open, then writes what it found and where the walk stands
in one: a process that is killed anywhere loses the step, not what came before, and nothing counts
twice. Readings come first; a step takes the account's claim as they do, so that a key is never
used twice at once. What it brings is older than the opening snapshot and changes no figure.
"""

from dataclasses import dataclass, replace

from coffers.clock import Clock, Millis
from coffers.connectors.past import PastConnector, PastFlows, PastRequest
from coffers.connectors.reading import ConnectorFailure, Reading
from coffers.markets.catalogue import Catalogue
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account
from coffers.store.walking import Place, Walkable
from coffers.store.walks import Walk
from coffers.sync.credentials import open_credentials
from coffers.sync.flows import FLOWS_OVERLAP, FlowValuer, keep_values
from coffers.sync.gathering import market_of
from coffers.sync.known import Known, named_flows
from coffers.sync.transfers import pair_transfers
from coffers.sync.walker import CLAIM, Claimed, Walker
from coffers.valuation.model import Flow
from coffers.vault.vault import Vault

VALUED_AT_ONCE = 2
"""Flows of one step whose worth is looked for: each takes up to eleven calls for candles."""


@dataclass(frozen=True, slots=True)
class _Taken(Claimed[Walk]):
    """What is known when a step begins.

    `unvalued` are flows up to `opening` whose worth is looked for now; readings look for that of
    later ones.
    """

    opening: Millis
    unvalued: tuple[Flow, ...]


async def begin_walk(tx: Transaction, known: Known, reading: Reading) -> None:
    """Begin the walk at an account's first accepted reading, where the reading stopped looking.

    Later flows are left to the readings, which can tell whether a deposit was in the balances
    already.
    """
    account = known.account
    if account.sync.read_at is None and known.market.venue is not None:
        began_at = Millis(reading.at - FLOWS_OVERLAP)
        await tx.walks.begin(account.user_id, account.id, began_at, reading.at)
        await tx.trades.begin(account.user_id, account.id, reading.at)


class PastWalker(Walker[_Taken, Walk]):
    """Walks back, one step of one account at a time."""

    failed_event = "old flows not told"

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        connector: PastConnector,
        valuer: FlowValuer,
        clock: Clock,
        pause: Millis,
    ) -> None:
        super().__init__(store, vault, catalogue, valuer, clock, pause)
        self._connector = connector
        self._newest = NewestBook()

    async def due(
        self, tx: Transaction, now: Millis, limit: int, after: Place | None = None
    ) -> Walkable:
        """Return accounts whose walks through old flows may go on now."""
        return await tx.walks.due(now, limit, after)

    async def _take(self, user_id: int, account_id: int, holder: str) -> _Taken | None:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            account = await tx.accounts.get(user_id, account_id)
            sealed = await tx.secrets.get(user_id, account_id)
            walk = await tx.walks.get(user_id, account_id)
            if account is None or sealed is None or walk is None or walk.next_at is None:
                return None
            until = Millis(now + CLAIM)
            if not await tx.accounts.claim(user_id, account_id, holder, now=now, until=until):
                return None
            snapshot = await tx.history.opening(user_id, account_id)
            opening = walk.began_at if snapshot is None else snapshot.at
            unvalued = await tx.history.unvalued_flows(
                user_id, account_id, now, VALUED_AT_ONCE, until=opening
            )
            market = market_of(self._catalogue, account)
            return _Taken(account, market, sealed, walk, opening, tuple(unvalued))

    async def _put_off(self, tx: Transaction, user_id: int, account_id: int, until: Millis) -> None:
        walk = await tx.walks.get(user_id, account_id)
        if walk is not None and walk.next_at is not None:
            await tx.walks.keep(user_id, account_id, replace(walk, next_at=until))

    async def _keep(self, tx: Transaction, account: Account, walk: Walk) -> None:
        await tx.walks.keep(account.user_id, account.id, walk)

    async def _do(self, taken: _Taken, holder: str) -> None:
        try:
            found = await self._in_time(taken.market, self._ask(taken))
        except ConnectorFailure as failure:
            await self._failed(taken, holder, failure)
        else:
            if isinstance(found, PastFlows):
                await self._brought(taken, holder, found)
            else:
                await self._valued(taken, holder, found)

    async def _ask(self, taken: _Taken) -> PastFlows | tuple[Flow, ...]:
        """Ask for older flows; once there are none, for the worth of those that were found."""
        if taken.walk.is_complete:
            return await self._valuer.valued(
                taken.market.venue or "", taken.account, taken.unvalued
            )
        credentials = open_credentials(self._vault, taken.account, taken.sealed)
        request = PastRequest(taken.walk.began_at, taken.walk.cursor)
        return await self._connector.past_flows(taken.market, credentials, request)

    async def _brought(self, taken: _Taken, holder: str, past: PastFlows) -> None:
        account = taken.account
        walk = _after(taken.walk, past, Millis(self._clock.now() + self._pause))
        async with self._turns.ending(account, taken.sealed, holder) as tx:
            if tx is None:
                return
            book = await self._newest.read(tx)
            flows = named_flows(past.flows, taken.market, book)
            added = await tx.history.added_flows(account.user_id, account.id, flows)
            await tx.walks.keep(account.user_id, account.id, walk)
            await pair_transfers(tx, account, added)
        self._count(taken.market, "complete" if walk.is_complete else "walked")

    async def _valued(self, taken: _Taken, holder: str, tried: tuple[Flow, ...]) -> None:
        account, walk, now = taken.account, taken.walk, self._clock.now()
        async with self._turns.ending(account, taken.sealed, holder) as tx:
            if tx is None:
                return
            await keep_values(tx, account, tried, now)
            due = await tx.history.next_valuation(account.user_id, account.id, taken.opening)
            next_at = None if due is None else Millis(max(due, now + self._pause))
            await tx.walks.keep(account.user_id, account.id, replace(walk, next_at=next_at))
        self._count(taken.market, "valued")


def _after(walk: Walk, past: PastFlows, next_at: Millis) -> Walk:
    """Return where a walk stands after a step; failures before it are forgotten."""
    return replace(
        walk,
        known_since=past.known_since,
        ends_at=past.ends_at,
        cursor=past.cursor,
        is_complete=past.cursor is None,
        has_gaps=walk.has_gaps or not past.is_whole,
        steps=walk.steps + 1,
        failures=0,
        failure_message=None,
        next_at=next_at,
    )
