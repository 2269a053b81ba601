"""What a token is made of: fresh randomness, and only what a user can have meant."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from coffers.access.tokens import (
    PERMISSIONS,
    new_api_key,
    new_secret,
    parse_expiry,
    parse_networks,
    parse_permissions,
    public_key_text,
    read_public_key,
    wire_name,
)
from coffers.clock import DAY, from_iso
from coffers.errors import InvalidRecord
from factories import NOW

KEY = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_keys_and_secrets_are_long_and_never_the_same() -> None:
    keys = {new_api_key() for _ in range(100)}
    secrets = {new_secret().reveal() for _ in range(100)}
    assert len(keys) == len(secrets) == 100
    assert {len(key) for key in keys} == {64}
    assert {len(secret) for secret in secrets} == {128}
    assert "***" in repr(new_secret())


def test_a_public_key_is_read_in_either_pem_form_and_kept_in_one() -> None:
    public = KEY.public_key()
    older = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert public_key_text(read_public_key(older)) == pem(public)
    assert public_key_text(read_public_key(f"\n  {pem(public)}\n")) == pem(public)


def test_a_private_key_is_refused_and_not_repeated() -> None:
    private = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(InvalidRecord, match="is a private key") as caught:
        read_public_key(private)
    assert private.splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is not a public key in PEM form"),
        ("ssh-rsa AAAA", "is not a public key in PEM form"),
        ("ключ", "is not a public key in PEM form"),
        (pem(KEY.public_key())[:200], "is not a public key in PEM form"),
        (pem(ec.generate_private_key(ec.SECP256R1()).public_key()), "is not an RSA key"),
        (
            pem(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505 - too weak
            "has 1024 bits (2048 to 8192 are accepted)",
        ),
        (
            pem(rsa.RSAPublicNumbers(2**64 + 1, KEY.public_key().public_numbers().n).public_key()),
            "has an exponent that is too large (65537 is usual)",
        ),
    ],
)
def test_what_is_no_strong_public_key_is_refused(text: str, fault: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_public_key(text)
    assert caught.value.attributes == {"public_key": [fault]}


def test_permissions_are_read_as_the_wire_or_we_spell_them() -> None:
    assert parse_permissions(["ACCOUNTS_READ", " bots_write "]) == {"accounts_read", "bots_write"}
    assert parse_permissions(map(wire_name, PERMISSIONS)) == set(PERMISSIONS)


def test_an_unknown_permission_is_named() -> None:
    with pytest.raises(InvalidRecord, match="does not have a valid value: withdraw"):
        parse_permissions(["accounts_read", "withdraw"])


def test_networks_and_single_addresses_become_networks() -> None:
    texts = ["10.1.2.3/8", "192.0.2.1 ", "2001:db8::1", "2001:db8::/32", "192.0.2.1/32"]
    assert parse_networks(texts) == (
        "10.0.0.0/8",
        "192.0.2.1/32",
        "2001:db8::1/128",
        "2001:db8::/32",
    )
    assert parse_networks([]) == ()


def test_ipv4_as_a_dual_stack_socket_shows_it_is_ipv4() -> None:
    texts = ["::ffff:192.0.2.1", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::/0"]
    assert parse_networks(texts) == ("192.0.2.1/32", "10.0.0.0/8", "0.0.0.0/0", "::/0")


@pytest.mark.parametrize("text", ["", "host.example", "10.0.0.0/33", "10.0.0", "*"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord, match="allowed_networks .* is no address or network"):
        parse_networks(["192.0.2.1", text])


def test_an_expiry_is_an_instant_or_a_number_of_days() -> None:
    assert parse_expiry("90d", NOW) == NOW + 90 * DAY
    assert parse_expiry("2030-01-31T00:00:00Z", NOW) == from_iso("2030-01-31T00:00:00Z")


@pytest.mark.parametrize("text", ["", "soon", "90", "-1d", "2030-01-31", "2030-01-31T00:00:00"])
def test_what_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord, match="expires_at is invalid"):
        parse_expiry(text, NOW)


@pytest.mark.parametrize("text", ["0d", "2020-01-31T00:00:00Z"])
def test_an_expiry_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord, match="has passed already"):
        parse_expiry(text, NOW)
