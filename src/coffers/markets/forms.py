"""The forms that credentials come in: a pasted text -> the text as venues take it, or a fault.

Nothing is looked up or proved here: an address of the right form may belong to nobody.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final, Literal

Form = Literal[
    "word",
    "number",
    "text",
    "secret",
    "pem",
    "evm_address",
    "evm_key",
    "stark_address",
    "stark_key",
    "dydx_address",
    "solana_address",
    "base58_key",
    "hex32",
]

LONGEST: Final = 4096
"""How long a credential may be; the longest are RSA keys in PEM, of some 3,300 characters."""

PEM_WIDTH: Final = 64
KEY_BYTES: Final = 32
KEY_DIGITS: Final = 2 * KEY_BYTES
STARK_PRIME: Final = 2**251 + 17 * 2**192 + 1
"""What every number of Starknet is below."""


_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519: Final = "ed25519:"
_SEED_WORDS: Final = range(12, 25)


class Malformed(ValueError):
    """A credential does not have its form; the message goes on after the field's name."""


def normal(form: Form, text: str) -> str:
    """Return a credential as its venue takes it.

    Raises:
        Malformed: saying what is expected instead; it shows nothing of the text.
    """
    stripped = text.strip()
    if not stripped:
        raise Malformed("is missing")
    if len(stripped) > LONGEST:
        raise Malformed(f"is longer than {LONGEST} characters")
    return _FORMS[form](stripped)


def _word(text: str) -> str:
    if not text.isprintable() or any(char.isspace() for char in text):
        raise Malformed("is invalid: it must be one word")
    return text


def _number(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise Malformed("must be a whole number")
    return text


def _text(text: str) -> str:
    if any(not char.isprintable() for char in text):
        raise Malformed("is invalid: it must be one line")
    return text


def _secret(text: str) -> str:
    if "-----BEGIN" in text:
        return _pem(text)
    if len(text.split()) in _SEED_WORDS:
        raise Malformed("looks like a seed phrase; never give that to anybody")
    return _text(text)


def _pem(text: str) -> str:
    """Return a private key in PEM, whole lines again whatever way it was pasted."""
    unescaped = text.replace("\\r", "").replace("\\n", "\n")
    found = _PEM.search(unescaped)
    if found is None:
        raise Malformed("must be a private key in PEM, from -----BEGIN to -----END in full")
    kind, body = found.group(1), "".join(found.group(2).split())
    if "PUBLIC" in kind or "CERTIFICATE" in kind:
        raise Malformed("is the public half of a key; the private key is needed")
    if "ENCRYPTED" in kind or "ENCRYPTED" in body:
        raise Malformed("is a key under a password; export it without one")
    _decoded(body)
    lines = [body[start : start + PEM_WIDTH] for start in range(0, len(body), PEM_WIDTH)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("is not a whole PEM key: a part of it is missing or changed") from None


def _evm_address(text: str) -> str:
    if not re.fullmatch(r"0[xX][0-9a-fA-F]{40}", text):
        raise Malformed("must be an address of 0x and 40 hexadecimal digits")
    return "0x" + text[2:].lower()


def _evm_key(text: str) -> str:
    digits = _hex_digits(text, "a private key of 64 hexadecimal digits")
    if len(digits) != KEY_DIGITS:
        raise Malformed("must be a private key of 64 hexadecimal digits")
    return f"0x{digits}"


def _stark_address(text: str) -> str:
    if not re.fullmatch(r"0[xX][0-9a-fA-F]{40,64}", text) or not _is_felt(text):
        raise Malformed("must be an address of 0x and up to 64 hexadecimal digits")
    return "0x" + text[2:].lower()


def _stark_key(text: str) -> str:
    digits = _hex_digits(text, "a private key of up to 64 hexadecimal digits")
    if len(digits) > KEY_DIGITS:
        raise Malformed("must be a private key of up to 64 hexadecimal digits")
    return f"0x{digits}"


def _is_felt(text: str) -> bool:
    return int(text, 16) < STARK_PRIME


def _hex32(text: str) -> str:
    digits = _hex_digits(text, "0x and 64 hexadecimal digits")
    if len(digits) != KEY_DIGITS:
        raise Malformed("must be 0x and 64 hexadecimal digits")
    return f"0x{digits}"


def _hex_digits(text: str, expected: str) -> str:
    if len(text.split()) in _SEED_WORDS:
        raise Malformed("looks like a seed phrase; never give that to anybody")
    digits = text[2:] if text[:2] in {"0x", "0X"} else text
    if not re.fullmatch(r"[0-9a-fA-F]+", digits):
        raise Malformed(f"must be {expected}")
    return digits.lower()


def _dydx_address(text: str) -> str:
    if not re.fullmatch(r"dydx1[02-9ac-hj-np-z]{38}", text):
        raise Malformed("must be an address that begins with dydx1, 43 characters long")
    return text


def _solana_address(text: str) -> str:
    if _base58_size(text) != KEY_BYTES:
        raise Malformed("must be a Solana address of 32 to 44 letters and digits")
    return text


def _base58_key(text: str) -> str:
    if _base58_size(text.removeprefix(_ED25519)) not in {KEY_BYTES, 2 * KEY_BYTES}:
        raise Malformed("must be ed25519: and a key in base58")
    return text


def _base58_size(text: str) -> int | None:
    """Return how many bytes a text in base58 stands for, None where it is none."""
    number = 0
    for char in text:
        if char not in _BASE58:
            return None
        number = number * 58 + _BASE58.index(char)
    zeros = len(text) - len(text.lstrip("1"))
    return zeros + (number.bit_length() + 7) // 8


_FORMS: Final[dict[Form, Callable[[str], str]]] = {
    "word": _word,
    "number": _number,
    "text": _text,
    "secret": _secret,
    "pem": _pem,
    "evm_address": _evm_address,
    "evm_key": _evm_key,
    "stark_address": _stark_address,
    "stark_key": _stark_key,
    "dydx_address": _dydx_address,
    "solana_address": _solana_address,
    "base58_key": _base58_key,
    "hex32": _hex32,
}
