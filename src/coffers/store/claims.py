"""Which accounts are due, and who reads one now: claims that run out by themselves.

A claim covers the exchange key, not only the account: two connections of one key are never read
at once, since a venue with nonces would refuse one of them.
"""

from typing import Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    update,
)

from coffers.clock import MINUTE, Millis
from coffers.store.account_rows import account_of
from coffers.store.connection import AsyncConnection
from coffers.store.distinct import COUNTED, counted
from coffers.store.prepared import Prepared
from coffers.store.records import Account, Counts
from coffers.store.statements import changed, held
from coffers.store.tables import accounts

OPERATION: Final = "operation "
"""How the names of those begin who hold an account for orders, and not for a reading."""

OVERDUE_AFTER: Final = MINUTE
"""How long after its moment a reading is overdue: it is due until it is over."""

_other = accounts.alias()

OWN = and_(accounts.c.user_id == bindparam("user"), accounts.c.id == bindparam("account"))
"""Finds one account of one user, by the parameters `user` and `account`."""

_same_key_in_use = exists().where(
    _other.c.credential_id == accounts.c.credential_id, _other.c.claimed_until >= bindparam("now")
)
_CLAIM = Prepared(
    update(accounts)
    .where(OWN, ~_same_key_in_use)
    .values(claimed_by=bindparam("holder"), claimed_until=bindparam("until"))
    .returning(*accounts.c)
)
_HOLDS = Prepared(
    held(
        select(accounts.c.id).where(
            OWN,
            accounts.c.claimed_by == bindparam("holder"),
            accounts.c.claimed_until >= bindparam("now"),
        )
    )
)
_RELEASE = Prepared(
    update(accounts)
    .where(OWN, accounts.c.claimed_by == bindparam("holder"))
    .values(claimed_by=None, claimed_until=None)
)


class DuePlace(NamedTuple):
    """A place among all accounts in the order in which they are due."""

    due_at: Millis
    account_id: int


class DueAccount(NamedTuple):
    """An account whose reading is due, and since when."""

    user_id: int
    account_id: int
    market_code: str
    due_at: Millis

    @property
    def place(self) -> DuePlace:
        """Its place among all that are due."""
        return DuePlace(self.due_at, self.account_id)


class Claims:
    """The part of the accounts that says when they are read and by whom."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def credential_id(self, user_id: int, account_id: int) -> str | None:
        """Return what stands for the credentials of an account of this user, None without one."""
        statement = select(accounts.c.credential_id).where(is_account(user_id, account_id))
        found: str | None = (await self._connection.scalars(statement)).one_or_none()
        return found

    async def due(self, now: Millis, limit: int, after: DuePlace | None = None) -> list[DueAccount]:
        """Return accounts that nobody reads now, longest due first, those behind a place."""
        columns = accounts.c.user_id, accounts.c.id, accounts.c.market_code, accounts.c.next_sync_at
        statement = select(*columns).where(accounts.c.next_sync_at <= now, ~_is_claimed(now))
        order = accounts.c.next_sync_at, accounts.c.id
        if after is not None:
            # As one comparison, since an index finds it: very many may be due at one moment.
            statement = statement.where(tuple_(*order) > tuple_(*map(literal, after)))
        statement = statement.order_by(*order).limit(limit)
        return [DueAccount(*row) for row in await self._connection.execute(statement)]

    async def due_at(self, user_id: int, account_id: int, at: Millis) -> None:
        """Make an account due at a moment."""
        statement = update(accounts).where(is_account(user_id, account_id))
        await self._connection.execute(statement.values(next_sync_at=at))

    async def bring_back(self, now: Millis, latest: Millis, most: int) -> int:
        """Make so many accounts due now that were made due later than `latest`; return how many.

        Those whose last reading failed are left out: they may have been told to wait for long.
        """
        due, has_failed = accounts.c.next_sync_at, accounts.c.failures > 0
        late = select(accounts.c.user_id, accounts.c.id).where(due > latest, ~has_failed)
        portion = late.order_by(due.desc()).limit(most)
        statement = update(accounts).where(tuple_(accounts.c.user_id, accounts.c.id).in_(portion))
        return await changed(self._connection, statement.values(next_sync_at=now))

    async def free(self, longest: Millis) -> int:
        """Let go of accounts that are claimed for longer than `longest`; return how many."""
        statement = update(accounts).where(accounts.c.claimed_until > longest)
        free = statement.values(claimed_by=None, claimed_until=None)
        return await changed(self._connection, free)

    async def claim(
        self, user_id: int, account_id: int, holder: str, *, now: Millis, until: Millis
    ) -> bool:
        """Claim an account up to a moment, for one holder.

        Returns:
            False where this account or another one with the same exchange key is claimed, or
            where there is no such account.
        """
        return await self.claimed(user_id, account_id, holder, now=now, until=until) is not None

    async def claimed(
        self, user_id: int, account_id: int, holder: str, *, now: Millis, until: Millis
    ) -> Account | None:
        """Claim an account as `claim` does, and return it; None where it cannot be claimed."""
        await self._lock_credential(user_id, account_id)
        own = {"user": user_id, "account": account_id}
        values = {**own, "holder": holder, "now": now, "until": until}
        rows = await self._connection.rows(_CLAIM, values)
        return account_of(rows[0]) if rows else None

    async def holds(self, user_id: int, account_id: int, holder: str, now: Millis) -> bool:
        """Return whether the account is claimed by this holder, and the claim has not run out.

        If it is, nobody takes the account over before the transaction ends.
        """
        values = {"user": user_id, "account": account_id, "holder": holder, "now": now}
        return bool(await self._connection.rows(_HOLDS, values))

    async def held_by(self, user_id: int, account_id: int, now: Millis) -> str | None:
        """Return who holds an account, None where nobody does."""
        statement = select(accounts.c.claimed_by).where(
            is_account(user_id, account_id), accounts.c.claimed_until >= now
        )
        holder: str | None = await self._connection.scalar(statement)
        return holder

    async def renew(self, user_id: int, account_id: int, holder: str, until: Millis) -> bool:
        """Hold a claim for longer; False where another holder has it meanwhile."""
        statement = update(accounts).where(
            is_account(user_id, account_id), accounts.c.claimed_by == holder
        )
        return await changed(self._connection, statement.values(claimed_until=until)) > 0

    async def release(self, user_id: int, account_id: int, holder: str) -> None:
        """Give a claim back; another holder's claim stays."""
        values = {"user": user_id, "account": account_id, "holder": holder}
        await self._connection.changed(_RELEASE, values)

    async def take_over(self, user_id: int, account_id: int) -> bool:
        """Hold an account to the end of this transaction; whoever has a claim on it loses that.

        Returns:
            False where there is no such account.
        """
        statement = update(accounts).where(is_account(user_id, account_id))
        free = statement.values(claimed_by=None, claimed_until=None)
        return await changed(self._connection, free) > 0

    async def counts(self, now: Millis) -> Counts:
        """Return how many accounts are overdue at a moment and how many locked, of all users.

        Of very many no more is said than that they are `COUNTED`.
        """
        late = Millis(now - OVERDUE_AFTER)
        overdue = await self._connection.scalar(counted(accounts.c.next_sync_at < late))
        locked = await self._connection.scalar(counted(accounts.c.is_locked))
        return Counts(overdue=overdue, locked=locked)

    async def failing(self) -> dict[str, int]:
        """Return how many accounts of each market, locked ones aside, the last try did not read.

        Of very many no more is said than that they are `COUNTED` in all.
        """
        # Words of the index: a database does not know a parameter for them.
        is_failing = accounts.c.failures > literal_column("0")
        some = select(accounts.c.market_code).where(is_failing, ~accounts.c.is_locked)
        code = some.limit(COUNTED).subquery().c.market_code
        found = await self._connection.execute(select(code, func.count()).group_by(code))
        return {row[0]: row[1] for row in found}

    async def _lock_credential(self, user_id: int, account_id: int) -> None:
        # SQLite's writers hold the one write lock already. On PostgreSQL two claims of one key may
        # touch different rows: the lock makes the later one wait, and then see the earlier.
        if self._connection.dialect.name != "postgresql":
            return
        key = func.hashtextextended(accounts.c.credential_id, 0)
        statement = select(func.pg_advisory_xact_lock(key))
        await self._connection.execute(statement.where(is_account(user_id, account_id)))


def is_account(user_id: int, account_id: int) -> ColumnElement[bool]:
    """Return the condition that finds one account of one user."""
    return and_(accounts.c.user_id == user_id, accounts.c.id == account_id)


def _is_claimed(now: Millis) -> ColumnElement[bool]:
    return and_(accounts.c.claimed_until.is_not(None), accounts.c.claimed_until >= now)
