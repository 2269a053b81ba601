"""What somebody who is not known yet shows a passkey by; nothing is kept of it unless it signs in.

Whoever asks for very many holds up nobody behind the same address, and fills no table: a challenge
carries its end, sealed, so that any process knows its own. Once it signed somebody in it is kept
until that end, and signs in no more.
"""

import base64
from typing import Final

from coffers.clock import Millis
from coffers.portfolio.codes import hash_of
from coffers.secret import Secret
from coffers.store.ceremonies import Ceremony
from coffers.store.engine import Transaction
from coffers.vault.keyring import WrongMasterKey
from coffers.vault.sealed import Sealed
from coffers.vault.vault import SealBroken, Vault

_CONTEXT: Final = "passkey_sign_in"
_BETWEEN: Final = b":"


class OpenChallenges:
    """Makes challenges that anybody may ask for, and takes each once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def made(self, expires_at: Millis) -> bytes:
        """Return a challenge that lasts until a moment."""
        sealed = self._vault.seal(Secret(str(expires_at)), _CONTEXT)
        return sealed.key_id.encode() + _BETWEEN + sealed.blob

    async def take(self, tx: Transaction, challenge: str, now: Millis) -> bool:
        """Keep that a challenge was answered; False where it was before, or is none of ours.

        `drop` takes that back.
        """
        expires_at = self._end_of(challenge)
        if expires_at is None or expires_at <= now:
            return False
        return await tx.ceremonies.begin(
            Ceremony(hash_of(challenge), "passkey_sign_in", "", expires_at), now
        )

    async def drop(self, tx: Transaction, challenge: str) -> None:
        """Forget that a challenge was answered, since the answer did not hold."""
        await tx.ceremonies.end(hash_of(challenge))

    def _end_of(self, challenge: str) -> Millis | None:
        try:
            told = base64.b64decode(challenge + "=" * (-len(challenge) % 4), b"-_", validate=True)
            key_id, _, blob = told.partition(_BETWEEN)
            return Millis(int(self._vault.open(Sealed(key_id.decode(), blob), _CONTEXT).reveal()))
        except (ValueError, SealBroken, WrongMasterKey):
            return None
