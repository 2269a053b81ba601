"""Generated requests, good and bad: nothing answers 5xx, and answers are as documented."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from coffers.clock import SystemClock
from coffers.store.engine import Store
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from served import LIST, Caller, add_account, add_book, serving, started

CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
)
EACH = settings(
    max_examples=2, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
SEEN_WHEN_SIGNED = {
    f"GET {LIST}": {200},
    f"GET {LIST}/{{account_id}}": {200, 404},
    "POST /public/api/ver1/users/change_mode": {201, 400},
}
"""What good and bad requests must have come to, by route."""

TRIES = 5
"""Rounds of five requests until they have: one round lacks a good one in a few hundred runs."""


class Signing(requests.auth.AuthBase):
    """Signs each request as it is about to be sent."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        text = body if isinstance(body, str) else body.decode()
        request.headers.update(self._caller.headers(request.path_url, text))
        return request


@pytest.mark.parametrize("is_signed", [True, False])
def test_every_route_keeps_to_the_document(
    tmp_path: Path, sqlite_url: str, is_signed: bool
) -> None:
    key = new_key()
    caller = asyncio.run(_prepared(sqlite_url, Vault(lambda: KeyRing([key]))))
    environment = {
        "COFFERS_DATA_DIR": str(tmp_path),
        "COFFERS_DATABASE_URL": sqlite_url,
        "COFFERS_MASTER_KEY": key.text(),
        "COFFERS_LIMITS_ENABLED": "false",
    }
    with started(environment) as (base, _), requests.Session() as session:
        schema = schemathesis.openapi.from_url(f"{base}/openapi.json")
        auth = Signing(caller) if is_signed else None
        wanted = SEEN_WHEN_SIGNED if is_signed else {f"GET {LIST}": {401}}
        seen = {}
        for operation in (found.ok() for found in schema.get_all_operations()):
            route = f"{operation.method.upper()} {operation.path}"
            seen[route] = _statuses(operation, wanted.get(route, set()), session=session, auth=auth)
    assert {route: seen[route] & statuses for route, statuses in wanted.items()} == wanted
    assert len(seen) == sum(map(len, schema.raw_schema["paths"].values()))


def _statuses(operation: Any, wanted: set[int], **call: Any) -> set[int]:
    """Send generated requests, check each answer, and return the statuses."""
    seen: set[int] = set()

    @EACH
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        seen.add(case.call_and_validate(checks=CHECKS, **call).status_code)

    for _ in range(TRIES):
        check()
        if wanted <= seen:
            break
    return seen


async def _prepared(url: str, vault: Vault) -> Caller:
    store = Store(url)
    async with serving(store, vault) as api:
        caller = await api.caller(permissions=("accounts_read", "accounts_write"))
        for name in ("One", "Two"):
            await add_account(store, caller.user, name)
        await add_book(store, SystemClock().now())
    await store.close()
    return caller
