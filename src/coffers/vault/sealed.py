"""What the vault makes of a secret: bytes that only its master key opens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed secret. `key_id` names the master key; `blob` is wrapped key, nonce, ciphertext."""

    key_id: str
    blob: bytes
