"""What a user does with a connected account: find it, name it anew, remove it."""

from typing import Final

from coffers.clock import Clock, Millis
from coffers.errors import CoffersError, NotFound
from coffers.portfolio.naming import usable_name
from coffers.store.engine import Store, Transaction
from coffers.store.events import EventKind, NewEvent
from coffers.store.records import Account, AuditEvent, Mode
from coffers.sync.events import about

MOST_ID = 2**31 - 1
"""Ids beyond it are nobody's, and no database takes them."""

_REMOVED: Final = "account_removed"


class NotDeletable(CoffersError):
    """An account that something is done with."""

    def __init__(self) -> None:
        super().__init__("Can't remove account. Orders are being placed in it; try again later.")


class AccountKeeping:
    """Looks after connected accounts; another user's account is not found."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get(self, user_id: int, account_id: int) -> Account:
        """Return one account.

        Raises:
            NotFound: when this user has none of this id.
        """
        if account_id > MOST_ID:
            raise _no_account(account_id)
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
        if account is None:
            raise _no_account(account_id)
        return account

    async def was_removed(self, user_id: int, account_id: int) -> bool:
        """Return whether this user has removed an account of this id lately."""
        async with self._store.reading() as tx:
            events = await tx.audit.of_user(user_id)
        removed = (_REMOVED, str(account_id))
        return any((event.kind, event.subject) == removed for event in events)

    async def of_mode(self, user_id: int, mode: Mode) -> list[Account]:
        """Return the accounts of one mode, by id."""
        async with self._store.reading() as tx:
            accounts = await tx.accounts.of_user(user_id)
        return [account for account in accounts if account.mode == mode]

    async def in_summary(self, user_id: int, mode: Mode) -> list[Account]:
        """Return the accounts of one mode that the user wants in the summary, by id."""
        accounts = await self.of_mode(user_id, mode)
        return [account for account in accounts if account.include_in_summary]

    async def rename(self, user_id: int, account_id: int, name: str) -> Account:
        """Give an account another name, and return it as it is now.

        Raises:
            InvalidRecord: for a name that cannot be used.
            NotFound: when this user has none of this id.
        """
        name = usable_name(name)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            before = await _held(tx, user_id, account_id)
            await tx.accounts.rename(user_id, account_id, name, now)
            await tx.audit.add(_renamed(user_id, before, name, now))
            await tx.events.add(user_id, changes_of(before, now, name))
        return await self.get(user_id, account_id)

    async def change(
        self, user_id: int, account_id: int, *, name: str | None, in_summary: bool | None
    ) -> None:
        """Change an account's name, whether it is in the summary, or both at once.

        Raises:
            InvalidRecord: for a name that cannot be used.
            NotFound: when this user has none of this id.
        """
        name = None if name is None else usable_name(name)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            before = await _held(tx, user_id, account_id)
            if name is not None and name != before.name:
                await tx.accounts.rename(user_id, account_id, name, now)
                await tx.audit.add(_renamed(user_id, before, name, now))
            if in_summary is not None and in_summary != before.include_in_summary:
                await tx.accounts.include(user_id, account_id, now, in_summary=in_summary)
                told = "counted" if in_summary else "left out"
                kind = "account_in_summary"
                await tx.audit.add(AuditEvent(user_id, now, kind, str(account_id), told))
            changes = changes_of(before, now, name, in_summary=in_summary)
            await tx.events.add(user_id, changes)

    async def remove(self, user_id: int, account_id: int) -> None:
        """Remove an account with its key and its history.

        Raises:
            NotFound: when this user has none of this id.
            NotDeletable: while something is done with it at its exchange.
        """
        async with self._store.transaction() as tx:
            # Held, or an operation could be begun behind the look for one.
            account = await _held(tx, user_id, account_id)
            if await tx.operations.is_running(user_id, account_id):
                raise NotDeletable
            await tx.accounts.remove(user_id, account_id)
            now = self._clock.now()
            await tx.events.add(user_id, [told_of(account, _REMOVED, now)])
            await tx.audit.add(AuditEvent(user_id, now, _REMOVED, str(account_id), ""))


async def _held(tx: Transaction, user_id: int, account_id: int) -> Account:
    """Return an account as it stays until the transaction ends: of that its events tell.

    Raises:
        NotFound: when this user has none of this id.
    """
    account = await tx.accounts.held(user_id, account_id) if account_id <= MOST_ID else None
    if account is None:
        raise _no_account(account_id)
    return account


def told_of(account: Account, kind: EventKind, at: Millis) -> NewEvent:
    """Return an event that tells which account it is of, since that may be gone when it is read."""
    return about(account, kind, at, name=account.name, market_code=account.market_code)


def changes_of(
    before: Account, now: Millis, name: str | None, *, in_summary: bool | None = None
) -> list[NewEvent]:
    """Return the events of another name and of being in the summary or not; None is no change."""
    found = []
    if name not in {None, before.name}:
        names = {"from": before.name, "to": name}
        found.append(about(before, "account_renamed", now, **names))
    if in_summary not in {None, before.include_in_summary}:
        told = {"include_in_summary": in_summary}
        found.append(about(before, "account_in_summary", now, **told))
    return found


def _renamed(user_id: int, before: Account, name: str, now: Millis) -> AuditEvent:
    told = f"{before.name} -> {name}"
    return AuditEvent(user_id, now, "account_renamed", str(before.id), told)


def _no_account(account_id: int) -> NotFound:
    return NotFound(f"there is no account {account_id}")
