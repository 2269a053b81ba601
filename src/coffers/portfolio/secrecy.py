"""Seed phrases and private keys that were pasted where no secret belongs: into names and codes.

They are refused before anything is stored, by a sentence that does not repeat them.
"""

import re

from coffers.connectors.chain.bitcoin.base58check import decode, is_base58
from coffers.connectors.chain.refusals import AddressRefused
from coffers.connectors.chain.secrets import FEWEST_WORDS, refuse_secrets

SHORTEST_KEY = 20
"""No kind of private key has fewer characters in a row."""

_XRP_NUMBERS = 8  # a secret of as many numbers
_PARTS = re.compile(r"[\W_]+")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?[0-9a-fA-F]{60,128}(?![0-9A-Za-z])")
_EXTENDED = re.compile(r"[a-zA-Z]p(?:rv|v)[0-9A-Za-z]{70,}")
_SHORTEST_RUN = 3 * FEWEST_WORDS  # of words of three letters, without blanks
_WIF = range(50, 54)


def secret_fault(text: str, *, is_hex_usual: bool = False) -> str | None:
    """Return the sentence that refuses a secret, None for a text that looks like none.

    Unlike an address, a name may have some words. `is_hex_usual` is for what is named by 64 hex
    digits itself, as tokens of some chains are.
    """
    told = _HEX.sub(" ", text) if is_hex_usual else text
    parts = [part for part in _PARTS.split(told) if part]
    is_short = all(len(part) < SHORTEST_KEY for part in parts)
    numbers = sum(part.strip("ABCDEFGH").isdigit() for part in parts)
    if is_short and len(parts) < FEWEST_WORDS and numbers < _XRP_NUMBERS:
        return None
    return _fault(told)


def key_fault(text: str) -> str | None:
    """Return the sentence that refuses what cannot be the key of an exchange, but spends coins.

    64 hex digits may well be the key of an exchange, and other letters may look like a secret by
    chance: without a check sum nothing in a row is taken for one.
    """
    words = [part for part in _PARTS.split(text) if part]
    is_run = text.isalpha() and len(text) >= _SHORTEST_RUN
    is_phrase = len(words) >= FEWEST_WORDS or is_run
    is_wif = len(text) in _WIF and is_base58(text) and decode(text) is not None
    return _fault(text) if is_phrase or is_wif or _EXTENDED.search(text) else None


def address_fault(text: str) -> str | None:
    """Return the sentence that refuses a secret in the place of an address."""
    return _fault(text.strip())


def told(text: str, most: int = 140) -> str:
    """Return a text as errors repeat it: in quotes, or not at all where it looks like a secret."""
    return "what looks like a secret" if secret_fault(text) else repr(text[:most])


def _fault(text: str) -> str | None:
    try:
        refuse_secrets(text)
    except AddressRefused as refusal:
        return refusal.attributes["address"][0]
    return None
