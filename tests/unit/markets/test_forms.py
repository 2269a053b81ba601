"""What is pasted as a credential: taken in its venue's form, or refused with what is expected."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from coffers.markets.forms import LONGEST, Form, Malformed, normal

EC = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    kind = (
        PrivateFormat.PKCS8
        if isinstance(key, ed25519.Ed25519PrivateKey)
        else PrivateFormat.TraditionalOpenSSL
    )
    return key.private_bytes(Encoding.PEM, kind, NoEncryption()).decode()


KEYS = [pytest.param(pem(key), id=type(key).__name__) for key in (EC, ED25519, RSA)]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "pasted",
    [
        lambda key: key,
        lambda key: f"  \n{key}\n\n",
        lambda key: key.replace("\n", "\\n"),
        lambda key: '"' + key.replace("\n", "\\n") + '"',
        lambda key: key.replace("\n", "\r\n"),
        lambda key: key.replace("\n", "\\r\\n"),
        lambda key: key.replace("\n", " "),
        lambda key: "\n".join(f"  {line}" for line in key.splitlines()),
    ],
    ids=[
        "whole",
        "blanks",
        "escaped",
        "quoted",
        "windows",
        "escaped windows",
        "joined",
        "indented",
    ],
)
@pytest.mark.parametrize("form", ["secret", "pem"])
def test_a_key_in_pem_is_whole_again_however_it_was_pasted(
    key: str,
    pasted: Callable[[str], str],
    form: Form,
) -> None:
    taken = normal(form, pasted(key))
    assert taken == key
    load_pem_private_key(taken.encode(), None)


def test_what_is_no_whole_private_key_in_pem_is_told_apart() -> None:
    whole = pem(EC)
    public = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    words = BestAvailableEncryption(b"fake-words")
    locked = EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, words).decode()
    cut, damaged = whole[:80], whole[:60] + "!" + whole[61:]
    for text, told in (
        (public, "public half"),
        (locked, "under a password"),
        (cut, "in full"),
        (damaged, "missing or changed"),
        ("no key", "must be a private key in PEM"),
    ):
        with pytest.raises(Malformed, match=told):
            normal("pem", text)


@pytest.mark.parametrize(
    ("form", "pasted", "taken"),
    [
        ("word", " fake-key\n", "fake-key"),
        ("number", " 4711 ", "4711"),
        ("text", "\tfake words ", "fake words"),
        ("secret", " a2tra2s=\n", "a2tra2s="),
        ("evm_address", "0X" + "Ab" * 20, "0x" + "ab" * 20),
        ("evm_key", "AB" * 32, "0x" + "ab" * 32),
        ("evm_key", "0x" + "ab" * 32, "0x" + "ab" * 32),
        ("stark_key", "1A2b", "0x1a2b"),
        ("stark_address", "0x" + "01" * 32, "0x" + "01" * 32),
        ("hex32", "0x" + "CD" * 32, "0x" + "cd" * 32),
        ("dydx_address", "dydx1" + "q" * 38, "dydx1" + "q" * 38),
        ("solana_address", "1" * 32, "1" * 32),
        ("base58_key", "ed25519:" + "1" * 32, "ed25519:" + "1" * 32),
        ("base58_key", "1" * 64, "1" * 64),
    ],
)
def test_a_text_is_taken_in_its_form(form: Form, pasted: str, taken: str) -> None:
    assert normal(form, pasted) == taken


@pytest.mark.parametrize(
    ("form", "pasted", "told"),
    [
        ("word", "two words", "one word"),
        ("word", "a\x00b", "one word"),
        ("number", "47x", "whole number"),
        ("text", "two\nlines", "one line"),
        ("secret", SEED, "seed phrase"),
        ("evm_key", SEED, "seed phrase"),
        ("stark_key", SEED, "seed phrase"),
        ("evm_address", "0x" + "ab" * 32, "0x and 40 hexadecimal"),
        ("evm_address", "vitalik.eth", "0x and 40 hexadecimal"),
        ("evm_key", "0x" + "ab" * 20, "64 hexadecimal"),
        ("evm_key", "fake-secret", "64 hexadecimal"),
        ("stark_key", "0x" + "1" * 65, "up to 64 hexadecimal"),
        ("stark_address", "0x" + "ff" * 32, "up to 64 hexadecimal"),
        ("stark_address", "0x12", "up to 64 hexadecimal"),
        ("hex32", "0x12", "0x and 64 hexadecimal"),
        ("dydx_address", "cosmos1" + "q" * 38, "dydx1"),
        ("dydx_address", "dydx1" + "b" * 38, "dydx1"),
        ("solana_address", "0x" + "ab" * 20, "Solana"),
        ("base58_key", "fake-secret", "base58"),
        ("secret", "x" * (LONGEST + 1), "longer than"),
        ("secret", "  ", "missing"),
    ],
)
def test_a_text_of_another_form_is_refused_and_not_shown(
    form: Form, pasted: str, told: str
) -> None:
    with pytest.raises(Malformed, match=told) as caught:
        normal(form, pasted)
    assert pasted.strip() == "" or pasted not in str(caught.value)
