"""The routes beside the list: ping, time, validate, icons, probes and documents."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import text

from coffers.api.account_schema import ACCOUNT_KEYS
from coffers.clock import MINUTE
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from served import LIST, Served, add_account, add_book, serving

BASE = "/public/api/ver1"


@pytest.fixture
async def api(sqlite_store: Store) -> AsyncIterator[Served]:
    async with serving(sqlite_store) as served:
        yield served


async def test_ping_and_time_need_no_token(api: Served) -> None:
    assert (await api.http.get(f"{BASE}/ping")).json() == {"pong": "pong"}
    assert (await api.http.get(f"{BASE}/time")).json() == {"server_time": 1_760_000_000}


async def test_validate_needs_a_good_signature_and_no_permission(api: Served) -> None:
    caller = await api.caller(permissions=())
    assert (await api.get(caller, f"{BASE}/validate")).json() == {"valid": True}
    refused = await api.http.get(f"{BASE}/validate", headers=caller.headers(f"{BASE}/ping"))
    assert (refused.status_code, refused.json()["error"]) == (401, "signature_invalid")


async def test_what_is_signed_is_the_address_as_it_was_sent(api: Served) -> None:
    caller = await api.caller()
    target = f"{BASE}/valid%61te?x=%7e"
    assert (await api.get(caller, target)).json() == {"valid": True}


async def test_the_methods_of_a_route_are_told(api: Served) -> None:
    answer = await api.http.post(f"{BASE}/ping")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    assert (await api.http.head(f"{BASE}/ping")).status_code == 200


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("webhooks", "GET, HEAD, POST"),
        ("webhooks/1", "DELETE, GET, HEAD, PUT"),
        ("webhooks/1/test", "POST"),
        ("asset_mappings", "DELETE, GET, HEAD, PUT"),
        # A code may end so, and be asked for.
        ("assets/BTC/override", "DELETE, GET, HEAD, PUT"),
    ],
)
async def test_the_methods_of_all_routes_of_an_address_are_told(
    api: Served, path: str, allowed: str
) -> None:
    answer = await api.http.patch(f"/public/api/v1/{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert allowed in answer.json()["error_description"]


async def test_files_of_the_docs_page_are_only_read(api: Served) -> None:
    answer = await api.http.delete("/docs/assets/swagger-ui.css")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json()["error_description"] == "This address answers GET, HEAD."


async def test_an_icon_is_a_drawing_that_nothing_can_run_in(api: Served) -> None:
    icon = await api.http.get("/img/exchanges/binance.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in icon.headers["content-security-policy"]
    assert ET.fromstring(icon.content).tag.endswith("svg")  # noqa: S314 - our own
    for code in ("unknown", "..%2f..%2fcatalogue", "%00"):
        assert (await api.http.get(f"/img/exchanges/{code}.svg")).status_code == 404


async def test_every_listed_icon_is_there(api: Served) -> None:
    caller = await api.caller()
    await add_account(api.services.store, caller.user)
    address = (await api.get(caller)).json()[0]["market_icon"]
    assert (await api.http.get(address)).status_code == 200


@pytest.mark.parametrize("asset", ["ETH", f"osmosis:ibc/{'27A' * 20}", "x" * 150])
async def test_the_icon_of_every_asset_that_is_held_is_there(api: Served, asset: str) -> None:
    caller = await api.caller()
    account = await add_account(api.services.store, caller.user, held={asset: "2"})
    await add_book(api.services.store)
    answer = await api.post(caller, f"{BASE}/accounts/{account.id}/account_table_data")
    (row,) = answer.json()
    for address in (row["currency_icon"], f"/img/currencies/{asset}.svg"):
        icon = await api.http.get(address)
        assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
        assert ET.fromstring(icon.content).findtext("{*}title") == asset  # noqa: S314 - our own


async def test_a_process_that_answers_is_alive(api: Served) -> None:
    assert (await api.http.get("/healthz")).json() == {"status": "ok"}


async def test_ready_when_database_tables_and_key_are_there(store: Store) -> None:
    async with serving(store) as api:
        answer = await api.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (
            200,
            {"ready": True, "missing": {}, "price_age_seconds": None},
        )
        await add_book(store)
        api.clock.advance(MINUTE)
        assert (await api.http.get("/readyz")).json()["price_age_seconds"] == 60.0


async def test_not_ready_on_other_tables(store: Store) -> None:
    async with serving(store) as api:
        async with store.connection() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        answer = await api.http.get("/readyz")
        assert answer.status_code == 503
        assert list(answer.json()["missing"]) == ["tables"]
        async with store.connection() as connection:
            await connection.execute(text("DROP TABLE alembic_version"))
        assert list((await api.http.get("/readyz")).json()["missing"]) == ["tables"]


async def test_not_ready_without_the_key_that_secrets_are_sealed_under(api: Served) -> None:
    await api.caller()
    other = KeyRing([new_key()])
    foreign = Vault(lambda: other).seal(Secret("x"), "token:1:1")
    async with api.services.store.connection() as connection:
        await connection.execute(
            text("UPDATE api_tokens SET secret_key_id = :id"), {"id": foreign.key_id}
        )
    answer = await api.http.get("/readyz")
    assert answer.status_code == 503
    assert list(answer.json()["missing"]) == ["vault"]


async def test_a_database_that_is_away_is_told_everywhere(
    api: Served, sqlite_store: Store, tmp_path: Path
) -> None:
    caller = await api.caller()
    await sqlite_store.close()
    _take_away(tmp_path)
    answer = await api.get(caller)
    assert (answer.status_code, answer.json()["error"]) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "5"
    ready = await api.http.get("/readyz")
    assert (ready.status_code, list(ready.json()["missing"])) == (503, ["database"])
    assert (await api.http.get("/metrics")).status_code == 200
    assert (await api.http.get("/healthz")).status_code == 200


def _take_away(directory: Path) -> None:
    for file in directory.glob("coffers.db*"):
        file.unlink()
    (directory / "coffers.db").mkdir()


async def test_metrics_name_routes_and_the_age_of_prices(api: Served) -> None:
    await add_book(api.services.store)
    api.clock.advance(MINUTE)
    await api.http.get("/img/exchanges/kraken.svg")
    await api.http.get("/no/such/thing")
    caller = await api.caller()
    await add_account(api.services.store, caller.user)
    await api.get(caller, f"{LIST}?api_key=private")
    scraped = (await api.http.get("/metrics")).text
    assert 'coffers_requests_total{route="/img/exchanges/{code}.svg",status="200"}' in scraped
    assert 'coffers_requests_total{route="unknown",status="404"}' in scraped
    assert f'coffers_requests_total{{route="{LIST}",status="200"}}' in scraped
    assert "coffers_price_age_seconds 60.0" in scraped
    assert "coffers_price_epoch 1.0" in scraped
    assert "private" not in scraped


async def test_the_documents_page_needs_nothing_from_elsewhere(api: Served) -> None:
    page = await api.http.get("/docs")
    named = re.findall(r"""(?:src|href|url)\s*[=:]\s*['"]([^'"]+)""", page.text)
    assert len(named) == 4
    for address in named:
        assert address.startswith("/"), address
        assert (await api.http.get(address)).status_code == 200, address
    assert "://" not in page.text
    assert '"validatorUrl": null' in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "://" not in policy


async def test_the_document_describes_the_account_as_it_is_sent(api: Served) -> None:
    document = (await api.http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert schemas["Account"]["required"] == list(ACCOUNT_KEYS)
    caller = await api.caller()
    await add_account(api.services.store, caller.user)
    assert list((await api.get(caller)).json()[0]) == schemas["Account"]["required"]
    assert "HTTPValidationError" not in schemas
    # The framework would describe answers in a form that is never sent.
    assert "Validation Error" not in str(document["paths"])


async def test_the_document_tells_how_objects_are_written_outside_of_json(api: Served) -> None:
    paths = (await api.http.get("/openapi.json")).json()["paths"]
    by_key = {"style": "deepObject", "explode": True}
    for path, name in (("paper_accounts", "balances"), ("auto_balance/portfolios", "targets")):
        route = paths[f"/public/api/v1/{path}"]["post"]
        [told] = [each for each in route["parameters"] if each["name"] == name]
        assert by_key.items() <= told.items()
        content = route["requestBody"]["content"]
        assert content["application/x-www-form-urlencoded"]["encoding"] == {name: by_key}
        assert "encoding" not in content["application/json"]


@pytest.mark.parametrize(
    ("route", "status", "headers"),
    [
        (
            f"accounts/{{account_id}}/sell_all_to_{asset}",
            "201",
            {"X-Accounts-Incomplete", "X-Prices-At", "X-Read-At", "X-Operation-Id"},
        )
        for asset in ("usd", "btc")
    ]
    + [(path, "200", {"X-Total-Count"}) for path in ("portfolios", "portfolios/portfolios")],
)
async def test_the_document_tells_the_headers_of_answers(
    api: Served, route: str, status: str, headers: set[str]
) -> None:
    paths = (await api.http.get("/openapi.json")).json()["paths"]
    [told] = paths[f"{BASE}/{route}"].values()
    assert headers <= told["responses"][status]["headers"].keys()


async def test_the_document_tells_that_an_account_may_not_be_deletable(api: Served) -> None:
    paths = (await api.http.get("/openapi.json")).json()["paths"]
    told = paths[f"{BASE}/accounts/{{account_id}}/remove"]["post"]["responses"]["422"]
    assert told["description"].startswith("account_not_deletable")


async def test_every_route_is_described_for_people(api: Served) -> None:
    document = (await api.http.get("/openapi.json")).json()
    routes = [route for path in document["paths"].values() for route in path.values()]
    assert all(route["tags"] for route in routes)
    general = [route["summary"] for route in routes if route["tags"] == ["general"]]
    assert sorted(general) == [
        "Are token and signature good?",
        "Is the server there?",
        "What time is it there?",
    ]
    ids = [route["operationId"] for route in routes]
    assert len(ids) == len(set(ids))


async def test_every_route_is_in_the_document(api: Served) -> None:
    document = (await api.http.get("/openapi.json")).json()
    assert sorted(document["paths"]) == [
        "/healthz",
        "/img/currencies/{code}.svg",
        "/img/exchanges/{code}.svg",
        "/metrics",
        "/public/api/v1/accounts",
        "/public/api/v1/accounts/summary",
        "/public/api/v1/accounts/summary/explain",
        "/public/api/v1/accounts/summary/export/{table}.csv",
        "/public/api/v1/accounts/summary/history",
        "/public/api/v1/accounts/summary/positions",
        "/public/api/v1/accounts/summary/snapshots",
        "/public/api/v1/accounts/{account_id}",
        "/public/api/v1/accounts/{account_id}/auto_balance",
        "/public/api/v1/accounts/{account_id}/auto_balance/preview",
        "/public/api/v1/accounts/{account_id}/auto_balance/run",
        "/public/api/v1/accounts/{account_id}/contracts",
        "/public/api/v1/accounts/{account_id}/explain",
        "/public/api/v1/accounts/{account_id}/export/{table}.csv",
        "/public/api/v1/accounts/{account_id}/flows",
        "/public/api/v1/accounts/{account_id}/history",
        "/public/api/v1/accounts/{account_id}/positions",
        "/public/api/v1/accounts/{account_id}/snapshots",
        "/public/api/v1/accounts/{account_id}/trades",
        "/public/api/v1/asset_mappings",
        "/public/api/v1/assets",
        "/public/api/v1/assets/{asset}",
        "/public/api/v1/assets/{asset}/override",
        "/public/api/v1/auto_balance/portfolios",
        "/public/api/v1/auto_balance/portfolios/{portfolio_id}",
        "/public/api/v1/events",
        "/public/api/v1/operations",
        "/public/api/v1/operations/{operation_id}",
        "/public/api/v1/paper_accounts",
        "/public/api/v1/paper_accounts/{account_id}",
        "/public/api/v1/paper_accounts/{account_id}/deposits",
        "/public/api/v1/paper_accounts/{account_id}/orders",
        "/public/api/v1/paper_accounts/{account_id}/reset",
        "/public/api/v1/paper_accounts/{account_id}/withdrawals",
        "/public/api/v1/prices",
        "/public/api/v1/prices/{asset}",
        "/public/api/v1/prices/{asset}/accept",
        "/public/api/v1/stream",
        "/public/api/v1/webhooks",
        "/public/api/v1/webhooks/{webhook_id}",
        "/public/api/v1/webhooks/{webhook_id}/deliveries",
        "/public/api/v1/webhooks/{webhook_id}/test",
        "/public/api/v2/accounts/market_pairs",
        "/public/api/ver1/accounts",
        "/public/api/ver1/accounts/currency_rates",
        "/public/api/ver1/accounts/currency_rates_with_leverage_data",
        "/public/api/ver1/accounts/market_list",
        "/public/api/ver1/accounts/market_pairs",
        "/public/api/ver1/accounts/new",
        "/public/api/ver1/accounts/summary",
        "/public/api/ver1/accounts/summary/account_table_data",
        "/public/api/ver1/accounts/summary/balance_chart_data",
        "/public/api/ver1/accounts/summary/pie_chart_data",
        "/public/api/ver1/accounts/transfer",
        "/public/api/ver1/accounts/transfer_data",
        "/public/api/ver1/accounts/transfer_history",
        "/public/api/ver1/accounts/types_to_connect",
        "/public/api/ver1/accounts/update",
        "/public/api/ver1/accounts/{account_id}",
        "/public/api/ver1/accounts/{account_id}/account_table_data",
        "/public/api/ver1/accounts/{account_id}/active_trading_entities",
        "/public/api/ver1/accounts/{account_id}/balance_chart_data",
        "/public/api/ver1/accounts/{account_id}/convert_dust_to_bnb",
        "/public/api/ver1/accounts/{account_id}/deposit_data",
        "/public/api/ver1/accounts/{account_id}/leverage_data",
        "/public/api/ver1/accounts/{account_id}/load_balances",
        "/public/api/ver1/accounts/{account_id}/networks_info",
        "/public/api/ver1/accounts/{account_id}/pie_chart_data",
        "/public/api/ver1/accounts/{account_id}/remove",
        "/public/api/ver1/accounts/{account_id}/rename",
        "/public/api/ver1/accounts/{account_id}/sell_all_to_btc",
        "/public/api/ver1/accounts/{account_id}/sell_all_to_usd",
        "/public/api/ver1/accounts/{account_id}/volume/daily",
        "/public/api/ver1/accounts/{account_id}/volume/monthly",
        "/public/api/ver1/accounts/{account_id}/volume/total",
        "/public/api/ver1/loose_accounts",
        "/public/api/ver1/loose_accounts/available_currencies",
        "/public/api/ver1/loose_accounts/{account_id}",
        "/public/api/ver1/ping",
        "/public/api/ver1/portfolios",
        "/public/api/ver1/portfolios/portfolios",
        "/public/api/ver1/portfolios/{portfolio_id}",
        "/public/api/ver1/time",
        "/public/api/ver1/users/change_mode",
        "/public/api/ver1/users/current_mode",
        "/public/api/ver1/users/locale",
        "/public/api/ver1/users/permissions_info",
        "/public/api/ver1/validate",
        "/readyz",
    ]
