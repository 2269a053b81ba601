"""The keys that prove tokens, opened once and kept for the calls that follow."""

from typing import Final

from coffers.access.bounded import Bounded
from coffers.access.signature import HmacKey, ProofKey
from coffers.access.tokens import read_public_key
from coffers.store.records import Token
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault

_KEPT: Final = 1024


def secret_context(user_id: int, token_id: int) -> str:
    """Return what the sealed secret of a token is bound to."""
    return f"token:{user_id}:{token_id}"


class Proofs:
    """Opens sealed secrets and loads public keys; keeps the ones used last.

    An entry belongs to the stored bytes, so that a changed secret or key is never missed.
    """

    def __init__(self, vault: Vault, size: int = _KEPT) -> None:
        self._vault = vault
        self._keys: Bounded[int, tuple[Sealed | str | None, ProofKey]] = Bounded(size)

    def of(self, token: Token) -> ProofKey:
        """Return what proves a token.

        Raises:
            WrongMasterKey, SealBroken: when its secret cannot be opened.
            InvalidRecord: when its public key is damaged.
        """
        stored = token.sealed_secret or token.rsa_public_key
        kept = self._keys.get(token.id)
        if kept is not None and (kept[0] is stored or kept[0] == stored):
            return kept[1]
        key = self._load(token)
        self._keys.put(token.id, (stored, key))
        return key

    def _load(self, token: Token) -> ProofKey:
        if token.sealed_secret is None:
            return read_public_key(token.rsa_public_key or "")
        context = secret_context(token.user_id, token.id)
        return HmacKey(self._vault.open(token.sealed_secret, context))
