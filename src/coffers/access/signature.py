"""Signatures of calls: the texts that a client may have signed, and whether one of them was.

Clients build the signed text in several ways. A way is accepted only where its text cannot be
read as a request with other parameters, so that nobody who sees a signed call can make another
one of it:

- A JSON object may follow the path or the query without a sign between them, since the quotation
  mark that it holds is always escaped in a query or a form (RFC 3986, appendix A).
- A question mark before that object is read as a separator, not as the end of the query.
- Any other body is a form. In the signed text it looks like a query, so it is accepted only where
  its parameters count as a query's do: not for GET and HEAD, whose parameters are in the query
  alone. An empty object has no parameters, so it may stand anywhere.
- What a body is follows from its own text, never from Content-Type, which nobody signs.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from coffers.access.call import SignedCall
from coffers.access.hiding import JSON_TOKEN, by_length, shown_object, shown_pairs
from coffers.secret import Secret


class HmacKey:
    """The secret of a system-generated token, made ready for HMAC-SHA256 (RFC 2104).

    The library looks its algorithm up and hashes both pads with every call, which takes twice as
    long as the rest.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: Secret) -> None:
        key = secret.reveal().encode()
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER_PAD))
        self._outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def digest(self, text: bytes) -> bytes:
        """Return the code of a text."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()


ProofKey = HmacKey | RSAPublicKey
"""What proves a token: the secret of a system-generated one, the public key of a user's own."""

_Pairs = list[tuple[str, str]]

_BLOCK: Final = 64
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))
_HEX_DIGITS: Final = 64
_SHOWN: Final = 2048
"""Characters of the expected text that go into a header."""
_MAX_PARAMETERS: Final = 256
_MAX_REWRITTEN: Final = 8 * 1024
"""Bytes of a JSON body that is rewritten; 64 KiB would take 29 ms for every wrong signature."""
_PADDING: Final = PKCS1v15()
_HASH: Final = SHA256()
_LIKE_ENCODE_URI_COMPONENT: Final = "!~*'()"
# A number may be larger than any float: what it is meant for tells whether that may be.
_decode_object: Final = msgspec.json.Decoder(dict, float_hook=str).decode
_QUERY_ALONE: Final = frozenset({"GET", "HEAD"})
"""Methods whose parameters are their query alone."""
_EMPTY_OBJECT: Final = b"{}"
_OBJECT: Final = re.compile(rb"\{\s*\"")


def verify(call: SignedCall, key: ProofKey, stamp: bytes = b"") -> bytes | None:
    """Return the signature's bytes where it signs the call, None where it does not.

    HMAC-SHA256 comes in hex of either case; RSASSA-PKCS1-v1_5 with SHA-256 in base64. `stamp` is
    what the client put before the text. Secrets' digests are compared in constant time.
    """
    if isinstance(key, HmacKey):
        return _verify_hmac(call, key, stamp)
    return _verify_rsa(call, key, stamp)


def candidates(call: SignedCall) -> Iterator[bytes]:
    """Return the texts that the client may have signed, lazily, the raw form first.

    The bare path is among them only where there is neither a query nor a body.
    """
    if b'"' in call.query:
        return iter(())
    if not call.body:
        return _of_query(call)
    if is_json_object(call.body):
        return _of_json(call)
    if is_broken_object(call.body):
        return _of_raw(call)
    if b'"' in call.body or (call.method in _QUERY_ALONE and call.body != _EMPTY_OBJECT):
        return iter(())
    return _of_form(call)


def expected_text(call: SignedCall, stamp: bytes = b"") -> str | None:
    r"""Return the raw form of the signed text, fit for a header; None where none is acceptable.

    Printable ASCII, other bytes as `\xNN`, cut after 2,048 characters. It holds nothing that the
    caller did not send, and of secrets their length alone.
    """
    raw = next(candidates(call), None)
    if raw is None:
        return None
    text = (stamp + _without_secrets(raw, call.body))[:_SHOWN]
    return "".join(chr(b) if " " <= chr(b) <= "~" else f"\\x{b:02x}" for b in text)[:_SHOWN]


def why_unsignable(call: SignedCall) -> str:
    """Return why no signature would do for a call, as a sentence; empty where one may."""
    if next(candidates(call), None) is not None:
        return ""
    if b'"' in call.query:
        return 'The query holds a bare ", which must be sent as %22.'
    if call.method in _QUERY_ALONE and call.body != _EMPTY_OBJECT:
        return "Parameters of GET and HEAD go into the query; a body must be a JSON object, or {}."
    if b'"' in call.body:
        return 'The body is no JSON object that begins with {, and a form holds no bare ".'
    return "The form repeats a name of the query, or one of the two cannot be read."


def is_json_object(body: bytes) -> bool:
    """Return whether a body is to be read as a JSON object, and not as a form.

    An empty object has nothing to read, and goes as a form without a known name.
    """
    if not body.startswith(b"{") or b'"' not in body:
        return False
    try:
        _decode_object(body)
    except (ValueError, RecursionError):
        return False
    return True


def is_broken_object(body: bytes) -> bool:
    """Return whether a body begins as a JSON object with a name, and is none that can be read.

    Its quotation mark keeps its text apart from that of a query or a form, as an object's does, so
    that whoever signed it can be told that it is wrong. It must never be read as a form.
    """
    return _OBJECT.match(body) is not None and not is_json_object(body)


def _without_secrets(raw: bytes, body: bytes) -> bytes:
    path, sign, query = raw.removesuffix(body).partition(b"?")
    if is_json_object(body):
        shown = shown_object(body)
    else:
        shown = by_length(body) if is_broken_object(body) else shown_pairs(body)
    return path + sign + shown_pairs(query) + shown


def _verify_hmac(call: SignedCall, key: HmacKey, stamp: bytes) -> bytes | None:
    signature = call.signature or ""
    if len(signature) != _HEX_DIGITS:
        return None
    try:
        given = binascii.unhexlify(signature)
    except ValueError:
        return None
    # Nearly every call is signed in its raw form and right.
    raw = _raw_form(call)
    if raw is not None and hmac.compare_digest(key.digest(stamp + raw), given):
        return given
    for text in candidates(call):
        if hmac.compare_digest(key.digest(stamp + text), given):
            return given
    return None


def _verify_rsa(call: SignedCall, key: RSAPublicKey, stamp: bytes) -> bytes | None:
    try:
        given = base64.b64decode(call.signature or "", validate=True)
    except ValueError:
        return None
    if len(given) != (key.key_size + 7) // 8:
        return None
    return given if any(_is_signed(stamp + text, given, key) for text in candidates(call)) else None


def _is_signed(text: bytes, signature: bytes, key: RSAPublicKey) -> bool:
    try:
        key.verify(signature, text, _PADDING, _HASH)
    except InvalidSignature:
        return False
    return True


def _raw_form(call: SignedCall) -> bytes | None:
    """Return the first of the candidates where there is no body, None elsewhere."""
    if call.body or b'"' in call.query:
        return None
    return b"%s?%s" % (call.path, call.query) if call.query else call.path


def _of_query(call: SignedCall) -> Iterator[bytes]:
    if not call.query:
        yield call.path
        yield call.path + b"?"
        return
    for query in _queries(call.query):
        yield call.path + b"?" + query


def _of_json(call: SignedCall) -> Iterator[bytes]:
    path, query, body = call.path, call.query, call.body
    if not query:
        for text in _json_texts(body):
            yield path + b"?" + text
            yield path + text
        return
    for text in _queries(query):
        if not text.endswith(b"?"):
            yield path + b"?" + text + body
    yield path + b"?" + query + b"&" + body
    yield path + b"?" + query + b"?" + body


def _of_raw(call: SignedCall) -> Iterator[bytes]:
    if not call.query:
        yield call.path + b"?" + call.body
        yield call.path + call.body
        return
    for sign in (b"&", b"?"):
        yield call.path + b"?" + call.query + sign + call.body


def _of_form(call: SignedCall) -> Iterator[bytes]:
    if not call.query:
        yield call.path + b"?" + call.body
    elif _share_no_name(call.query, call.body):
        yield call.path + b"?" + call.query + b"&" + call.body


def _queries(query: bytes) -> Iterator[bytes]:
    yield query
    seen = {query}
    for text in _rewritten(query):
        if text not in seen:
            seen.add(text)
            yield text


def _rewritten(query: bytes) -> Iterator[bytes]:
    pairs = _pairs(query)
    if pairs is None:
        return
    by_name = sorted(pairs, key=lambda pair: pair[0])
    for order in (pairs, by_name):
        yield from _encoded(order)
    if len({name for name, _ in pairs}) == len(pairs):
        parts = sorted(query.split(b"&"))
        yield b"&".join(parts)
        parts.sort(key=lambda part: part.partition(b"=")[0])
        yield b"&".join(parts)
    plain = "&".join(f"{name}={value}" for name, value in by_name).encode()
    if b'"' not in plain and _pairs(plain) == by_name:
        yield plain


def _encoded(pairs: _Pairs) -> Iterator[bytes]:
    for safe in ("", _LIKE_ENCODE_URI_COMPONENT):
        for encode in (quote, quote_plus):
            yield "&".join(
                f"{encode(name, safe=safe)}={encode(value, safe=safe)}" for name, value in pairs
            ).encode()


def _pairs(query: bytes) -> _Pairs | None:
    try:
        return parse_qsl(
            query.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        return None


def _share_no_name(query: bytes, form: bytes) -> bool:
    left, right = _pairs(query), _pairs(form)
    if left is None or right is None:
        return False
    return {name for name, _ in left}.isdisjoint(name for name, _ in right)


def _json_texts(body: bytes) -> Iterator[bytes]:
    yield body
    seen = {body}
    for text in _reserialised(body):
        if text not in seen:
            seen.add(text)
            yield text


def _reserialised(body: bytes) -> Iterator[bytes]:
    """Write a JSON text anew, token by token: numbers, order and repeated names stay."""
    if len(body) > _MAX_REWRITTEN:
        return
    tokens = JSON_TOKEN.findall(body.decode())
    for spaces in ({}, {":": ": ", ",": ", "}):
        for is_ascii in (True, False):
            yield "".join(_token(token, spaces, is_ascii=is_ascii) for token in tokens).encode()


def _token(token: str, spaces: dict[str, str], *, is_ascii: bool) -> str:
    if token.startswith('"'):
        return json.dumps(json.loads(token), ensure_ascii=is_ascii)
    return spaces.get(token, token)
