"""Tells what could spend from what can only look, before anything else sees it.

A wallet is read by an address or a public key. People paste seed phrases and private keys into
such fields; those are refused by a sentence that does not repeat them.
"""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator

from coffers.connectors.chain.refusals import AddressFault, AddressRefused

FEWEST_WORDS = 12
"""The shortest seed phrase: so many words in a row are taken for one, in any language."""

FEWEST_KNOWN = 5
"""So many words, nearly all of the English list, are taken for a part of a phrase."""

_LONGEST = 20_000
_MOST_UNKNOWN = 5  # one word in so many may be misspelt
_KEY_BYTES = range(32, 129)
_WHOLE_KEYS = frozenset({32, 33, 64})

_BASE58 = "1-9A-HJ-NP-Za-km-z"
_SEPARATORS = re.compile(r"[^0-9A-Za-z]+")
_BREAKS = re.compile(r"[\W_]+")
_HEX_KEY = re.compile(r"(?:0[xX])?(?:[0-9a-fA-F]{60,65}|[0-9a-fA-F]{128})")
_TON = re.compile(r"[EUk0][0-9A-Za-z_+/-]{47}")  # parts of it look like seeds of other chains
_TON_RAW = re.compile(r"-?[01]:[0-9a-fA-F]{64}")
_EXTENDED = re.compile(rf"(?<![{_BASE58}])(?:[xyztuvYZUV]prv|[LMt]tpv|dgpv|tgpv)[{_BASE58}]{{70,}}")
_BECH32_KEY = re.compile(
    r"(?<![a-z0-9_])(?:[a-z0-9_]*(?:xprv|_xsk|_sk|secret-extended-key-main)|nsec|suiprivkey|age-secret-key-|ms)"
    r"1[02-9ac-hj-np-z]{30,}"
)
_PHRASE_KEYS = re.compile(
    r"PRIVATE KEY-----|\"(?:ciphertext|mnemonic|priv(?:ate)?_?key)\"", re.IGNORECASE
)
_BYTES = re.compile(r"\W*\d{1,3}(?:[\s,;]+\d{1,3})*\W*")
_BASE64_KEY = re.compile(r"[0-9A-Za-z+/_-]{43}=|[0-9A-Za-z+/_-]{86}==")
_XRP_NUMBERS = re.compile(r"\W*(?:[A-H]?\W*\d{6}\W+){7}[A-H]?\W*\d{6}\W*")
_WORD_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("an encrypted private key (BIP-38)", re.compile(rf"6P[{_BASE58}]{{54,58}}")),
    ("a private key (WIF)", re.compile(rf"(?=.*[a-z])(?=.*[A-Z])[{_BASE58}]{{50,53}}")),
    (
        "the private key of a Solana account",
        re.compile(rf"(?=.*[a-z])(?=.*[A-Z])[{_BASE58}]{{85,90}}"),
    ),
    ("a secret seed of the XRP Ledger", re.compile(rf"s[{_BASE58}]{{27,30}}")),
    ("a secret key of Stellar", re.compile(r"S[A-Z2-7]{55}")),
)


def refuse_secrets(text: str) -> None:
    """Refuse what looks like a seed phrase or a private key, whole, misspelt or in part.

    Raises:
        AddressRefused: of the fault `SECRET`; its sentence does not contain the text.
    """
    shown = unicodedata.normalize("NFKC", text[:_LONGEST])
    plain = "".join(char for char in shown if unicodedata.category(char) != "Cf").strip()
    for what, looks_like in _KINDS:
        if looks_like(plain):
            raise AddressRefused(AddressFault.SECRET, _sentence(what))


def _sentence(what: str) -> str:
    return (
        f"looks like {what}. Coffers never needs one: it only looks, and an address or a public "
        "key is enough. It was not stored and not logged; treat it as seen by others wherever "
        "you pasted it, and move what it holds"
    )


def _is_phrase(text: str) -> bool:
    """Whether the text is words: many of any language, or a few of the English list."""
    words = _phrase_words(text)
    known = sum(word in _english() for word in words)
    if known >= FEWEST_WORDS:
        return True
    if "(" in text:  # the words of a descriptor
        return False
    is_listed = re.search(r"[\s,;]", text) is not None
    mostly = (len(words) - known) * _MOST_UNKNOWN <= len(words)
    whole = sum(len(word) > 1 or _is_ideograph(word) for word in words)
    return whole >= FEWEST_WORDS or (is_listed and mostly and known >= FEWEST_KNOWN)


def _phrase_words(text: str) -> list[str]:
    stripped = (part.strip("0123456789").casefold() for part in _BREAKS.split(text))
    return [word for word in stripped if word.isalpha()]


def _is_run_of_words(text: str) -> bool:
    """Whether the text is a phrase whose blanks were lost, or that never had any."""
    if sum(map(_is_ideograph, text)) >= FEWEST_WORDS:
        return True
    lowered = text.casefold()
    return lowered.isascii() and lowered.isalpha() and _counts_words(lowered) >= FEWEST_WORDS


def _counts_words(run: str) -> int:
    """Return into how many words of the English list the run falls, 0 where it does not."""
    counts = [0, *[-1] * len(run)]
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - 8), end):
            if counts[start] >= 0 and run[start:end] in _english():
                counts[end] = max(counts[end], counts[start] + 1)
    return max(counts[-1], 0)


def _is_ideograph(char: str) -> bool:
    return any("\u3040" <= one <= "\u9fff" for one in char)


@functools.cache
def _english() -> frozenset[str]:
    from embit.wordlists.bip39 import WORDLIST  # noqa: PLC0415  # only who pastes words waits

    return frozenset(WORDLIST)


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text, and the text as one word, as a broken line leaves it in two."""
    yield from _SEPARATORS.split(text)
    yield "".join(text.split())


def _has_hex_key(text: str) -> bool:
    # A descriptor may hold a hash or the 32 bytes of a Taproot key.
    if "(" in text or _TON_RAW.fullmatch(text):
        return False
    return any(_HEX_KEY.fullmatch(word) for word in _words(text))


def _has_bech32_key(text: str) -> bool:
    # In one case throughout: an address in base58 can hold the same letters, in both.
    words = (word.lower() for word in text.split() if word in {word.lower(), word.upper()})
    return any(map(_BECH32_KEY.search, words)) and not _is_address_like(text)


def _is_address_like(text: str) -> bool:
    return re.match(r"(?:bc|tb|bcrt|ltc|cosmos|osmo|celestia)1", text.lower()) is not None


def _has_mini_key(text: str) -> bool:
    if not re.fullmatch(rf"S[{_BASE58}]{{21,29}}", text):
        return False
    return hashlib.sha256(f"{text}?".encode()).digest()[0] == 0


def _is_byte_list(text: str) -> bool:
    numbers = [int(one) for one in re.findall(r"\d+", text)] if _BYTES.fullmatch(text) else []
    if len(numbers) not in _KEY_BYTES or max(numbers) >= 1 << 8:
        return False
    # A key's bytes come in no order; the indices of validators usually do.
    return len(numbers) in _WHOLE_KEYS or numbers != sorted(set(numbers))


def _has_word(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: (
        not _TON.fullmatch(text) and any(pattern.fullmatch(word) for word in _words(text))
    )


_KINDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a file with private keys", lambda text: _PHRASE_KEYS.search(text) is not None),
    ("a private extended key", lambda text: _EXTENDED.search(text) is not None),
    ("a private key", _has_bech32_key),
    ("a private key, or the id of a transaction", _has_hex_key),
    *((what, _has_word(pattern)) for what, pattern in _WORD_KINDS),
    ("a private key", _has_mini_key),
    ("a private key, written as bytes", _is_byte_list),
    ("a private key, written in base64", lambda text: _BASE64_KEY.fullmatch(text) is not None),
    ("the secret numbers of an XRP wallet", lambda text: _XRP_NUMBERS.fullmatch(text) is not None),
    ("a seed phrase", _is_phrase),
    ("a seed phrase", _is_run_of_words),
)
