"""Under which master keys secrets are stored: those alone that the database knows."""

from sqlalchemy import select

from coffers.logs import logger
from coffers.store.connection import AsyncConnection
from coffers.store.errors import UnknownMasterKey
from coffers.store.tables import vault_keys
from coffers.vault.sealed import Sealed

_log = logger("coffers.store")


async def require_known(connection: AsyncConnection, sealed: Sealed) -> None:
    """Require that the database knows the master key of what is about to be stored.

    Whoever exchanges the key file of a server that runs would otherwise leave secrets that no key
    of the database opens. The key cannot be forgotten before this transaction ends. While the
    database knows none, the first to be sealed under is as good as any.

    Raises:
        UnknownMasterKey: when it knows others only.
    """
    statement = select(vault_keys.c.key_id).with_for_update(read=True, key_share=True)
    known = list(await connection.scalars(statement))
    if known and sealed.key_id not in known:
        _log.error(
            "secret not stored: the master key at hand is not one of this database's",
            at_hand=sealed.key_id,
            known=sorted(known),
            advice="put the known key back, or rotate the keys with coffers vault rotate",
        )
        raise UnknownMasterKey
