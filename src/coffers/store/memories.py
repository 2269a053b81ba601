"""What a reading of an account leaves for the next one."""

from sqlalchemy import bindparam, select

from coffers.store.connection import AsyncConnection
from coffers.store.prepared import Prepared
from coffers.store.statements import insert
from coffers.store.tables import account_memories

_REMEMBERED = Prepared(
    select(account_memories.c.body).where(
        account_memories.c.user_id == bindparam("user"),
        account_memories.c.account_id == bindparam("account"),
    )
)


class Memories:
    """One text per account, in the words of the connector that reads it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, user_id: int, account_id: int) -> str | None:
        """Return what is remembered of an account, None where nothing is."""
        found = await self._connection.rows(_REMEMBERED, {"user": user_id, "account": account_id})
        return found[0].body if found else None

    async def put(self, user_id: int, account_id: int, body: str) -> None:
        """Remember a text in place of the one before."""
        statement = insert(self._connection, account_memories).values(
            user_id=user_id, account_id=account_id, body=body
        )
        key = [account_memories.c.user_id, account_memories.c.account_id]
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"body": body})
        )
