"""Each kind of bad input has its clear answer."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from coffers.api.errors import MAX_TARGET
from coffers.clock import DAY
from coffers.store.engine import Store
from served import LIST, Served, listening, serving


@pytest.fixture
async def api(sqlite_store: Store) -> AsyncIterator[Served]:
    async with serving(sqlite_store) as served:
        yield served


def error_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    body = answer.json()
    assert set(body) <= {"error", "error_description", "error_attributes"}
    return answer.status_code, body["error"]


KEY_REFUSED = (401, "api_key_invalid_or_expired")
INVALID = (400, "record_invalid")


async def test_no_token(api: Served) -> None:
    answer = await api.http.get(LIST)
    assert error_of(answer) == KEY_REFUSED
    assert answer.json()["error_description"].startswith("Unauthorized. Invalid or expired api key")


@pytest.mark.parametrize("key", ["unknown", "x" * 5000, "\xe4\xf6", " ", "a'b"])
async def test_an_unknown_token(api: Served, key: str) -> None:
    headers = {"Apikey": key.encode("latin-1"), "Signature": b"00" * 32}
    assert error_of(await api.http.get(LIST, headers=headers)) == KEY_REFUSED


async def test_an_expired_token(api: Served) -> None:
    caller = await api.caller(expires="1d")
    assert (await api.get(caller)).status_code == 200
    api.clock.advance(DAY)
    assert error_of(await api.get(caller)) == KEY_REFUSED


async def test_a_revoked_token(api: Served) -> None:
    caller = await api.caller()
    assert (await api.get(caller)).status_code == 200
    async with api.services.store.transaction() as tx:
        await tx.tokens.revoke(caller.user.id, caller.api_key, api.clock.now())
    assert error_of(await api.get(caller)) == KEY_REFUSED


@pytest.mark.parametrize("signature", [None, "", "00" * 32, "zz" * 32, "ä", "0" * 10_000])
async def test_a_wrong_signature(api: Served, signature: str | None) -> None:
    caller = await api.caller()
    headers = {"Apikey": caller.api_key.encode()}
    if signature is not None:
        headers["Signature"] = signature.encode("latin-1")
    answer = await api.http.get(f"{LIST}?page=1", headers=headers)
    assert error_of(answer) == (401, "signature_invalid")
    assert answer.headers["x-signed-text"] == f"{LIST}?page=1"


async def test_a_wrongly_signed_secret_is_in_no_header_of_the_answer(api: Served) -> None:
    caller = await api.caller()
    headers = {"Apikey": caller.api_key, "Signature": "00" * 32}
    body = {"type": "binance", "secret": "fake-secret-1"}
    for answer in (
        await api.http.post(f"{LIST}/new", data=body, headers=headers),
        await api.http.post(f"{LIST}/new", json=body, headers=headers),
        await api.http.post(f"{LIST}/new", params=body, headers=headers),
    ):
        assert error_of(answer) == (401, "signature_invalid")
        assert "<13 bytes>" in answer.headers["x-signed-text"]
        assert "fake-secret-1" not in str(answer.headers)


async def test_a_signature_of_another_query(api: Served) -> None:
    caller = await api.caller()
    answer = await api.http.get(f"{LIST}?page=2", headers=caller.headers(LIST))
    assert error_of(answer) == (401, "signature_invalid")


async def test_a_token_that_may_not_read_accounts(api: Served) -> None:
    caller = await api.caller(permissions=("accounts_write",))
    answer = await api.get(caller)
    assert error_of(answer) == (403, "access_denied")
    assert answer.json()["error_description"].startswith("Api key doesn't have enough permissions")
    assert "ACCOUNTS_READ" in answer.json()["error_description"]


async def test_a_token_used_from_another_address(api: Served) -> None:
    caller = await api.caller(networks=("10.0.0.0/8",))
    assert error_of(await api.get(caller)) == KEY_REFUSED


@pytest.mark.parametrize(
    ("query", "attributes"),
    [
        ("page=0", {"page": ["does not have a valid value"]}),
        ("page=-1", {"page": ["is invalid"]}),
        ("page=1e9", {"page": ["is invalid"]}),
        ("page=x", {"page": ["is invalid"]}),
        ("per_page=0", {"per_page": ["does not have a valid value"]}),
        ("per_page=101", {"per_page": ["does not have a valid value"]}),
        ("api_key=%00", {"api_key": ["is invalid"]}),
    ],
)
async def test_a_page_that_cannot_be(
    api: Served, query: str, attributes: dict[str, list[str]]
) -> None:
    answer = await api.get(await api.caller(), f"{LIST}?{query}")
    assert error_of(answer) == INVALID
    assert answer.json()["error_attributes"] == attributes


async def test_unknown_parameters_are_ignored(api: Served) -> None:
    answer = await api.get(await api.caller(), f"{LIST}?limit=5&%5B%5D=1&page=1&x")
    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_mode_that_there_is_not(api: Served) -> None:
    answer = await api.get(await api.caller(), headers={"Forced-Mode": "demo"})
    assert error_of(answer) == INVALID


async def test_blanks_behind_a_header_are_no_part_of_it(api: Served) -> None:
    caller = await api.caller()
    sent = {**caller.headers(LIST), "Forced-Mode": "real"}
    answer = await api.http.get(LIST, headers={name: f"{text} \t" for name, text in sent.items()})
    assert answer.status_code == 200


async def test_a_body_that_is_not_what_its_content_type_says(api: Served) -> None:
    caller = await api.caller()
    # A form cannot be signed on a GET, whatever it claims to be; a JSON object can.
    body = '{"page": "1"}'
    answer = await api.http.request(
        "GET",
        LIST,
        content=body,
        headers={
            **caller.headers(LIST, body),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert error_of(answer) == INVALID
    assert "content type" in answer.json()["error_attributes"]["body"][0]


async def test_an_empty_object_with_a_get_is_no_body_to_speak_of(api: Served) -> None:
    caller = await api.caller()
    headers = {**caller.headers(LIST, "{}"), "Content-Type": "application/json"}
    answer = await api.http.request("GET", LIST, content="{}", headers=headers)
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        ("POST", "ver1/accounts/new", ["type", "name"]),
        (
            "POST",
            "ver1/accounts/transfer",
            ["currency", "amount", "from_account_id", "to_account_id"],
        ),
        ("GET", "ver1/accounts/transfer_history", ["account_id", "currency"]),
        ("POST", "ver1/loose_accounts", ["tokens[code][]", "tokens[amount][]", "name"]),
        ("POST", "v1/paper_accounts/1/orders", ["side", "base", "quote"]),
        ("POST", "v1/paper_accounts/1/deposits", ["asset", "amount"]),
        ("PUT", "v1/asset_mappings", ["market_code", "venue_code", "asset"]),
        ("DELETE", "v1/asset_mappings", ["market_code", "venue_code"]),
    ],
)
async def test_all_that_is_missing_is_named_at_once(
    api: Served, method: str, path: str, missing: list[str]
) -> None:
    caller = await api.caller(permissions=("accounts_read", "accounts_write"))
    target = f"/public/api/{path}"
    answer = await api.http.request(method, target, headers=caller.headers(target))
    assert error_of(answer) == INVALID
    assert answer.json()["error_attributes"] == {name: ["is missing"] for name in missing}


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize(
    "body",
    [
        '{"name":"\\ud800"}',
        '{"name":"x"',
        '{"name":"x"}&name=y',
    ],
)
async def test_a_signed_body_that_cannot_be_read(api: Served, body: str, kind: str) -> None:
    caller = await api.caller(permissions=("accounts_write",))
    answer = await api.post(caller, f"{LIST}/new", body, {"Content-Type": kind} if kind else {})
    assert error_of(answer) == INVALID
    assert list(answer.json()["error_attributes"]) == ["body"]


@pytest.mark.parametrize("kind", ["application/json", ""])
@pytest.mark.parametrize("depth", [900, 5_000, 10_000])
async def test_a_signed_body_may_be_as_deep_as_it_is_long(
    api: Served, depth: int, kind: str
) -> None:
    """How deep a body can be read differs with the version of Python."""
    caller = await api.caller(permissions=("accounts_write",))
    body = '{"a":' * depth + "1" + "}" * depth
    answer = await api.post(caller, f"{LIST}/new", body, {"Content-Type": kind} if kind else {})
    assert error_of(answer) == INVALID
    assert list(answer.json()["error_attributes"]) in (["body"], ["type", "name"])


@pytest.mark.parametrize("number", ["1e-99999999999999999999", "1e999", "-1e99999999999999999999"])
@pytest.mark.parametrize("field", ["z", "api_key"])
async def test_a_number_too_small_or_too_large_for_any_amount_is_a_text_like_others(
    api: Served, field: str, number: str
) -> None:
    caller = await api.caller(permissions=("accounts_write",))
    body = f'{{"type":"binance","name":"x","{field}":{number}}}'
    answer = await api.post(caller, f"{LIST}/new", body)
    assert error_of(answer) == INVALID
    assert "secret" in answer.json()["error_attributes"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_a_method_that_the_list_does_not_have(api: Served, method: str) -> None:
    answer = await api.http.request(method, LIST)
    assert error_of(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/public/api/ver1",
        f"{LIST}/",
        f"{LIST}%00",
        f"{LIST}/1%0A",
        "/public/api/ver1/%2e%2e/x",
        "/metrics%0A",
    ],
)
async def test_an_address_that_there_is_not(api: Served, path: str) -> None:
    assert error_of(await api.http.get(path)) == (404, "not_found")


async def test_an_address_that_is_too_long(api: Served) -> None:
    answer = await api.http.get(f"{LIST}?x={'x' * MAX_TARGET}")
    assert error_of(answer) == (414, "uri_too_long")


async def test_an_id_that_no_database_holds_is_nobodys(store: Store) -> None:
    async with serving(store, limits_enabled=False) as api:
        caller = await api.caller(permissions=("accounts_read", "accounts_write"))
        paths = (await api.http.get("/openapi.json")).json()["paths"]
        tried = 0
        for path, operations in paths.items():
            target, ids = re.subn(r"\{\w+_id\}", "9999999999", path)
            target = target.replace("{table}", "flows")
            for method in operations if ids else ():
                headers = caller.headers(target)
                answer = await api.http.request(method.upper(), target, headers=headers)
                # Where something else is asked first, that is missing.
                assert error_of(answer) in {(404, "not_found"), INVALID}, (method, path)
                tried += 1
        for last in ("operations/2147483648", "operations/9999999999", "webhooks/2147483648"):
            assert error_of(await api.get(caller, f"/public/api/v1/{last}")) == (404, "not_found")
        answer = await api.post(caller, f"{LIST}/2147483648/convert_dust_to_bnb")
        assert error_of(answer) == (404, "not_found")
    assert tried > 40


@pytest.mark.parametrize("number", ["2147483648", "4611686018427387904", "9" * 19])
async def test_a_cursor_that_no_page_told(store: Store, number: str) -> None:
    async with serving(store) as api:
        answer = await api.get(await api.caller(), f"/public/api/v1/webhooks?cursor={number}")
    assert error_of(answer) == INVALID
    assert list(answer.json()["error_attributes"]) == ["cursor"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_nul_in_a_path_is_in_no_name(store: Store, method: str) -> None:
    target = "/public/api/v1/assets/a%00b" + ("" if method == "GET" else "/override")
    async with serving(store) as api:
        caller = await api.caller(permissions=("accounts_read", "accounts_write"))
        answer = await api.http.request(method, target, headers=caller.headers(target))
    assert error_of(answer) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("?market_code=a&venue_code=b%00", ""),
        ("?market_code=a", "venue_code=b%00"),
        ("?market_code=a&venue_code=b%FF", ""),
        ("", "market_code=a&venue_code=b%FF"),
        ("", '{"market_code": "a", "venue_code": "b\\u0000"}'),
    ],
)
async def test_a_nul_or_bytes_that_are_no_utf8_in_a_parameter(
    store: Store, query: str, body: str
) -> None:
    target = f"/public/api/v1/asset_mappings{query}"
    async with serving(store) as api:
        caller = await api.caller(permissions=("accounts_write",))
        headers = caller.headers(target, body)
        answer = await api.http.request("DELETE", target, headers=headers, content=body)
    assert error_of(answer) == INVALID
    assert answer.json()["error_attributes"] == {"venue_code": ["is invalid"]}


TOO_LONG = b"x" * (64 * 1024 + 1)


async def test_a_body_that_is_too_long(api: Served) -> None:
    for path in (LIST, "/public/api/ver1/validate"):
        answer = await api.http.request("GET", path, content=TOO_LONG)
        assert error_of(answer) == (413, "payload_too_large")


async def _in_chunks() -> AsyncIterator[bytes]:
    for start in range(0, len(TOO_LONG), 1000):
        yield TOO_LONG[start : start + 1000]


async def test_a_body_in_chunks_that_is_too_long_over_a_real_connection(api: Served) -> None:
    async with listening(api.app) as base, httpx.AsyncClient(base_url=base) as http:
        for path in (LIST, "/public/api/ver1/validate"):
            answer = await http.request("GET", path, content=_in_chunks())
            assert error_of(answer) == (413, "payload_too_large")


async def test_a_client_that_leaves_half_way_disturbs_nobody(api: Served) -> None:
    caller = await api.caller()
    async with listening(api.app) as base:
        host, port = base.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with httpx.AsyncClient(base_url=base) as http:
            answer = await http.get(LIST, headers=caller.headers(LIST))
    assert answer.status_code == 200


async def test_a_token_above_its_limit(sqlite_store: Store) -> None:
    async with serving(sqlite_store, limit_requests=2) as api:
        caller = await api.caller()
        answers = [await api.get(caller) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "300"


_GUESS = {"Apikey": "guess"}


async def test_calls_without_a_key_keep_nobody_out(sqlite_store: Store) -> None:
    async with serving(sqlite_store, ban_after=2) as api:
        caller = await api.caller()
        answers = [await api.http.get(LIST) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {401}
        assert (await api.get(caller)).status_code == 200


async def test_an_address_that_goes_on_is_banned_from_all_of_the_api(sqlite_store: Store) -> None:
    async with serving(sqlite_store, ban_after=2) as api:
        for _ in range(2):
            await api.http.get(LIST, headers=_GUESS)
        for path in (LIST, "/public/api/ver1/ping", "/public/api/ver1/validate"):
            answer = await api.http.get(path)
            assert error_of(answer) == (418, "ip_banned")
            assert answer.headers["retry-after"] == "120"
        assert (await api.http.get("/healthz")).status_code == 200


async def test_a_ban_hits_the_caller_behind_a_trusted_proxy_alone(sqlite_store: Store) -> None:
    async with serving(sqlite_store, ban_after=1, trusted_proxies="127.0.0.1") as api:
        for address, status in (("203.0.113.7", 401), ("203.0.113.7", 418), ("203.0.113.8", 401)):
            sent = {**_GUESS, "X-Forwarded-For": f"1.1.1.1, {address}"}
            answer = await api.http.get(LIST, headers=sent)
            assert answer.status_code == status
