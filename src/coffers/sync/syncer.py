"""One account's reading, from the sealed key to the stored snapshot.

The order: claim the account, ask the venue with no transaction open, judge what came, check that
the account is still the same, and write reading, snapshot and state in one transaction. A process
that is killed anywhere on the way leaves the account as it was; its claim runs out by itself.
"""

import asyncio
import uuid
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import StrEnum

from coffers import metrics
from coffers.clock import Clock, Millis
from coffers.connectors.reading import Connector, ConnectorFailure, Reading
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.logs import logger
from coffers.markets.catalogue import Catalogue
from coffers.store.engine import Store, Transaction
from coffers.store.errors import StoreUnavailable
from coffers.store.newest import NewestBook
from coffers.store.records import Account, AccountStatus
from coffers.sync import events
from coffers.sync.credentials import open_credentials
from coffers.sync.doubt import fingerprint, is_doubtful
from coffers.sync.flows import (
    FlowValuer,
    flows_read_until,
    keep_values,
    landed,
    told_until,
)
from coffers.sync.gathering import Gatherer, market_of, took_too_long
from coffers.sync.holdings import keep_holdings
from coffers.sync.kept import kept_reading
from coffers.sync.known import (
    Known,
    after_the_last,
    check_identity,
    finds_new,
    has_other_names,
    is_new,
    named,
    named_flows,
)
from coffers.sync.overlap import marked
from coffers.sync.past import begin_walk
from coffers.sync.policy import (
    LONGEST_READING,
    SECOND_LOOK,
    Pace,
    after_doubt,
    after_failure,
    after_reading,
    is_confirmed,
    is_to_say,
    spread,
)
from coffers.sync.snapshots import Taken, take_snapshot
from coffers.sync.transfers import pair_transfers
from coffers.sync.tries import note_try
from coffers.sync.turns import READING_CLAIM, Turns
from coffers.vault.vault import Vault

_log = logger("coffers.sync")


class Outcome(StrEnum):
    """What came of a try to read an account."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    HELD_BACK = "held_back"
    FAILED = "failed"
    BUSY = "busy"
    NOT_DUE = "not_due"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a try, with the failure where the venue gave no reading."""

    outcome: Outcome
    failure: ConnectorFailure | None = None


class Syncer:
    """Reads accounts, one at a time each."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        connector: Connector,
        valuer: FlowValuer,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._connector = connector
        self._valuer = valuer
        self._clock = clock
        self._pace = pace
        self._newest = NewestBook()
        self._gatherer = Gatherer(catalogue, self._newest, clock)
        self._turns = Turns(store, clock)

    async def sync(self, user_id: int, account_id: int, *, only_if_due: bool = False) -> Result:
        """Read one account and store what follows from it.

        With `only_if_due` nothing is done if it is no longer due: it was when the job was queued,
        and may have been read since.
        """
        holder = uuid.uuid4().hex
        try:
            known = await self._take(user_id, account_id, holder, only_if_due=only_if_due)
            if not isinstance(known, Known):
                return Result(known)
            async with self._turns.kept(known.account, holder):
                return await self._read(known, holder)
        except BaseException as fault:
            await self._give_back(user_id, account_id, holder, fault)
            raise

    async def _take(
        self, user_id: int, account_id: int, holder: str, *, only_if_due: bool = False
    ) -> Known | Outcome:
        """Claim an account and return what is known of it, or why it is not to be read."""
        now = self._clock.now()
        async with self._store.transaction(may_be_lost=True) as tx:
            account = await tx.accounts.claimed(
                user_id, account_id, holder, now=now, until=Millis(now + READING_CLAIM)
            )
            if account is None:
                is_there = await tx.accounts.get(user_id, account_id) is not None
                return Outcome.BUSY if is_there else Outcome.GONE
            sealed = await tx.secrets.get(user_id, account_id)
            if sealed is None and not market_of(self._catalogue, account).is_kept:
                await tx.accounts.release(user_id, account_id, holder)
                return Outcome.GONE
            if only_if_due and account.sync.next_sync_at > now:
                await tx.accounts.release(user_id, account_id, holder)
                return Outcome.NOT_DUE
            return await self._gatherer.known(tx, account, sealed, now)

    async def _give_back(
        self, user_id: int, account_id: int, holder: str, fault: BaseException
    ) -> None:
        """Release an account whose reading broke off, and put the next one off after a fault.

        A fault of our own would otherwise be run into again at once, over and over.
        """
        wait = self._pace.interval
        if isinstance(fault, StoreUnavailable):
            # Nothing is wrong with the account: it is read again soon, yet not over and over.
            wait = Millis(min(wait, SECOND_LOOK))
        later = Millis(self._clock.now() + wait)

        async def ending(tx: Transaction) -> None:
            if isinstance(fault, Exception):
                await tx.accounts.due_at(user_id, account_id, later)
            await tx.accounts.release(user_id, account_id, holder)

        await self._turns.broken_off(ending)

    async def _read(self, known: Known, holder: str) -> Result:
        try:
            reading = after_the_last(known.account, await self._asked(known))
            check_identity(known, reading)
            reading = named(known, reading)
            reading = await marked(self._store, self._catalogue, known, reading)
        except TimeoutError:
            return await self._failed(known, holder, took_too_long(known.market))
        except ConnectorFailure as failure:
            return await self._failed(known, holder, failure)
        return await self._brought(known, holder, reading)

    async def _asked(self, known: Known) -> Reading:
        if known.sealed is None:
            return kept_reading(known.positions, self._clock.now())
        credentials = open_credentials(self._vault, known.account, known.sealed)
        with metrics.sync_seconds.labels(known.market.code).time():
            async with asyncio.timeout(LONGEST_READING / 1000):
                return await self._connector.read(known.market, credentials, known.request)

    async def _failed(self, known: Known, holder: str, failure: ConnectorFailure) -> Result:
        account = known.account
        status = after_failure(account, failure, self._clock.now(), self._pace)
        async with self._ending(known, holder) as tx:
            if tx is not None:
                await self._end_with(tx, account, status)
                now = self._clock.now()
                await note_try(tx, known, now, Outcome.FAILED, failure)
                changes = events.of_failure(account, failure, status, now)
                await tx.events.add(account.user_id, changes)
        metrics.syncs.labels(known.market.code, failure.kind.value).inc()
        (_log.warning if is_to_say(account.sync, status.sync) else _log.debug)(
            "reading failed",
            account=account.id,
            market=known.market.code,
            kind=failure.kind.value,
            code=failure.code,
            reason=str(failure),
        )
        return Result(Outcome.FAILED, failure)

    async def _brought(self, known: Known, holder: str, reading: Reading) -> Result:
        prices = {} if known.book is None else known.book.prices
        mark = fingerprint(reading)
        doubtful = is_doubtful(known.positions, reading, prices)
        now = self._clock.now()
        if doubtful and not is_confirmed(known.account.sync, mark, now):
            outcome = Outcome.HELD_BACK
            status = after_doubt(known.account, mark, now)
            async with self._ending(known, holder) as tx:
                if tx is not None:
                    await self._end_with(tx, known.account, status)
                    await note_try(tx, known, now, outcome, None)
                    changes = events.of_doubt(known.account, status, now)
                    await tx.events.add(known.account.user_id, changes)
        else:
            outcome = Outcome.COMPLETE if reading.is_complete else Outcome.PARTIAL
            await self._accept(known, holder, reading, outcome)
        metrics.syncs.labels(known.market.code, outcome.value).inc()
        return Result(outcome)

    async def _without_known_flows(self, known: Known, reading: Reading) -> Reading:
        """Return a reading without the flows that are stored already.

        Only a reading that looked further back than it was asked to can bring such flows; the
        worth of each would be asked for a second time.
        """
        since = known.request.flows_since
        first = min((flow.at for flow in reading.flows), default=None)
        if first is None or since is None or first >= since:
            return reading
        account = known.account
        async with self._store.reading() as tx:
            stored = await tx.history.known_flows(account.user_id, account.id, first)
        new = (flow for flow in reading.flows if (flow.direction, flow.external_id) not in stored)
        return replace(reading, flows=tuple(new))

    async def _accept(self, known: Known, holder: str, reading: Reading, outcome: Outcome) -> None:
        account = known.account
        landed_now = landed(
            await self._without_known_flows(known, reading), told_until(account.sync)
        )
        venue = known.market.venue
        flows = await self._valuer.valued(venue, account, (*known.unvalued, *landed_now))
        tried, new = flows[: len(known.unvalued)], flows[len(known.unvalued) :]
        async with self._ending(known, holder) as tx:
            if tx is None:
                return
            # Accounts that did not hold an asset were not told when its key changed.
            is_met = finds_new(known, reading) or bool(new)
            newest = await self._newest.read(tx) if is_met else None
            if newest is not None and has_other_names(known, newest):
                known = replace(known, book=newest)
                reading = named(known, reading)
                new = named_flows(new, known.market, newest)
            await keep_holdings(tx, known, reading)
            own = account.user_id, account.id
            undone = await tx.history.remove_flows(*own, reading.flows_undone)
            added = await tx.history.added_flows(*own, new)
            has_found = await keep_values(tx, account, tried, self._clock.now())
            taken = await take_snapshot(tx, known, reading, added, self._clock.now())
            status = self._status_after(known, reading, taken)
            # Profits can change with the past alone, while all that is written here stays the same.
            is_past_new = bool(added or undone or has_found or taken.is_past_new)
            await self._end_with(tx, account, status, is_past_new=is_past_new)
            await note_try(tx, known, self._clock.now(), outcome, reading)
            await self._note_rights(tx, account, reading)
            await self._note_identity(tx, account, reading)
            await begin_walk(tx, known, reading)
            rights = _rights(account, reading)
            assets = {flow.asset for flow in undone}
            changes = events.of_reading(known, reading, status, rights, added, assets)
            await tx.events.add(account.user_id, changes)
            await pair_transfers(tx, account, added, undone)

    def _status_after(self, known: Known, reading: Reading, taken: Taken) -> AccountStatus:
        account = known.account
        state = replace(
            account.sync,
            # A wallet whose addresses are still being searched for has not been read yet.
            read_at=reading.at if reading.wallets else account.sync.read_at,
            missing_wallets=tuple(sorted(reading.missing)),
            flows_known=reading.flows_known,
            flows_until=flows_read_until(account.sync, known.request, reading),
            lacks_prices=taken.lacks_prices,
        )
        wait = spread(self._pace.interval, self._pace.jitter)
        awaits_more = not reading.wallets or (not taken.is_open and is_new(account, reading))
        return after_reading(
            state,
            _rights(account, reading),
            self._clock.now(),
            Millis(min(wait, SECOND_LOOK)) if awaits_more else wait,
        )

    async def _note_rights(self, tx: Transaction, account: Account, reading: Reading) -> None:
        rights, hedge_mode = _rights(account, reading), reading.hedge_mode
        if rights.withdraw and not account.rights.withdraw:
            _log.warning("key may withdraw", account=account.id, market=account.market_code)
        if rights != account.rights or hedge_mode not in {None, account.hedge_mode}:
            await tx.accounts.record_rights(
                account.user_id, account.id, rights, hedge_mode, self._clock.now()
            )

    async def _note_identity(self, tx: Transaction, account: Account, reading: Reading) -> None:
        told = reading.identity
        if account.venue_identity is None and told is not None:
            await tx.accounts.record_venue_identity(account.user_id, account.id, told)

    def _ending(self, known: Known, holder: str) -> AbstractAsyncContextManager[Transaction | None]:
        """Open the transaction that a turn ends with; `_end_with` gives the account back."""
        return self._turns.ending(known.account, known.sealed, holder, is_freed=True)

    async def _end_with(
        self, tx: Transaction, account: Account, status: AccountStatus, *, is_past_new: bool = False
    ) -> None:
        await tx.accounts.record_status(
            account.user_id,
            account.id,
            status,
            self._clock.now(),
            frees=True,
            is_past_new=is_past_new,
        )


def _rights(account: Account, reading: Reading) -> KeyRights:
    """Return the newest known rights of the key: not every reading asks for them."""
    return account.rights if reading.rights == UNKNOWN_RIGHTS else reading.rights
