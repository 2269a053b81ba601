"""A signature opens exactly the request that it was made for, in every way that clients sign."""

import base64
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from coffers.access.call import SignedCall
from coffers.access.signature import HmacKey, candidates, expected_text, is_json_object, verify
from coffers.access.tokens import read_public_key
from coffers.secret import Secret
from unit.access.door import PATH, signed
from unit.access.door import SECRET as SECRET_TEXT
from unit.access.door import call as signed_call

DATA = Path(__file__).parents[2] / "data/compat/signature_vectors.json"
VECTORS = json.loads(DATA.read_text())
SECRET = HmacKey(SECRET_TEXT)
RSA_KEY = rsa.generate_private_key(65537, 2048)


def call(path: bytes = PATH, **parts: Any) -> SignedCall:
    return signed_call(path=path, **({"method": "POST", "signature": None} | parts))


def rsa_of(text: bytes) -> str:
    return base64.b64encode(RSA_KEY.sign(text, padding.PKCS1v15(), SHA256())).decode()


def is_accepted(text: bytes, stamp: bytes = b"", **parts: Any) -> bool:
    return verify(call(signature=signed(text), **parts), SECRET, stamp) is not None


def of_vector(vector: dict[str, Any]) -> SignedCall:
    request = vector["request"]
    path, _, query = request["target"].partition("?")
    return call(
        path.encode(),
        method=request["method"],
        query=query.encode(),
        body=request["body"].encode(),
        content_type=request.get("content_type"),
        signature=vector["signature"],
    )


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_every_published_vector_behaves_as_told(vector: dict[str, Any]) -> None:
    is_hmac = vector["algorithm"].startswith("hmac")
    pem = VECTORS["rsa_public_key_pem"]
    key = HmacKey(Secret(vector["secret"])) if is_hmac else read_public_key(pem)
    assert (verify(of_vector(vector), key) is not None) is vector["accept"]


BODY = b'{"mode": "paper"}'


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (PATH, {}),
        (PATH + b"?", {}),
        (PATH + b"?b=2&a=1", {"query": b"b=2&a=1"}),
        (PATH + b"?a=1&b=2", {"query": b"b=2&a=1"}),
        (PATH + b"?a=x%20y", {"query": b"a=x+y"}),
        (PATH + b"?a=x+y", {"query": b"a=x%20y"}),
        (PATH + b"?a=(x)!", {"query": b"a=%28x%29%21"}),
        (PATH + b"?a=x:y&b=\xc3\xa9", {"query": b"b=%C3%A9&a=x%3Ay"}),
        (PATH + b"?a=%3a&b=1", {"query": b"b=1&a=%3a"}),
        (PATH + b"?a=1" + BODY, {"query": b"a=1", "body": BODY}),
        (PATH + b"?a=1&b=2" + BODY, {"query": b"b=2&a=1", "body": BODY}),
        (PATH + b"?a=1&" + BODY, {"query": b"a=1", "body": BODY}),
        (PATH + b"?a=1?" + BODY, {"query": b"a=1", "body": BODY}),
        (PATH + b"?a=1&mode=paper", {"query": b"a=1", "body": b"mode=paper"}),
        (PATH + b"?mode=paper", {"body": b"mode=paper"}),
        (PATH + b"?{}", {"body": b"{}"}),
        (PATH + b"?{}", {"method": "GET", "body": b"{}"}),
        (PATH + b"?a=1&{}", {"method": "GET", "query": b"a=1", "body": b"{}"}),
        (PATH + b"?" + BODY, {"body": BODY}),
        (PATH + BODY, {"body": BODY}),
        (PATH + b'{"mode":"paper"}', {"body": BODY}),
        (PATH + b'?{"a":"\xc3\xa9","b":1e-07}', {"body": b'{"a": "\\u00e9", "b": 1e-07}'}),
        (PATH + b'?{"a": "\\u00e9", "b": 1.50}', {"body": b'{"a":"\xc3\xa9","b":1.50}'}),
    ],
)
def test_each_way_of_signing_is_accepted(text: bytes, parts: dict[str, bytes]) -> None:
    assert is_accepted(text, **parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        # A part of one parameter would become another place's.
        (PATH + b"?name=abc", {"query": b"name=ab", "body": b"c"}),
        (PATH + b"?name=what?b=2", {"query": b"name=what", "body": b"b=2"}),
        (PATH + b"/12", {"path": PATH + b"/1", "body": b"2"}),
        (PATH + b"/12" + BODY, {"path": PATH + b"/1", "body": b"2" + BODY}),
        (PATH + b"?a=1" + BODY, {"query": b"a=1" + BODY}),
        (PATH + b"?a=1?" + BODY, {"query": b"a=1?", "body": BODY}),
        # A separator within a value would make two parameters, or a value another one.
        (PATH + b"?name=a&b=c", {"query": b"name=a%26b%3Dc"}),
        (PATH + b"?name=a+b", {"query": b"name=a%2Bb"}),
        # The order of equal names tells which one counts.
        (PATH + b"?a=1&a=2", {"query": b"a=2&a=1"}),
        (PATH + b"?a=1&a=2", {"query": b"a=1", "body": b"a=2"}),
        # A body that GET would not look at must not take parameters away.
        (PATH + b"?api_key=x", {"method": "GET", "body": b"api_key=x"}),
        (PATH + b"?a=1&b=2", {"method": "GET", "query": b"a=1", "body": b"b=2"}),
        # An empty object must not take the end of a path or of a value away.
        (PATH + b"/{}", {"method": "GET", "path": PATH + b"/", "body": b"{}"}),
        (PATH + b"?a={}", {"method": "GET", "query": b"a=", "body": b"{}"}),
        (PATH + b"?a?{}", {"method": "GET", "query": b"a", "body": b"{}"}),
        (PATH + b"?{ }", {"method": "GET", "body": b"{ }"}),
        # Numbers and names are data to the last digit.
        (PATH + b'?{"a":1.0}', {"body": b'{"a": 1.00000000000000000001}'}),
        (PATH + b'?{"a":2}', {"body": b'{"a":1,"a":2}'}),
        # What is no JSON is not written anew.
        (PATH + b'?{"a":12}', {"body": b'{"a":1 2}'}),
        (PATH + b'?{"a":1}', {"body": b'{"a": 1}x'}),
        # Nor what is no UTF-8, or too deep, or too many.
        (PATH + b"?a=%EF%BF%BD", {"query": b"a=%FF"}),
        (PATH + b"?a=1", {"query": b"a=1" + b"&b=1" * 300}),
        (PATH, {"body": b'{"a":' * 10_000}),
        (PATH + b'?{"a":"%s"}' % (b"x" * 9_000), {"body": b'{"a": "%s"}' % (b"x" * 9_000)}),
        # A quotation mark that is not escaped could begin an object.
        (PATH + b'?a=x{"b":1}', {"query": b"a=x", "body": b'x{"b":1}'}),
        (PATH + b'?a=x{"b":1}', {"body": b'a=x{"b":1}'}),
        (PATH + b'?a=x {"b":1}', {"query": b"a=x", "body": b' {"b":1}'}),
        (PATH + b'?{=1&a={"b":1}', {"method": "GET", "body": b'{=1&a={"b":1}'}),
        (PATH + b'?a={"b":1}', {"query": b"a=%7B%22b%22%3A1%7D"}),
    ],
)
def test_no_signature_opens_a_request_with_other_data(text: bytes, parts: dict[str, Any]) -> None:
    assert not is_accepted(text, **parts)


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(["GET", "POST"]))
@example(b"", b"{}", "POST")
@example(b"a=1", b"", "GET")
def test_a_bare_path_never_covers_a_query_or_a_body(query: bytes, body: bytes, method: str) -> None:
    assume(query or body)
    assert PATH not in candidates(call(query=query, body=body, method=method))
    assert body == b"" or PATH + b"?" + query not in candidates(call(query=query, body=body))


def test_a_call_without_parameters_is_signed_with_or_without_question_mark() -> None:
    assert list(candidates(call())) == [PATH, PATH + b"?"]


def test_the_raw_form_comes_first() -> None:
    assert next(candidates(call(query=b"b=%3a&a=1"))) == PATH + b"?b=%3a&a=1"


WORDS = st.text("ab1&=%2?{}:+\"' ,é", max_size=5)
PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", "api_key"]), WORDS), max_size=3)


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{name}={_escaped(value)}" for name, value in pairs).encode()


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else _percent(c) for c in text)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


CALLS = st.builds(
    lambda method, query, body: call(method=method, query=encoded(query), body=body),
    st.sampled_from(["GET", "POST"]),
    PAIRS,
    PAIRS.map(encoded) | PAIRS.map(lambda pairs: json.dumps(dict(pairs)).encode()) | st.just(b"{}"),
)


def meaning(request: SignedCall) -> tuple[object, ...]:
    """What a handler gets: path and parameters, the query's before the body's."""
    query = _parsed(request.query)
    if is_json_object(request.body):
        return request.path, _first(query), json.loads(request.body)
    read = [] if request.method in {"GET", "HEAD"} else _parsed(request.body)
    return request.path, _first([*query, *read]), {}


def _parsed(text: bytes) -> list[tuple[str, str]]:
    return parse_qsl(text.decode("latin-1"), keep_blank_values=True, encoding="latin-1")


def _first(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        # An empty object in place of a form reads as a name that no endpoint knows.
        if name != "{}":
            values.setdefault(name, []).append(value)
    return values


@given(CALLS, st.data())
def test_a_change_of_any_byte_after_signing_is_refused(request: SignedCall, data: Any) -> None:
    whole = [request.path, request.query, request.body]
    part = data.draw(st.sampled_from([i for i in range(3) if whole[i]]))
    position = data.draw(st.integers(0, len(whole[part]) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(whole[part])
    changed[position] ^= flip
    whole[part] = bytes(changed)
    _refused_unless_equal(request, whole, request.method)


@settings(max_examples=100)
@given(CALLS, st.data())
def test_moving_bytes_between_path_query_and_body_is_refused(
    request: SignedCall, data: Any
) -> None:
    text = data.draw(st.sampled_from([*candidates(request)] or [PATH]))
    first = data.draw(st.integers(len(PATH) - 2, len(text)))
    second = data.draw(st.integers(first, len(text)))
    query = _without(text[first:second], b"?", data)
    body = _without(text[second:], data.draw(st.sampled_from([b"?", b"&"])), data)
    method = data.draw(st.sampled_from(["GET", "POST"]))
    _refused_unless_equal(request, [text[:first], query, body], method)


def _without(text: bytes, sign: bytes, data: Any) -> bytes:
    return text.removeprefix(sign) if data.draw(st.booleans()) else text


def _refused_unless_equal(request: SignedCall, parts: list[bytes], method: str) -> None:
    path, query, body = parts
    assume(b"?" not in path and b'"' not in path and b"{" not in path)
    for text in candidates(request):
        forged = call(path, method=method, query=query, body=body, signature=signed(text))
        if verify(forged, SECRET) is not None:
            assert meaning(forged) == meaning(request)


def test_hex_is_read_in_either_case_and_base64_in_its_own() -> None:
    upper = call(signature=signed(PATH).upper())
    assert verify(upper, SECRET) == bytes.fromhex(signed(PATH))
    key = RSA_KEY.public_key()
    assert verify(call(signature=rsa_of(PATH)), key) is not None
    assert verify(call(signature=rsa_of(PATH).swapcase()), key) is None


@pytest.mark.parametrize(
    "signature", [None, "", "00", "é" * 64, "zz" * 32, "00" * 32, " " + "0" * 63, "AAAA", "=" * 344]
)
def test_what_is_no_signature_signs_nothing(signature: str | None) -> None:
    request = call(signature=signature)
    assert verify(request, SECRET) is None
    assert verify(request, RSA_KEY.public_key()) is None


def test_one_kind_of_signature_does_not_pass_for_the_other() -> None:
    assert verify(call(signature=rsa_of(PATH)), SECRET) is None
    assert verify(call(signature=signed(PATH)), RSA_KEY.public_key()) is None


def test_a_stamp_is_part_of_what_is_signed() -> None:
    assert is_accepted(b"1760000000" + PATH, stamp=b"1760000000")
    assert not is_accepted(PATH, stamp=b"1760000000")
    assert not is_accepted(b"1760000000" + PATH)


def test_a_method_is_no_part_of_what_is_signed() -> None:
    # As published; docs/security.md says what follows from it.
    for method in ("GET", "DELETE", "PUT"):
        assert is_accepted(PATH + b"/1", path=PATH + b"/1", method=method)


def test_the_expected_text_is_the_raw_form() -> None:
    assert expected_text(call(query=b"b=2&a=1"), b"17") == f"17{PATH.decode()}?b=2&a=1"
    assert expected_text(call(body=b'{"a": "\xc3\xa9"}')) == (
        PATH.decode() + '?{"a": "\\xc3\\xa9"}'
    )


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ({"body": b"type=okx&secret=ab%2Bc&name=x"}, "?type=okx&secret=<6 bytes>&name=x"),
        ({"body": b"passphrase=a+b&type=okx"}, "?passphrase=<3 bytes>&type=okx"),
        ({"query": b"s%65cret=abc", "body": b"type=okx"}, "?s%65cret=<3 bytes>&type=okx"),
        ({"query": b"a=1", "body": b"secret=abc"}, "?a=1&secret=<3 bytes>"),
        ({"body": b"secret=ab&c&d=e&f"}, "?secret=<2 bytes>&<1 bytes>&d=e&<1 bytes>"),
        ({"body": b"{'secret': 'ab=c'}"}, "?<18 bytes>"),
        ({"body": b"a=1\nsecret=abc"}, "?a=<12 bytes>"),
        (
            {"body": b'{"type": "okx", "secret" : "a\\"b", "n": 1}'},
            '?{"type": "okx", "secret" : "<4 bytes>", "n": 1}',
        ),
        (
            {"query": b"a=1", "body": b'{"\\u0073ecret":"abc","of":{"passphrase":12}}'},
            '?a=1{"\\u0073ecret":"<3 bytes>","of":{"passphrase":<2 bytes>}}',
        ),
        ({"body": b'{"secret": {"a": "b"}, "c": 1}'}, '?{"secret": <19 bytes>'),
        ({"body": b'{"secret: "abc"}'}, "?<16 bytes>"),
        ({"body": b"a=" + b"b" * 9_000}, "?<9002 bytes>"),
        ({"body": b'{"a":"' + b"b" * 9_000 + b'"}'}, "?<9008 bytes>"),
        ({"query": b"page=1&api_key=abc"}, "?page=1&api_key=abc"),
    ],
)
def test_the_expected_text_tells_of_secrets_how_long_they_are(
    parts: dict[str, bytes], shown: str
) -> None:
    assert expected_text(call(**parts)) == PATH.decode() + shown


_PARAMETERS = st.dictionaries(
    st.sampled_from(["type", "name", "secret", "passphrase", "Secret", "private_key"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)


@given(_PARAMETERS, st.sampled_from([json.dumps, urlencode]))
def test_no_secret_is_in_the_expected_text(
    parameters: dict[str, str], written: Callable[[dict[str, str]], str]
) -> None:
    told, other = ({**parameters, "secret": f"{mark}{mark}"} for mark in "XY")
    texts = {expected_text(call(body=written(each).encode())) for each in (told, other)}
    assert len(texts) == 1


def test_there_is_no_expected_text_where_no_signature_would_do() -> None:
    assert expected_text(call(method="GET", body=b"a=1")) is None


@given(st.binary(), st.binary(max_size=5_000))
def test_the_expected_text_fits_into_a_header(query: bytes, body: bytes) -> None:
    text = expected_text(call(query=query, body=body)) or ""
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 2048


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
def test_a_prepared_key_makes_the_codes_of_the_library(length: int) -> None:
    secret = "s" * length
    expected = hmac.digest(secret.encode(), b"a text", "sha256")
    assert HmacKey(Secret(secret)).digest(b"a text") == expected
