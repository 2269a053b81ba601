"""What the client signs is what the server expects, however a request is made."""

import json
import pickle
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from coffers.access.call import SignedCall
from coffers.access.signature import HmacKey as ServersKey
from coffers.access.signature import verify
from coffers.access.tokens import read_public_key
from coffers.client import HmacKey, RsaKey, SignedAuth, signed_text
from coffers.secret import Secret
from unit.access.door import call as signed_call

DATA = Path(__file__).parents[2] / "data/compat/signature_vectors.json"
VECTORS = json.loads(DATA.read_text())["vectors"]
BASE = "http://127.0.0.1:8787"
PATH = "/public/api/ver1/accounts"
RSA = rsa.generate_private_key(65537, 2048)


def pem_of(key: Any, encryption: KeySerializationEncryption | None = None) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return pem


PUBLIC = read_public_key(
    RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)


def sent(auth: SignedAuth, method: str, url: str, **parts: Any) -> httpx.Request:
    """Return a request as httpx sends it."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        http.request(method, url, auth=auth, **parts)
    return seen[0]


def as_server(request: httpx.Request) -> SignedCall:
    path, _, query = request.url.raw_path.partition(b"?")
    return signed_call(
        path=path,
        method=request.method,
        query=query,
        body=request.content,
        content_type=request.headers.get("content-type"),
        signature=request.headers["signature"],
    )


def of_hmac() -> list[dict[str, Any]]:
    return [vector for vector in VECTORS if vector["algorithm"].startswith("hmac")]


@pytest.mark.parametrize("vector", of_hmac(), ids=lambda vector: vector["name"])
def test_every_published_text_gives_its_signature(vector: dict[str, Any]) -> None:
    signed = HmacKey(vector["secret"]).sign(vector["payload"].encode())
    assert signed == vector["signature"].lower()


ACCEPTED = [vector for vector in VECTORS if vector["accept"]]


@pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector["name"])
@pytest.mark.parametrize("kind", ["hmac", "rsa"])
def test_every_published_request_that_is_accepted_can_be_signed_by_us(
    vector: dict[str, Any], kind: str
) -> None:
    request = vector["request"]
    secret: Any = "fake-secret" if kind == "hmac" else RsaKey(pem_of(RSA))
    headers = {"Content-Type": request["content_type"]} if "content_type" in request else {}
    made = sent(
        SignedAuth("key", secret),
        request["method"],
        BASE + request["target"],
        content=request["body"].encode(),
        headers=headers,
    )
    assert made.url.raw_path == request["target"].encode()
    proof = ServersKey(Secret("fake-secret")) if kind == "hmac" else PUBLIC
    assert verify(as_server(made), proof) is not None


WAYS: list[tuple[str, dict[str, Any]]] = [
    ("GET", {}),
    ("GET", {"params": {"api_key": "a b+c/d:é", "page": 2}}),
    ("POST", {}),
    ("POST", {"params": {"mode": "paper"}}),
    ("POST", {"data": {"mode": "paper", "name": "a b&c"}}),
    ("POST", {"json": {"mode": "paper", "name": "Näme x"}}),
    ("POST", {"params": {"page": 1}, "json": {"mode": "paper"}}),
    ("POST", {"params": {"page": 1}, "data": {"mode": "paper"}}),
    ("PUT", {"json": {"locale": "de"}}),
    ("DELETE", {"params": {"market_code": "binance", "venue_code": "A/B"}}),
]


@pytest.mark.parametrize(("method", "parts"), WAYS)
def test_every_way_to_send_parameters_is_signed_so_that_the_server_takes_it(
    method: str, parts: dict[str, Any]
) -> None:
    for secret, proof in (("fake", ServersKey(Secret("fake"))), (RsaKey(pem_of(RSA)), PUBLIC)):
        made = sent(SignedAuth("key", secret), method, BASE + PATH, **parts)
        assert made.headers["apikey"] == "key"
        assert "timestamp" not in made.headers
        assert verify(as_server(made), proof) is not None


async def test_async_requests_are_signed_alike() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        await http.post(BASE + PATH, json={"mode": "paper"}, auth=SignedAuth("key", "fake"))
    assert verify(as_server(seen[0]), ServersKey(Secret("fake"))) is not None


def test_the_time_is_signed_where_it_is_wanted() -> None:
    auth = SignedAuth("key", "fake", timestamp=True, now=lambda: 1_760_000_000.9)
    made = sent(auth, "GET", f"{BASE}{PATH}?page=1")
    assert made.headers["timestamp"] == "1760000000"
    assert verify(as_server(made), ServersKey(Secret("fake")), b"1760000000") is not None
    assert verify(as_server(made), ServersKey(Secret("fake"))) is None


def test_what_a_proxy_puts_before_the_prefix_is_not_signed() -> None:
    assert signed_text(b"/money/public/api/ver1/ping") == b"/public/api/ver1/ping"
    assert signed_text(b"/elsewhere?x=1") == b"/elsewhere?x=1"


def test_a_secret_shows_itself_nowhere() -> None:
    pem = pem_of(RSA)
    for key, shown in ((HmacKey("fake-secret"), "HmacKey(***)"), (RsaKey(pem), "RsaKey(***)")):
        assert repr(key) == shown
        assert repr(SignedAuth("key", key)) == f"SignedAuth('key', {shown})"
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(key)
    assert "fake-secret" not in repr(SignedAuth("key", "fake-secret"))


def test_a_key_that_is_none_is_told_without_being_quoted() -> None:
    other = pem_of(ec.generate_private_key(ec.SECP256R1()))
    locked = pem_of(RSA, BestAvailableEncryption(b"fake-password"))
    for text, why in ((b"fake-secret", "no private key"), (other, "not RSA"), (locked, "opened")):
        with pytest.raises(ValueError, match=why) as told:
            RsaKey(text)
        assert told.value.__cause__ is None
        assert "fake-secret" not in str(told.value)


def test_a_key_with_a_password_is_opened_by_it() -> None:
    locked = pem_of(RSA, BestAvailableEncryption(b"fake-password")).decode()
    opened = RsaKey(locked, b"fake-password")
    plain = RSA.sign(b"text", padding.PKCS1v15(), SHA256())
    assert len(opened.sign(b"text")) == (len(plain) + 2) // 3 * 4
