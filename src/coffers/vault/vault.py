"""Envelope encryption: each record has a data key of its own, wrapped by a master key.

AES-256-GCM throughout. The record's context (which account or token it belongs to) is bound in as
associated data, so that a sealed secret moved to another row does not open. Re-wrapping under a
new master key leaves the sealed text as it is.
"""

import os
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coffers.errors import CoffersError
from coffers.secret import Secret
from coffers.vault.keyring import KEY_BYTES, KeyRing, MasterKey, WrongMasterKey
from coffers.vault.sealed import Sealed

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_WRAPPED_BYTES: Final = KEY_BYTES + 16
_HEADER_BYTES: Final = len(_VERSION) + _NONCE_BYTES + _WRAPPED_BYTES


class SealBroken(CoffersError):
    """A sealed secret was changed, cut short, or belongs to another record."""


class Vault:
    """Seals and opens secrets under a ring of master keys.

    `reload` brings the ring as it is now; it is asked once when a record names a key that the
    ring does not have, since another process may have rotated the keys.
    """

    def __init__(self, reload: Callable[[], KeyRing]) -> None:
        self._reload = reload
        self._ring = reload()

    @property
    def ring(self) -> KeyRing:
        """Return the ring in use."""
        return self._ring

    def seal(self, secret: Secret, context: str) -> Sealed:
        """Return the secret sealed for this context, under the master key that is current now.

        The ring is brought anew: a process that seals under a key that another one has meanwhile
        dropped would seal for ever. Seal inside of the transaction that stores the result, which
        is where the database refuses a key that it does not know.
        """
        return self.seal_for(secret, lambda _key_id: context)

    def seal_for(self, secret: Secret, context_of: Callable[[str], str]) -> Sealed:
        """Return the secret sealed as by `seal`, for the context that the key's id makes."""
        self._ring = self._reload()
        context = context_of(self._ring.current.id)
        data_key = os.urandom(KEY_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        body = AESGCM(data_key).encrypt(nonce, secret.reveal().encode(), context.encode())
        return self._wrap(data_key, nonce + body, context)

    def open(self, sealed: Sealed, context: str) -> Secret:
        """Return the secret that was sealed for this context.

        Raises:
            WrongMasterKey: when the ring lacks the key that it was sealed under.
            SealBroken: when it was changed, or sealed for another context.
        """
        data_key, body = self._unwrap(sealed, context)
        nonce, text = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            return Secret(AESGCM(data_key).decrypt(nonce, text, context.encode()).decode())
        except InvalidTag as error:
            raise SealBroken("a sealed secret does not match its record") from error

    def require(self, key_id: str) -> None:
        """Make sure that a key is at hand.

        Raises:
            WrongMasterKey: when the ring lacks it, also after it was brought anew.
        """
        self._master(key_id)

    def rewrap(self, sealed: Sealed, context: str) -> Sealed:
        """Return the same sealed text under the current master key.

        Raises:
            WrongMasterKey, SealBroken: as `open`.
        """
        data_key, body = self._unwrap(sealed, context)
        return self._wrap(data_key, body, context)

    def _wrap(self, data_key: bytes, body: bytes, context: str) -> Sealed:
        master = self._ring.current
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(master.material).encrypt(
            nonce, data_key, _wrap_context(master.id, context)
        )
        return Sealed(master.id, _VERSION + nonce + wrapped + body)

    def _unwrap(self, sealed: Sealed, context: str) -> tuple[bytes, bytes]:
        master = self._master(sealed.key_id)
        header, body = sealed.blob[:_HEADER_BYTES], sealed.blob[_HEADER_BYTES:]
        if len(body) < _NONCE_BYTES or header[:1] != _VERSION:
            raise SealBroken("a sealed secret was cut short or is of an unknown version")
        nonce, wrapped = header[1 : 1 + _NONCE_BYTES], header[1 + _NONCE_BYTES :]
        try:
            bound = _wrap_context(sealed.key_id, context)
            return AESGCM(master.material).decrypt(nonce, wrapped, bound), body
        except InvalidTag as error:
            raise SealBroken("a sealed secret does not match its record") from error

    def _master(self, key_id: str) -> MasterKey:
        if (key := self._ring.get(key_id)) is None:
            self._ring = self._reload()
            key = self._ring.get(key_id)
        if key is None:
            at_hand = ", ".join(key.id for key in self._ring)
            raise WrongMasterKey(
                f"the database was sealed with master key {key_id}, and that key is not at hand "
                f"(at hand: {at_hand}); give it with COFFERS_MASTER_KEY or COFFERS_MASTER_KEY_FILE"
            )
        return key


def _wrap_context(key_id: str, context: str) -> bytes:
    return f"{key_id}\0{context}".encode()
