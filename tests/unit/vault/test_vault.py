"""A sealed secret opens for its own record, under a key of the ring, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.errors import SettingsError
from coffers.secret import Secret
from coffers.vault.keyring import KeyRing, WrongMasterKey, new_key, parse_ring
from coffers.vault.sealed import Sealed
from coffers.vault.vault import SealBroken, Vault

SECRET = Secret("not-a-real-exchange-secret")
OLD, NEW = new_key(), new_key()


def vault(*keys: object) -> Vault:
    return Vault(lambda: KeyRing(keys or (OLD,)))


@given(st.text())
def test_a_sealed_secret_opens_again(text: str) -> None:
    box = vault()
    assert box.open(box.seal(Secret(text), "account:1"), "account:1").reveal() == text


def test_the_sealed_bytes_hold_neither_secret_nor_key() -> None:
    sealed = vault().seal(SECRET, "account:1")
    assert SECRET.reveal().encode() not in sealed.blob
    assert OLD.material not in sealed.blob


def test_a_secret_moved_to_another_record_does_not_open() -> None:
    box = vault()
    sealed = box.seal(SECRET, "account:1")
    with pytest.raises(SealBroken):
        box.open(sealed, "account:2")


@given(st.integers(min_value=0, max_value=120), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(position: int, flip: int) -> None:
    box = vault()
    sealed = box.seal(SECRET, "account:1")
    blob = bytearray(sealed.blob)
    blob[position % len(blob)] ^= flip
    with pytest.raises(SealBroken):
        box.open(Sealed(sealed.key_id, bytes(blob)), "account:1")


@pytest.mark.parametrize("length", [0, 1, 12, 60, 61, 72])
def test_a_truncated_secret_is_noticed(length: int) -> None:
    box = vault()
    sealed = box.seal(SECRET, "account:1")
    with pytest.raises(SealBroken):
        box.open(Sealed(sealed.key_id, sealed.blob[:length]), "account:1")


def test_rewrapping_moves_a_secret_to_the_current_key() -> None:
    sealed = vault(OLD).seal(SECRET, "account:1")
    moved = vault(NEW, OLD).rewrap(sealed, "account:1")
    assert moved.key_id == NEW.id
    assert vault(NEW).open(moved, "account:1") == SECRET


def test_a_missing_key_is_named_with_those_at_hand() -> None:
    sealed = vault(OLD).seal(SECRET, "account:1")
    with pytest.raises(WrongMasterKey, match=rf"{OLD.id}.*at hand: {NEW.id}"):
        vault(NEW).open(sealed, "account:1")


def test_a_key_added_by_another_process_is_found() -> None:
    rings = iter([KeyRing([OLD]), KeyRing([NEW, OLD])])
    box = Vault(lambda: next(rings))
    sealed = vault(NEW).seal(SECRET, "account:1")
    assert box.open(sealed, "account:1") == SECRET


def test_a_ring_is_read_from_base64_and_hex_with_comments() -> None:
    ring = parse_ring(f"# first\n{OLD.text()}\n\n{NEW.material.hex()}", "a file")
    assert [key.id for key in ring] == [OLD.id, NEW.id]
    assert ring.current.id == OLD.id


@pytest.mark.parametrize("text", ["", "# only a comment", "short", "ä" * 44, "A" * 43])
def test_a_text_without_a_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_ring(text, "COFFERS_MASTER_KEY")
    assert "COFFERS_MASTER_KEY" in str(refusal.value)
    assert not text or text.startswith("#") or text not in str(refusal.value)


def test_a_key_shows_only_its_id() -> None:
    assert repr(OLD) == f"MasterKey({OLD.id})"
