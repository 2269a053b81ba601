"""The user behind a token: permissions and mode, on both databases."""

import httpx
import pytest

from coffers.store.engine import Store
from served import LIST, Caller, Served, add_account, serving

USERS = "/public/api/ver1/users"
WRITER = ("accounts_read", "accounts_write")


async def test_a_token_may_ask_what_it_may_do(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=("accounts_read", "bots_read"))
        nothing = await api.caller("bob", ())
        answer = await api.get(caller, f"{USERS}/permissions_info")
        none = await api.get(nothing, f"{USERS}/permissions_info")
    assert answer.json() == {
        "ACCOUNTS_READ": True,
        "ACCOUNTS_WRITE": False,
        "BOTS_READ": True,
        "BOTS_WRITE": False,
        "SMART_TRADES_READ": False,
        "SMART_TRADES_WRITE": False,
    }
    assert (none.status_code, set(none.json().values())) == (200, {False})


async def test_a_mode_is_kept_until_it_is_changed_and_a_header_wins(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=WRITER)
        other = await api.caller(permissions=("accounts_read",))
        for name in ("real", "paper"):
            await add_account(store, caller.user, name, mode=name)
        assert (await api.get(caller, f"{USERS}/current_mode")).json() == {"mode": "real"}
        answer = await api.post(caller, f"{USERS}/change_mode", '{"mode": "paper"}')
        assert (answer.status_code, answer.text) == (201, "true")
        for each in (caller, other):
            assert (await api.get(each, f"{USERS}/current_mode")).json() == {"mode": "paper"}
            assert [row["name"] for row in (await api.get(each)).json()] == ["paper"]
        forced = {"Forced-Mode": "real"}
        assert (await api.get(caller, f"{USERS}/current_mode", forced)).json() == {"mode": "real"}
        assert [row["name"] for row in (await api.get(caller, LIST, forced)).json()] == ["real"]
        assert (await api.get(caller, f"{USERS}/current_mode")).json() == {"mode": "paper"}


async def test_what_is_forced_is_not_kept(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        forced = {"Forced-Mode": "paper"}
        await api.post(caller, f"{USERS}/change_mode?mode=real", headers=forced)
        assert (await api.get(caller, f"{USERS}/current_mode")).json() == {"mode": "real"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "is missing"),
        ("mode=", "does not have a valid value"),
        ('{"mode":"demo"}', "does not have a valid value"),
        ('{"mode":true}', "is invalid"),
    ],
)
async def test_a_mode_that_cannot_be(sqlite_store: Store, body: str, said: str) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller(permissions=WRITER)
        answer = await api.post(caller, f"{USERS}/change_mode", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "record_invalid")
    assert answer.json()["error_attributes"] == {"mode": [said]}


async def test_changing_the_mode_needs_a_permission(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        reader = await api.caller()
        answer = await api.post(reader, f"{USERS}/change_mode?mode=paper")
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
        assert (await api.get(reader, f"{USERS}/current_mode")).json() == {"mode": "real"}
        writer = await api.caller(permissions=("accounts_write",))
        assert (await api.get(writer, f"{USERS}/current_mode")).status_code == 403


async def test_who_changed_the_mode_can_be_asked_for_later(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=WRITER)
        await api.post(caller, f"{USERS}/change_mode?mode=paper")
        async with store.reading() as tx:
            event = (await tx.audit.of_user(caller.user.id))[0]
    assert (event.kind, event.details) == ("mode_chosen", "paper")


async def put(api: Served, caller: Caller, body: str) -> httpx.Response:
    target = f"{USERS}/locale"
    return await api.http.put(target, content=body, headers=caller.headers(target, body))


async def test_a_locale_translates_what_is_said_and_not_what_programs_match(store: Store) -> None:
    async with serving(store) as api:
        caller = await api.caller(permissions=WRITER)
        answer = await put(api, caller, '{"locale": "de"}')
        assert (answer.status_code, answer.json()) == (200, {"locale": "de"})
        missing = await api.post(caller, f"{USERS}/change_mode", "")
        unknown = await api.get(caller, f"{LIST}/999")
        page = await api.get(caller, f"{LIST}?page=0")
        stranger = await api.get(await api.caller("bob"), f"{LIST}/999")
    assert missing.json() == {
        "error": "record_invalid",
        "error_description": "Ungültige Parameter",
        "error_attributes": {"mode": ["fehlt"]},
    }
    assert unknown.json() == {"error": "not_found", "error_description": "Nicht gefunden"}
    assert page.json()["error_attributes"] == {"page": ["hat keinen gültigen Wert"]}
    assert stranger.json()["error_description"] == "Not Found"


@pytest.mark.parametrize(
    ("body", "said"), [("", "is missing"), ("locale=xx", "does not have a valid value")]
)
async def test_a_locale_that_there_is_not_is_refused(
    sqlite_store: Store, body: str, said: str
) -> None:
    async with serving(sqlite_store) as api:
        answer = await put(api, await api.caller(permissions=WRITER), body)
    assert answer.status_code == 400
    assert answer.json()["error_attributes"] == {"locale": [said]}
