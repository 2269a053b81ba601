"""What a user does with a connected account: find it, name it anew, remove it."""

from coffers.clock import Clock
from coffers.errors import NotFound
from coffers.store.engine import Store
from coffers.store.records import Account, AuditEvent


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
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id}")
        return account

    async def remove(self, user_id: int, account_id: int) -> None:
        """Remove an account with its key and its history.

        Raises:
            NotFound: when this user has none of this id.
        """
        async with self._store.transaction() as tx:
            if not await tx.accounts.remove(user_id, account_id):
                raise NotFound(f"there is no account {account_id}")
            now = self._clock.now()
            await tx.audit.add(AuditEvent(user_id, now, "account_removed", str(account_id), ""))
