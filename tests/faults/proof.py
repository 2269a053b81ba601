"""The proof after a fault: what the database holds is what the exchange did, and nothing leaks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

from sqlalchemy import text

from coffers.clock import Millis, from_iso
from faults.estate import INTERVAL, VENUE, Estate, until
from faults.load import MOVES_EVERY, load
from faults.witness import Held, Owner, Witness

BALANCES = f"{VENUE} GET /api/v3/account"
EVER = Millis(2**61)
MEGABYTE = 2**20
MORE_FILES = 30
"""Files and connections that a process may have opened after its first seconds: pools fill up."""

MORE_MEMORY = 40
"""Megabytes by which a process may grow after its first seconds."""

MOST_CONNECTIONS = 11
"""What one process may hold to PostgreSQL: its pool of ten, and one for the look-up of tokens."""

ENOUGH = 40
"""Good answers without which nothing was shown."""


@dataclass(frozen=True)
class Vitals:
    """What a process has in use."""

    files: int
    memory: float


class Proof:
    """One span of load with faults in it, and what is to hold at its end."""

    def __init__(self, estate: Estate, witness: Witness) -> None:
        self.estate = estate
        self.witness = witness
        self.since = Millis(estate.now())
        self._vitals = vitals(estate)

    async def recovered(self, since: int | None = None, within: float | None = None) -> None:
        """Wait until all is as before the fault: every account was read after now."""
        begun = self.since if since is None else since
        await self.estate.all_read(within or self.estate.two_intervals)
        self.estate.gaps.append((begun, self.estate.now()))

    async def amid_reading(self) -> None:
        """Wait until the exchange is asked for an account's balances."""
        control = self.estate.control
        before = (await control.requests()).counts[BALANCES]

        async def is_asked() -> bool:
            return (await control.requests()).counts[BALANCES] > before

        await until(is_asked, self.estate.two_intervals, "an account is read")

    async def finish(self) -> None:
        """Check the answers, the database and the processes, once the load is over."""
        estate = self.estate
        what = "the database shows what the exchange has"
        await until(self._is_settled, estate.two_intervals, what)
        assert self.witness.wrong == [], self.witness.wrong[:5]
        assert self.witness.unexplained() == [], self.witness.unexplained()[:5]
        assert self.witness.good.total() >= ENOUGH, self.witness.good
        for owner in estate.owners:
            for held in owner.accounts:
                await self._audit(owner, held)
            await self._audit_events(owner)
        await self._audit_worths()
        at_once = (await estate.control.requests()).most_at_once
        assert all(most == 1 for who, most in at_once.items() if "fake-key" in who), at_once
        self._audit_vitals()

    async def _is_settled(self) -> bool:
        return all(
            [
                await self._bitcoin(owner, held) == held.amount.states[-1]
                and len(await self._flows(owner, held)) >= len(held.deposits)
                for owner in self.estate.owners
                for held in owner.accounts
            ]
        )

    async def _bitcoin(self, owner: Owner, held: Held) -> Decimal | None:
        async with self.estate.store.reading() as tx:
            positions = await tx.holdings.of_account(owner.caller.user.id, held.id)
        return next((each.owned for each in positions if each.asset == "BTC"), None)

    async def _flows(self, owner: Owner, held: Held) -> list[tuple[str, Decimal]]:
        query = "SELECT external_id, amount FROM flows WHERE user_id = :user AND account_id = :id"
        rows = await self._rows(query, user=owner.caller.user.id, id=held.id)
        return sorted((str(name), Decimal(str(amount))) for name, amount in rows)

    async def _audit(self, owner: Owner, held: Held) -> None:
        flows = await self._flows(owner, held)
        assert len({name for name, _ in flows}) == len(held.deposits)
        assert sum(amount for _, amount in flows) == sum(held.deposits.values())
        async with self.estate.store.reading() as tx:
            account = await tx.accounts.get(owner.caller.user.id, held.id)
            snapshots = await tx.history.snapshots_since(
                owner.caller.user.id, held.id, Millis(0), EVER, 10_000
            )
        assert account is not None
        assert (account.sync.failures, account.is_locked, account.key_state) == (0, False, "ok")
        assert account.name in held.name.states[held.name.floor :]
        # In order of time a snapshot shows what the account held, and never less than before.
        places = [held.amount.states.index(each.value.btc) for each in snapshots]
        assert places == sorted(places)
        self._audit_rhythm(held, [each.at for each in snapshots if each.at >= self.since])

    def _audit_rhythm(self, held: Held, moments: list[Millis]) -> None:
        """Check that one snapshot follows the other, none twice and none left out."""
        for before, after in pairwise(moments):
            span = after - before
            if any(before <= end and after >= begin for begin, end in self.estate.gaps):
                continue
            assert span >= INTERVAL * 800, f"{held.key} twice, {span} ms apart"
            assert span <= self.estate.two_intervals * 1000, f"{held.key}: a gap of {span} ms"

    async def _audit_events(self, owner: Owner) -> None:
        user = owner.caller.user.id
        query = "SELECT number, kind FROM events WHERE user_id = :user ORDER BY number"
        events = await self._rows(query, user=user)
        numbers = [number for number, _ in events]
        assert numbers == list(range(1, len(numbers) + 1))
        told = sum(kind == "deposit" for _, kind in events)
        assert told == sum(len(held.deposits) for held in owner.accounts)

    async def _audit_worths(self) -> None:
        """Check every worth in USD that was answered against the price book that it names."""
        async with self.estate.store.reading() as tx:
            for shown_at, worths in groupby(sorted(self.witness.worths), itemgetter(0)):
                book = await tx.prices.book_near(from_iso(shown_at), Millis(0))
                assert book is not None, f"there was no price book at {shown_at}"
                price = book.prices["BTC"].usd
                for _, bitcoin, dollars in worths:
                    assert price * Decimal(bitcoin) == Decimal(dollars), (shown_at, bitcoin)

    def _audit_vitals(self) -> None:
        now = vitals(self.estate)
        for pid, before in self._vitals.items():
            if pid in now:
                assert now[pid].files <= before.files + MORE_FILES, (before, now[pid])
                assert now[pid].memory <= before.memory + MORE_MEMORY, (before, now[pid])
        if self.estate.postgres is not None:
            served = len(self.estate.apis()) + len(self.estate.workers())
            # Two more of the test's own.
            assert self.estate.postgres.connected() <= MOST_CONNECTIONS * served + 2

    async def _rows(self, query: str, **values: object) -> list[Any]:
        async with self.estate.store.connection(is_reading=True) as connection:
            return list(await connection.execute(text(query).bindparams(**values)))


def vitals(estate: Estate) -> dict[int, Vitals]:
    """Return what each process has in use, by its number."""
    found = {}
    for process in [*estate.apis(), *estate.workers()]:
        with process.oneshot():
            found[process.pid] = Vitals(process.num_fds(), process.memory_info().rss / MEGABYTE)
    return found


@asynccontextmanager
async def proving(
    estate: Estate, seed: int = 7, moves_every: float = MOVES_EVERY
) -> AsyncIterator[Proof]:
    """Load the program while the block does its worst, then see whether all is as it should be."""
    async with load(estate, seed, moves_every) as witness:
        proof = Proof(estate, witness)
        await warm(witness, estate.deadline)
        yield proof
    await proof.finish()


async def warm(witness: Witness, within: float) -> None:
    """Wait until every kind of request was answered."""

    async def is_warm() -> bool:
        return len(witness.good) >= 6 and witness.good.total() >= ENOUGH

    await until(is_warm, within, "requests are answered")
