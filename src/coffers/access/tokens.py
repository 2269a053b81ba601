"""Making of API tokens: keys and secrets, and the checks of what a user gives for one."""

import re
import secrets
from collections.abc import Iterable
from typing import Final, Literal, cast, get_args

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from coffers.access.addresses import is_like_network, network_of
from coffers.clock import DAY, Millis, from_iso
from coffers.errors import InvalidRecord
from coffers.secret import Secret

Permission = Literal[
    "accounts_read",
    "accounts_write",
    "bots_read",
    "bots_write",
    "smart_trades_read",
    "smart_trades_write",
]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

LONGEST_NAME: Final = 64

_KEY_BYTES: Final = 32
_SECRET_BYTES: Final = 64
_RSA_BITS: Final = range(2048, 8192 + 1)
_RSA_EXPONENT_BITS: Final = 32
"""65537 is usual. One as long as the key takes two hundred times as long to verify by."""

_DAYS: Final = re.compile(r"([0-9]{1,5})d")


def new_api_key() -> str:
    """Return a new API key: 64 hex digits. It is a name, and proves nothing."""
    return secrets.token_hex(_KEY_BYTES)


def new_secret() -> Secret:
    """Return a new secret of a system-generated token: 128 hex digits."""
    return Secret(secrets.token_hex(_SECRET_BYTES))


def read_public_key(pem: str) -> RSAPublicKey:
    """Return the RSA public key of a self-generated token.

    Raises:
        InvalidRecord: for a private key, for what is no RSA key, and for one of a length that is
            too weak or too slow to verify.
    """
    if "PRIVATE KEY" in pem:
        raise _invalid("public_key", "is a private key; register the public key that belongs to it")
    try:
        key = load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _invalid("public_key", "is not a public key in PEM form") from None
    if not isinstance(key, RSAPublicKey):
        raise _invalid("public_key", "is not an RSA key")
    if key.key_size not in _RSA_BITS:
        raise _invalid("public_key", f"has {key.key_size} bits (2048 to 8192 are accepted)")
    if key.public_numbers().e.bit_length() > _RSA_EXPONENT_BITS:
        raise _invalid("public_key", "has an exponent that is too large (65537 is usual)")
    return key


def public_key_text(key: RSAPublicKey) -> str:
    """Return a public key as it is stored: PEM of its SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def parse_permissions(names: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions that are named, in the wire's upper case or in lower case.

    Raises:
        InvalidRecord: naming the ones that do not exist.
    """
    wanted = [name.strip().lower() for name in names]
    if unknown := sorted(set(wanted).difference(PERMISSIONS)):
        raise _invalid("permissions", f"does not have a valid value: {', '.join(unknown)}")
    return frozenset(cast("list[Permission]", wanted))


def wire_name(permission: str) -> str:
    """Return a permission as the wire spells it: `ACCOUNTS_READ`."""
    return permission.upper()


def parse_name(text: str) -> str:
    """Return the name of a token as it is kept; it may be empty.

    Raises:
        InvalidRecord: for one that is too long, or that cannot be shown.
    """
    name = text.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise _invalid("name", f"must be at the most {LONGEST_NAME} printable characters")
    return name


def parse_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Return networks in CIDR form, given as such or as single addresses.

    Raises:
        InvalidRecord: naming the first text that is neither; it is repeated only where it has the
            letters of one, since what was pasted by mistake may be a secret.
    """
    found = (_network(text.strip(), number) for number, text in enumerate(texts, 1))
    return tuple(dict.fromkeys(found))


def parse_expiry(text: str, now: Millis) -> Millis:
    """Return when a token expires: an ISO 8601 instant with its offset, or `90d` from now.

    Raises:
        InvalidRecord: for what is neither, and for a moment that has passed.
    """
    moment = _moment(text.strip(), now)
    if moment is None:
        raise _invalid("expires_at", "is invalid: give 2026-01-31T00:00:00Z or a span such as 90d")
    if moment <= now:
        raise _invalid("expires_at", "has passed already")
    return moment


def _network(text: str, number: int) -> str:
    try:
        return str(network_of(text))
    except ValueError:
        named = repr(text) if is_like_network(text) else f"number {number}"
        raise _invalid("allowed_networks", f"{named} is no address or network") from None


def _moment(text: str, now: Millis) -> Millis | None:
    if days := _DAYS.fullmatch(text):
        return Millis(now + int(days[1]) * DAY)
    try:
        return from_iso(text)
    except (ValueError, OverflowError):
        return None


def _invalid(field: str, fault: str) -> InvalidRecord:
    return InvalidRecord({field: [fault]})
