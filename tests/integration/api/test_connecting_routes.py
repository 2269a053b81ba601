"""`new` and `load_balances`: the API asks, a worker on the same database does it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from coffers.clock import MINUTE, iso
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading
from coffers.keyrights import KeyRights
from coffers.portfolio import errands
from coffers.store.engine import Store
from factories import NOW, position
from fakes import FakeConnector
from office import working
from served import LIST, Caller, Served, add_book, serving

NEW = f"{LIST}/new"
UPDATE = f"{LIST}/update"
BITCOIN = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
KEY = {"type": "binance", "name": "Main", "api_key": "fake-key", "secret": "fake-secret"}


XPRV = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TG"
    "tRBeJgk33yuGBxrMPHi"
)
"""The published private key of BIP-32's first vector."""


WIF = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"


@dataclass
class Office:
    """The API with a worker beside it, and the venue that the worker asks."""

    api: Served
    caller: Caller
    venue: FakeConnector

    async def new(self, **fields: Any) -> httpx.Response:
        return await self.api.post(self.caller, NEW, json.dumps(fields), _JSON)

    async def load(self, account_id: int) -> httpx.Response:
        return await self.api.post(self.caller, f"{LIST}/{account_id}/load_balances")

    async def listed(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.api.get(self.caller)).json()
        return listed


_JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    async with serving(store) as api:
        services = api.services
        await add_book(store)
        caller = await api.caller(permissions=("accounts_read", "accounts_write"))
        venue = FakeConnector(Reading(NOW, frozenset({"spot"}), (position("BTC", "0.5"),)))
        async with working(services, venue):
            yield Office(api, caller, venue)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_an_exchange_account_is_connected_read_and_answered(office: Office) -> None:
    answer = await office.new(**KEY)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["market_code"], shown["name"], shown["api_key"]) == (
        "binance",
        "Main",
        "fake-key",
    )
    assert shown["btc_amount"] == "0.5"
    assert await office.listed() == [shown]
    assert "fake-secret" not in answer.text


async def test_a_form_does_as_well_as_json(office: Office) -> None:
    body = "type=binance&name=Main&api_key=fake-key&secret=fake-secret"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await office.api.post(office.caller, NEW, body, form)).status_code == 201


async def test_the_same_key_twice_names_the_account_that_has_it(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    again = await office.new(**KEY)
    assert again.status_code == 400
    assert again.json()["error_attributes"] == {
        "api_key": ["This account is already connected!"],
        "account_id": [str(account_id)],
    }


async def test_two_at_once_make_one_account(office: Office) -> None:
    answers = await asyncio.gather(office.new(**KEY), office.new(**KEY))
    assert sorted(answer.status_code for answer in answers) == [201, 400]
    assert len(await office.listed()) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "binnance"}, "type"),
        ({"type": "binance_tr"}, "type"),
        ({"name": "M"}, "name"),
        ({"secret": ""}, "secret"),
        ({"api_key": ""}, "api_key"),
        ({"passphrase": "not-asked-for"}, "passphrase"),
        ({"types_to_create": ["kraken"]}, "types_to_create[]"),
        ({"include_in_summary": "perhaps"}, "include_in_summary"),
    ],
)
async def test_what_cannot_be_accepted_is_named_and_no_venue_is_asked(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    answer = await office.new(**{**KEY, **changes})
    assert error_of(answer) == (400, "record_invalid")
    assert field in answer.json()["error_attributes"]
    assert office.venue.opened == []


@pytest.mark.parametrize("field", ["type", "name"])
async def test_what_is_missing_is_named(office: Office, field: str) -> None:
    answer = await office.new(**{name: text for name, text in KEY.items() if name != field})
    assert answer.json()["error_attributes"] == {field: ["is missing"]}


async def test_a_key_that_the_exchange_refuses_is_said_and_not_stored(office: Office) -> None:
    office.venue.key_rights = ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key")
    answer = await office.new(**KEY)
    assert error_of(answer) == (400, "record_invalid")
    assert answer.json()["error_attributes"] == {"api_key": ["Binance refused the key"]}
    assert await office.listed() == []


async def test_a_key_that_may_withdraw_is_refused(office: Office) -> None:
    office.venue.key_rights = KeyRights(read=True, withdraw=True)
    answer = await office.new(**KEY)
    assert "may withdraw" in answer.json()["error_attributes"]["api_key"][0]


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        (FailureKind.VENUE_DOWN, 503, "exchange_unavailable"),
        (FailureKind.RATE_LIMITED, 503, "exchange_unavailable"),
        (FailureKind.ADDRESS_REFUSED, 422, "exchange_refused"),
    ],
)
async def test_an_exchange_that_does_not_do_its_part_is_told_apart(
    office: Office, kind: FailureKind, status: int, error: str
) -> None:
    office.venue.key_rights = ConnectorFailure(kind, "Binance says no")
    answer = await office.new(**KEY)
    assert error_of(answer) == (status, error)
    assert await office.listed() == []


async def test_one_key_opens_several_markets_or_none(office: Office) -> None:
    answer = await office.new(**KEY, types_to_create=["binance_margin", "binance"])
    assert answer.status_code == 201, answer.text
    assert answer.json()["market_code"] == "binance"
    assert [each["market_code"] for each in await office.listed()] == ["binance", "binance_margin"]


async def test_a_wallet_is_connected_by_its_address(office: Office) -> None:
    answer = await office.new(type="bitcoin_wallet", name="Cold", address=BITCOIN)
    assert answer.status_code == 201, answer.text
    assert answer.json()["address"] == BITCOIN
    assert answer.json()["market_code"] == "bitcoin_wallet"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "is missing"),
        ("abandon " * 11 + "about", "seed phrase"),
        (BITCOIN[:-1] + "b", "checksum"),
        ("0x742d35Cc6634C0532925a3b844Bc454e4438f44e", "ethereumwallet"),
    ],
)
async def test_what_is_no_address_gets_its_own_clear_answer(
    office: Office, address: str, said: str
) -> None:
    answer = await office.new(type="bitcoin_wallet", name="Cold", address=address)
    assert error_of(answer) == (400, "record_invalid")
    assert said in answer.json()["error_attributes"]["address"][0]
    assert "abandon" not in answer.text


@pytest.mark.parametrize("market", ["bitcoin_wallet", "ethereumwallet", "ethereum_validators"])
@pytest.mark.parametrize(
    "secret",
    [
        "abandon " * 11 + "about",
        "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318",
        "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
        XPRV,
    ],
)
async def test_a_secret_in_place_of_an_address_is_in_no_answer_and_no_log(
    office: Office,
    market: str,
    secret: str,
    logs_of_a_process: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs_of_a_process("debug")
    answer = await office.new(type=market, name="Cold", address=secret)
    assert error_of(answer) == (400, "record_invalid")
    logged = capsys.readouterr()
    for word in {secret, secret[:24], secret[-24:]}:
        assert word not in answer.text
        assert word not in logged.err + logged.out


@pytest.mark.parametrize("field", ["api_key", "secret", "passphrase", "customer_id", "login"])
async def test_what_no_wallet_needs_is_refused_and_not_repeated(office: Office, field: str) -> None:
    given = {"type": "bitcoin_wallet", "name": "Cold", "address": BITCOIN, field: "hunter2hunter2"}
    answer = await office.new(**given)
    assert error_of(answer) == (400, "record_invalid")
    assert "give address" in answer.json()["error_attributes"][field][0]
    assert "hunter2" not in answer.text
    assert await office.listed() == []


@pytest.mark.parametrize("code", ["kraken", "ethereumwallet", "nonsense"])
async def test_a_wallet_opens_no_other_market(office: Office, code: str) -> None:
    wallet = {"type": "bitcoin_wallet", "name": "Cold", "address": BITCOIN}
    answer = await office.new(**wallet, types_to_create=[code])
    assert error_of(answer) == (400, "record_invalid")
    assert "types_to_create[]" in answer.json()["error_attributes"]
    assert await office.listed() == []


@pytest.mark.parametrize("secret", ["abandon " * 11 + "about", WIF, XPRV])
async def test_what_spends_coins_is_no_key_of_an_exchange(office: Office, secret: str) -> None:
    answer = await office.new(**{**KEY, "api_key": secret})
    assert error_of(answer) == (400, "record_invalid")
    assert "looks like" in answer.json()["error_attributes"]["api_key"][0]
    assert secret not in answer.text
    assert office.venue.opened == []


async def test_an_account_is_read_now(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    office.api.clock.advance(MINUTE)
    later = office.api.clock.now()
    office.venue.answer = Reading(later, frozenset({"spot"}), (position("BTC", "0.75"),))
    answer = await office.load(account_id)
    assert answer.status_code == 201, answer.text
    assert answer.json()["btc_amount"] == "0.75"


async def test_an_exchange_that_is_down_leaves_the_account_as_it_was(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    office.venue.answer = ConnectorFailure(FailureKind.VENUE_DOWN, "Binance is down")
    office.api.clock.advance(MINUTE)
    answer = await office.load(account_id)
    assert answer.status_code == 201
    assert answer.json()["btc_amount"] == "0.5"
    assert answer.headers["x-read-at"] == iso(NOW)
    assert answer.headers["x-last-failure"] == "venue_down"
    shown = await office.api.get(office.caller, f"{LIST}/{account_id}")
    assert shown.headers["x-last-failure"] == "venue_down"
    now = office.api.clock.now()
    office.venue.answer = Reading(now, frozenset({"spot"}), (position("BTC", "0.5"),))
    answer = await office.load(account_id)
    assert answer.headers["x-read-at"] == iso(now)
    assert "x-last-failure" not in answer.headers


async def test_a_key_that_is_refused_by_now_is_said(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    office.venue.answer = ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key")
    answer = await office.load(account_id)
    assert answer.status_code == 422
    assert answer.json() == {
        "error": "invalid_api_key",
        "error_description": "API keys are no longer valid or incorrect.",
    }


async def test_another_users_account_is_not_found(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    bob = await office.api.caller("bob", ("accounts_read", "accounts_write"))
    answer = await office.api.post(bob, f"{LIST}/{account_id}/load_balances")
    assert error_of(answer) == (404, "not_found")


async def test_a_token_that_may_only_read_connects_nothing(office: Office) -> None:
    reader = await office.api.caller("ann", ("accounts_read",))
    answer = await office.api.post(reader, NEW, json.dumps(KEY), _JSON)
    assert error_of(answer) == (403, "access_denied")


async def test_without_a_worker_it_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "TAKEN_WITHIN", 0.1)
    async with serving(store) as api:
        caller = await api.caller(permissions=("accounts_write",))
        answer = await api.post(caller, NEW, json.dumps(KEY), _JSON)
    assert error_of(answer) == (503, "service_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "no worker" in answer.json()["error_description"]


async def update(office: Office, **fields: Any) -> httpx.Response:
    return await office.api.post(office.caller, UPDATE, json.dumps(fields), _JSON)


async def test_another_key_keeps_the_account_and_its_history(office: Office) -> None:
    before = (await office.new(**KEY)).json()
    office.api.clock.advance(MINUTE)
    answer = await update(office, account_id=before["id"], api_key="other-key", secret="other")
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["id"], shown["api_key"]) == (before["id"], "other-key")
    assert shown["created_at"] == before["created_at"]
    assert office.venue.opened[-1].secret.reveal() == "other"


async def test_a_secret_alone_goes_with_the_key_that_was_there(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    assert (await update(office, account_id=account_id, secret="other")).status_code == 201
    opened = office.venue.opened[-1]
    assert (opened.api_key, opened.secret.reveal()) == ("fake-key", "other")


async def test_a_key_that_opens_another_account_is_refused(office: Office) -> None:
    held = (position("BTC", "0.5"),)
    office.venue.answer = Reading(NOW, frozenset({"spot"}), held, identity="ours")
    account_id = (await office.new(**KEY)).json()["id"]
    office.venue.answer = Reading(NOW, frozenset({"spot"}), held, identity="theirs")
    answer = await update(office, account_id=account_id, api_key="other-key", secret="other")
    assert error_of(answer) == (400, "record_invalid")
    assert "opens another account" in answer.json()["error_attributes"]["api_key"][0]
    assert (await office.listed())[0]["api_key"] == "fake-key"


async def test_the_key_of_another_account_here_is_refused(office: Office) -> None:
    await office.new(**KEY)
    other = {**KEY, "api_key": "other-key", "include_in_summary": False}
    account_id = (await office.new(**other)).json()["id"]
    answer = await update(office, account_id=account_id, api_key="fake-key", secret="fake-secret")
    assert answer.status_code == 400
    assert answer.json()["error_attributes"]["api_key"] == ["This account is already connected!"]


async def test_a_good_key_unlocks_an_account(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    good, office.venue.answer = (
        office.venue.answer,
        ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key", code="-2015"),
    )
    for _ in range(2):
        await office.load(account_id)
    assert (await office.listed())[0]["is_locked"] is True
    office.venue.answer = good
    answer = await update(office, account_id=account_id, api_key="other-key", secret="other")
    assert answer.json()["is_locked"] is False
    assert answer.json()["lock_reason"] is None


async def test_name_and_summary_need_no_exchange(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    asked = len(office.venue.opened)
    answer = await update(office, account_id=account_id, name="Renamed", include_in_summary=False)
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "Renamed"
    assert answer.json()["include_in_summary"] is False
    assert len(office.venue.opened) == asked


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"account_id": "x"}, "account_id"),
        ({"name": "M"}, "name"),
        ({"api_key": ""}, "api_key"),
        ({"passphrase": "not-asked-for"}, "passphrase"),
    ],
)
async def test_what_cannot_be_changed_is_named_and_nothing_is(
    office: Office, changes: dict[str, Any], field: str
) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    answer = await update(office, **{"account_id": account_id, **changes})
    assert error_of(answer) == (400, "record_invalid")
    assert field in answer.json()["error_attributes"]
    assert (await office.listed())[0]["name"] == "Main"


async def test_a_wallet_has_no_key(office: Office) -> None:
    account_id = (await office.new(type="bitcoin_wallet", name="Cold", address=BITCOIN)).json()[
        "id"
    ]
    answer = await update(office, account_id=account_id, api_key="fake-key")
    assert "is not asked for" in answer.json()["error_attributes"]["api_key"][0]
    other = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
    answer = await update(office, account_id=account_id, address=other)
    assert "another wallet" in answer.json()["error_attributes"]["address"][0]


async def test_another_users_account_is_not_changed(office: Office) -> None:
    account_id = (await office.new(**KEY)).json()["id"]
    bob = await office.api.caller("bob", ("accounts_read", "accounts_write"))
    body = json.dumps({"account_id": account_id, "name": "Mine"})
    answer = await office.api.post(bob, UPDATE, body, _JSON)
    assert error_of(answer) == (404, "not_found")
