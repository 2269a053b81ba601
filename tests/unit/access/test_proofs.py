"""The keys that prove tokens are opened once, and never kept past a change."""

from typing import Any

import pytest

from coffers.access.proofs import Proofs, secret_context
from coffers.access.signature import verify
from coffers.secret import Secret
from coffers.vault.vault import SealBroken, Vault
from unit.access.door import RING, SECRET, VAULT, call, door, token


class CountingVault(Vault):
    """A vault that notes what it opens."""

    def __init__(self, opened: list[str]) -> None:
        super().__init__(lambda: RING)
        self._opened = opened

    def open(self, sealed: Any, context: str) -> Secret:
        self._opened.append(context)
        return super().open(sealed, context)


async def test_a_secret_is_opened_once_and_again_when_it_was_changed() -> None:
    entry = door()
    opened: list[str] = []
    entry.gate._proofs = Proofs(CountingVault(opened))
    await entry.admit(call())
    await entry.admit(call())
    assert len(opened) == 1
    another = VAULT.seal(Secret("another"), secret_context(1, 5))
    entry.look.known = token(sealed_secret=another)
    assert (await entry.refusal(call())).reason == "wrong_signature"
    assert len(opened) == 2


def test_only_the_keys_used_last_are_kept_open() -> None:
    proofs = Proofs(VAULT, size=3)
    for number in range(10):
        sealed = VAULT.seal(SECRET, secret_context(1, number))
        key = proofs.of(token(id=number, sealed_secret=sealed))
        assert verify(call(), key) is not None
    assert len(proofs._keys) == 3


async def test_a_secret_of_another_token_does_not_open() -> None:
    with pytest.raises(SealBroken):
        await door(token(id=6)).admit(call())
