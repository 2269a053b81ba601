"""What was signed, as it can be shown to whoever signed it: without the secrets that it holds.

An answer's headers end up in logs and proxies that never see a request's body. So of each value
under a telling name only its length is told, in bytes as sent, which shows most of what goes wrong
with one: that it was encoded twice, or not at all. A hash of it would let short ones be guessed.
"""

import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_plus

LONGEST: Final = 8 * 1024
"""Bytes of a query or a body that are looked through; of a longer one only the length is told."""

JSON_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')

_TELLING: Final = re.compile(
    r"secret|passphrase|password|passwd|private.?key|mnemonic|seed.?phrase|login", re.IGNORECASE
)
_NAME: Final = re.compile(r"[\w.\[\]-]{1,64}")


def shown_pairs(text: bytes) -> bytes:
    """Return a query or a form without its secrets.

    Where a part that tells of one is no pair of a name and a value, nothing of it is shown, nor of
    what follows without a name: it may belong to a secret that was not encoded.
    """
    if len(text) > LONGEST:
        return by_length(text)
    shown, has_hidden = [], False
    for part in text.split(b"&"):
        name, sign, value = part.partition(b"=")
        is_pair = sign and _NAME.fullmatch(_plain(name))
        if _TELLING.search(_plain(part)):
            has_hidden = True
            shown.append(name + sign + by_length(value) if is_pair else by_length(part))
        else:
            shown.append(part if is_pair or not part or not has_hidden else by_length(part))
    return b"&".join(shown)


def shown_object(body: bytes) -> bytes:
    """Return a JSON object without its secrets."""
    if len(body) > LONGEST:
        return by_length(body)
    return "".join(_shown_tokens(body.decode())).encode()


def by_length(text: bytes) -> bytes:
    """Return what stands for a text of which nothing is shown but how long it is."""
    return b"<%d bytes>" % len(text)


def _plain(text: bytes) -> str:
    return unquote_plus(text.decode(errors="replace"))


def _shown_tokens(text: str) -> Iterator[str]:
    shown, before, hides = 0, "", False
    for found in JSON_TOKEN.finditer(text):
        word = found[0]
        if word == ":":
            hides = _TELLING.search(json.loads(before)) is not None
        elif hides:
            yield text[shown : found.start()]
            if word in "[{":
                yield by_length(text[found.start() :].encode()).decode()
                return
            yield _by_length_of(word)
            shown, hides = found.end(), False
        before = word
    yield text[shown:]


def _by_length_of(word: str) -> str:
    if word.startswith('"'):
        return f'"{by_length(word[1:-1].encode()).decode()}"'
    return by_length(word.encode()).decode()
