"""Who is let in, and what each of the others is told."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from coffers.access.call import MAX_BODY
from coffers.access.gate import Caller, Refusal
from coffers.access.tokens import public_key_text
from coffers.clock import SECOND, Millis
from factories import NOW
from unit.access.door import KEY, PATH, call, door, signed, token

RSA_KEY = rsa.generate_private_key(65537, 2048)
GENERAL = "Unauthorized. Invalid or expired api key."


async def test_a_signed_call_is_admitted_with_all_that_its_answer_depends_on() -> None:
    assert await door().admit(call()) == Caller(
        user_id=1,
        token_id=5,
        permissions=frozenset({"accounts_read"}),
        mode="real",
        display_currency="USD",
        user_version=8,
        epoch=21,
    )


async def test_a_call_signed_with_the_users_own_key_is_admitted() -> None:
    pem = public_key_text(RSA_KEY.public_key())
    own = token(kind="rsa", sealed_secret=None, rsa_public_key=pem)
    signature = base64.b64encode(RSA_KEY.sign(PATH, padding.PKCS1v15(), SHA256())).decode()
    entry = door(own)
    assert (await entry.admit(call(signature=signature))).token_id == 5
    assert (await entry.refusal(call())).reason == "wrong_signature"


@pytest.mark.parametrize(
    ("changes", "parts", "reason", "hint"),
    [
        ({}, {"api_key": None}, "missing_key", " The Apikey header is missing."),
        ({}, {"api_key": ""}, "missing_key", " The Apikey header is missing."),
        ({}, {"api_key": "another"}, "unknown_key", ""),
        ({}, {"api_key": "nul\0"}, "unknown_key", ""),
        ({}, {"api_key": "x" * 300}, "unknown_key", ""),
        ({"revoked_at": NOW}, {}, "revoked", " It was revoked."),
        ({"revoked_at": NOW}, {"signature": "00" * 32}, "revoked", ""),
        ({"expires_at": NOW}, {}, "expired", " It expired at 2025-10-09T08:53:20.000Z."),
        ({"expires_at": NOW}, {"signature": None}, "expired", ""),
        (
            {"allowed_networks": ("10.0.0.0/8", "2001:db8::/32")},
            {},
            "address",
            " It may not be used from 192.0.2.1.",
        ),
        ({"allowed_networks": ("10.0.0.0/8",)}, {"signature": "00" * 32}, "address", ""),
        ({"revoked_at": NOW, "require_timestamp": True}, {}, "revoked", ""),
    ],
)
async def test_a_key_that_is_not_valid_is_told_why_only_to_who_holds_its_secret(
    changes: dict[str, Any], parts: dict[str, Any], reason: str, hint: str
) -> None:
    refusal = await door(token(**changes)).refusal(call(**parts))
    assert (refusal.status, refusal.error) == (401, "api_key_invalid_or_expired")
    assert refusal.description == GENERAL + hint
    assert refusal.reason == reason


async def test_what_is_no_key_is_not_looked_up() -> None:
    entry = door()
    for key in ("nul\0", "é", "two words", "x" * 300):
        await entry.refusal(call(api_key=key, address=f"addr{key}"))
    assert entry.look.asked == []


async def test_a_token_works_until_the_moment_of_its_expiry() -> None:
    entry = door(token(expires_at=Millis(NOW + SECOND)))
    entry.clock.advance(SECOND - 1)
    await entry.admit(call())
    entry.clock.advance(1)
    assert (await entry.refusal(call())).reason == "expired"


@pytest.mark.parametrize("address", ["10.1.2.3", "2001:db8::7", "::ffff:10.1.2.3"])
async def test_an_address_on_the_list_is_admitted(address: str) -> None:
    entry = door(token(allowed_networks=("10.0.0.0/8", "2001:db8::/32")))
    await entry.admit(call(address=address))


@pytest.mark.parametrize(
    ("signature", "reason", "description"),
    [
        (
            None,
            "missing_signature",
            "Provided signature is invalid. The Signature header is missing.",
        ),
        ("00" * 32, "wrong_signature", "Provided signature is invalid"),
        (signed(PATH + b"?"), "wrong_signature", "Provided signature is invalid"),
    ],
)
async def test_a_wrong_signature_is_refused_with_the_text_that_was_expected(
    signature: str | None, reason: str, description: str
) -> None:
    refusal = await door().refusal(call(query=b"page=1", signature=signature))
    assert (refusal.status, refusal.error) == (401, "signature_invalid")
    assert (refusal.reason, refusal.description) == (reason, description)
    assert refusal.headers == (("X-Signed-Text", "/public/api/ver1/accounts?page=1"),)


@pytest.mark.parametrize(
    ("parts", "hint"),
    [
        ({"query": b'a="x"'}, 'The query holds a bare ", which must be sent as %22.'),
        (
            {"method": "GET", "body": b"a=1"},
            "Parameters of GET and HEAD go into the query; a body must be a JSON object, or {}.",
        ),
        *(
            (
                {"method": "POST", "body": body},
                'The body is no JSON object that begins with {, and a form holds no bare ".',
            )
            for body in (b' {"a":1}', b'["a"]', b'"a"', b'--x\r\nform-data; name="a"')
        ),
        *(
            (
                {"method": "POST", "query": query, "body": body},
                "The form repeats a name of the query, or one of the two cannot be read.",
            )
            for query, body in ((b"a=1&b=2", b"c=3&a=1"), (b"a=%FF", b"b=1"))
        ),
    ],
)
async def test_where_no_signature_would_do_it_is_told_why(parts: dict[str, Any], hint: str) -> None:
    query, body = parts.get("query", b""), parts.get("body", b"")
    text = PATH + b"?" + query + (b"&" if query and body else b"") + body
    refusal = await door().refusal(call(signature=signed(text), **parts))
    assert (refusal.status, refusal.error) == (401, "signature_invalid")
    assert refusal.description == f"Provided signature is invalid. {hint}"
    assert refusal.headers == ()


async def test_a_missing_permission_is_named() -> None:
    with pytest.raises(Refusal) as caught:
        await door().gate.admit(call(), "accounts_write")
    refusal = caught.value
    assert (refusal.status, refusal.error, refusal.reason) == (403, "access_denied", "permission")
    assert refusal.description == "Api key doesn't have enough permissions: ACCOUNTS_WRITE"


async def test_a_call_that_needs_no_permission_needs_a_signature_still() -> None:
    gate = door(token(permissions=frozenset())).gate
    assert (await gate.admit(call())).permissions == frozenset()
    with pytest.raises(Refusal, match="Provided signature is invalid"):
        await gate.admit(call(signature="00" * 32))


async def test_a_forced_mode_counts_before_the_users_own() -> None:
    assert (await door().admit(call(forced_mode="paper"))).mode == "paper"
    assert (await door().admit(call(forced_mode="real"))).mode == "real"


@pytest.mark.parametrize("mode", ["", "Paper", "demo"])
async def test_a_mode_that_does_not_exist_is_refused_and_not_guessed(mode: str) -> None:
    refusal = await door().refusal(call(forced_mode=mode))
    assert (refusal.status, refusal.error) == (400, "record_invalid")
    assert refusal.attributes == {"forced_mode": ["does not have a valid value"]}


async def test_a_body_above_the_bound_is_refused_before_it_is_hashed() -> None:
    entry = door()
    refusal = await entry.refusal(call(method="POST", body=b"x" * (MAX_BODY + 1)))
    assert refusal.attributes == {"body": ["is too long (maximum is 65536 bytes)"]}
    assert entry.look.asked == []


async def test_neither_key_nor_signature_nor_parameters_show_in_a_repr() -> None:
    asked = call(query=b"secret=hidden", body=b"secret=hidden")
    refusal = await door().refusal(asked)
    for text in (repr(asked), repr(refusal), str(refusal)):
        assert KEY not in text
        assert "hidden" not in text
        assert signed(PATH) not in text
