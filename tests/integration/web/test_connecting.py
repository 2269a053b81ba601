"""Connecting at the pages: chosen, checked at the venue, and only then stored."""

import asyncio
import re

import pytest
from sqlalchemy import select

from bank import KEY, Bank
from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.keyrights import KeyRights
from coffers.store.engine import Store
from coffers.store.tables import errands as table
from factories import NOW
from pages import opened

BITCOIN = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
XPUB = (
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7"
    "usUDFdp6W1EGMcet8"
)
XPRV = (
    "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TG"
    "tRBeJgk33yuGBxrMPHi"
)
"""The published keys of BIP-32's first vector."""


async def shown(bank: Bank, path: str) -> str:
    answer = await bank.pages.http.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_all_markets_are_there_to_choose_from(bank: Bank) -> None:
    listed = await shown(bank, "/connect")
    for code in ("binance", "kraken", "bitcoin_wallet", "manual", "paper_trading"):
        assert f'href="/connect/{code}"' in listed
    assert "binance_tr" not in listed


async def test_a_search_finds_by_name_without_a_script(bank: Bank) -> None:
    found = await shown(bank, "/connect?q=Bitcoin+wallet")
    assert set(re.findall('href="/connect/([^"]+)"', found)) == {
        "bitcoin_wallet",
        "bitcoin_cash_wallet",
    }
    assert "BitMEX" in await shown(bank, "/connect?q=bitmex")
    assert "Did you mean" in await shown(bank, "/connect?q=krakn")
    odd = await shown(bank, "/connect?q=%3Cb%3Eodd")
    assert "<b>odd" not in odd


async def test_every_market_has_an_icon(bank: Bank) -> None:
    for code in ("binance", "bitcoin_wallet", "manual"):
        icon = await bank.pages.http.get(f"/img/exchanges/{code}.svg")
        assert icon.headers["content-type"].startswith("image/svg")


async def test_a_form_asks_what_its_market_needs(bank: Bank) -> None:
    form = await shown(bank, "/connect/kucoin")
    assert 'name="passphrase" type="password"' in form
    assert "How to make the key" in form
    assert 'name="secret"' not in await shown(bank, "/connect/hyperliquid")
    for code in ("nothing", "binance_tr"):
        assert (await bank.pages.http.get(f"/connect/{code}")).status_code == 404


async def test_a_check_tells_each_right_and_what_lies_there_and_stores_nothing(bank: Bank) -> None:
    where, found = await bank.found(**KEY)
    assert re.search(r"Withdraw</th>.*has not.*as it should be", found, re.DOTALL)
    assert "25,000.00 USD" in found
    assert "ODD" in found
    assert "fake-secret" not in found + where
    assert await bank.accounts() == []


async def test_what_was_checked_is_connected_and_read(bank: Bank) -> None:
    where, _ = await bank.found(**KEY)
    answer = await bank.pages.send(where)
    (account,) = await bank.accounts()
    assert answer.headers["location"] == f"/accounts/{account.id}?done=connected"
    assert (account.name, account.market_code) == ("Main", "binance")
    assert account.sync.read_at is not None
    assert (await bank.pages.http.get(where)).status_code == 404


@pytest.mark.parametrize("also", [{}, {"also_binance_margin": "1"}])
async def test_a_second_press_leads_to_what_the_first_one_connected(
    bank: Bank, also: dict[str, str]
) -> None:
    where, _ = await bank.found(**KEY, **also)
    key = await bank.pages.key()
    answers = await asyncio.gather(*(bank.pages.post(where, form_key=key) for _ in range(2)))
    made = await bank.accounts()
    page = "/" if also else f"/accounts/{made[0].id}"
    assert [answer.headers["location"].partition("?")[0] for answer in answers] == [page] * 2
    assert len(made) == 1 + len(also)


async def test_a_key_that_was_connected_meanwhile_is_told_where_some_is_left(bank: Bank) -> None:
    where, _ = await bank.found(**KEY, also_binance_margin="1")
    await bank.connected(**KEY)
    refused = await bank.pages.send(where)
    assert refused.status_code == 400
    assert "already connected" in refused.text


async def test_a_key_that_may_withdraw_is_told_and_not_connected(bank: Bank) -> None:
    bank.venue.key_rights = KeyRights(read=True, trade=True, withdraw=True)
    where, found = await bank.found(**KEY)
    assert "nobody needs that here: take it away" in found
    assert "This key may withdraw" in found
    assert ">Connect</button>" not in found
    answer = await bank.pages.send(where)
    assert (answer.status_code, await bank.accounts()) == (400, [])


async def test_what_the_venue_does_not_tell_is_said(bank: Bank) -> None:
    bank.venue.key_rights = KeyRights()
    _, found = await bank.found(**KEY)
    assert "look yourself that it cannot" in found


async def test_one_key_connects_several_markets(bank: Bank) -> None:
    where, found = await bank.found(**KEY, also_binance_margin="1")
    assert "Main Binance Margin" in found
    answer = await bank.pages.send(where)
    assert answer.headers["location"] == "/?done=connected"
    assert len(await bank.accounts()) == 2


async def test_a_refused_key_is_told_at_its_field_and_the_secret_is_not_sent_back(
    bank: Bank,
) -> None:
    bank.venue.key_rights = ConnectorFailure(FailureKind.KEY_REFUSED, "Binance refused the key.")
    answer = await bank.check(**KEY)
    assert answer.status_code == 200
    assert "API key: Binance refused the key." in answer.text
    assert 'value="fake-key"' in answer.text
    assert "fake-secret" not in answer.text


async def test_a_venue_that_is_down_is_told_with_what_to_do(bank: Bank) -> None:
    bank.venue.key_rights = ConnectorFailure(FailureKind.VENUE_DOWN, "Binance is down.")
    answer = await bank.check(**KEY)
    assert "Binance is down." in answer.text
    assert "Nothing is wrong with what you entered" in answer.text


async def test_faults_of_fields_are_told_before_anybody_is_asked(bank: Bank) -> None:
    answer = await bank.check(name="M", api_key="", secret="x")
    assert answer.status_code == 400
    assert "Name: is too short" in answer.text
    assert bank.venue.opened == []


async def test_the_same_key_twice_leads_to_the_account_that_has_it(bank: Bank) -> None:
    where, _ = await bank.found(**KEY)
    await bank.pages.send(where)
    (account,) = await bank.accounts()
    answer = await bank.check(**KEY)
    assert "already connected" in answer.text
    assert f'href="/accounts/{account.id}"' in answer.text


async def test_a_check_under_way_tells_how_far_it_is(sqlite_store: Store) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        where = (await pages.send("/connect/binance", **KEY)).headers["location"]
        pages.api.clock.advance(3_000)
        page = (await pages.http.get(where)).text
        assert "Waiting for a worker" in page
        assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in page
        assert f'href="{where}">Look again' in page
        told = (await pages.http.get(f"{where}/progress")).json()
        assert told == {"is_over": False, "state": "Waiting for a worker…", "seconds": 3}
        # What is not found yet cannot be said yes to.
        assert (await pages.send(where)).headers["location"] == where
        assert "fake-secret" not in page
        assert (await pages.send(f"{where}/drop")).headers["location"] == "/connect?done=dropped"
        assert (await pages.http.get(f"{where}/progress")).status_code == 404


async def test_without_a_worker_that_is_said_however_often_one_looks(sqlite_store: Store) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        where = (await pages.send("/connect/binance", **KEY)).headers["location"]
        pages.api.clock.advance(6_000)
        for _ in range(2):
            assert (await pages.http.get(f"{where}/progress")).json() == {"is_over": True}
            answer = await pages.http.get(where)
            assert "No worker is at work" in answer.text
            assert 'value="fake-key"' in answer.text
            assert "fake-secret" not in answer.text
        assert (await pages.send(where)).headers["location"] == where


async def test_too_many_checks_under_way_are_refused(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.portfolio.errands.MOST_OPEN", 1)
    async with opened(sqlite_store) as pages:
        await pages.begin()
        assert (await pages.send("/connect/binance", **KEY)).status_code == 303
        refused = await pages.send("/connect/binance", **KEY)
        assert refused.status_code == 429
        assert "not done yet" in refused.text
        assert "fake-secret" not in refused.text


async def test_a_check_that_its_worker_leaves_is_given_up(sqlite_store: Store) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        where = (await pages.send("/connect/binance", **KEY)).headers["location"]
        async with sqlite_store.transaction() as tx:
            await tx.errands.take("whoever", NOW, Millis(NOW + 120_000))
        pages.api.clock.advance(119_000)
        assert "Asking what is there" in (await pages.http.get(where)).text
        pages.api.clock.advance(2_000)
        assert "did not answer in time" in (await pages.http.get(where)).text


async def test_what_was_checked_is_sealed_bound_to_its_user_and_forgotten(bank: Bank) -> None:
    where, _ = await bank.found(**KEY)
    store = bank.pages.api.services.store
    async with store.connection(is_reading=True) as connection:
        rows = (await connection.execute(select(table).where(table.c.kind == "checked"))).all()
    assert len(rows) == 1
    assert b"fake-secret" not in rows[0].blob
    assert "fake-secret" not in rows[0].outcome
    bank.pages.http.cookies.clear()
    async with store.transaction() as tx:
        await tx.users.add("bob", NOW)
    code = await bank.pages.signing.ticket_for("bob")
    assert (await bank.pages.post("/sign-in", code=code)).status_code == 303
    assert (await bank.pages.http.get(where)).status_code == 404
    assert (await bank.pages.send(where)).status_code == 404


async def test_what_was_checked_is_gone_after_a_while_or_at_a_word(bank: Bank) -> None:
    where, _ = await bank.found(**KEY)
    dropped = await bank.pages.send(f"{where}/drop")
    assert dropped.headers["location"] == "/connect?done=dropped"
    for gone in (await bank.pages.send(f"{where}/drop"), await bank.pages.http.get(where)):
        assert gone.status_code == 404
        assert "What was checked is not kept any more" in gone.text
        assert 'class="button" href="/connect"' in gone.text
    where, _ = await bank.found(**KEY)
    bank.pages.api.clock.advance(16 * 60_000)
    assert (await bank.pages.http.get(where)).status_code == 404


async def test_a_wallet_is_checked_and_connected(bank: Bank) -> None:
    where, found = await bank.found("bitcoin_wallet", name="Cold", address=f" {BITCOIN} ")
    assert BITCOIN in found
    assert "What the key may do" not in found
    await bank.pages.send(where)
    (account,) = await bank.accounts()
    assert (account.address, account.include_in_summary) == (BITCOIN, False)


async def test_a_wallet_is_connected_though_no_node_answers(bank: Bank) -> None:
    bank.venue.answer = ConnectorFailure(FailureKind.UNREACHABLE, "No node of Bitcoin answered.")
    where, found = await bank.found("bitcoin_wallet", name="Cold", address=BITCOIN)
    assert "No node of Bitcoin answered." in found
    assert "could not be read now" in found
    answer = await bank.pages.send(where)
    assert "Connected, and not read yet" in await shown(bank, answer.headers["location"])
    (account,) = await bank.accounts()
    assert account.sync.read_at is None


async def test_a_wrong_address_is_told_at_its_field(bank: Bank) -> None:
    answer = await bank.check("bitcoin_wallet", name="Cold", address=f"{BITCOIN}x")
    assert "Address:" in answer.text


@pytest.mark.parametrize(
    ("code", "text", "is_good", "told"),
    [
        ("bitcoin_wallet", BITCOIN, True, "an address of Bitcoin"),
        ("bitcoin_wallet", f"{BITCOIN}x", False, ""),
        ("bitcoin_wallet", XPUB, True, "extended public key"),
        ("bitcoin_wallet", f"wpkh({XPUB}/0/*)", True, "output descriptor"),
        ("bitcoin_wallet", XPRV, False, "private"),
        ("ethereumwallet", "0x742d35Cc6634C0532925a3b844Bc454e4438f44e", True, "of Ethereum"),
        ("ethereumwallet", "0x742d35cC6634C0532925a3b844Bc454e4438f44e", False, "checksum"),
        ("ethereumwallet", "vitalik.eth", True, "a name"),
        ("ethereumwallet", BITCOIN, False, "Bitcoin"),
        ("ethereum_validators", "1, 2", True, "2 validators"),
        ("bitcoin_wallet", " ", False, "missing"),
        ("bitcoin_wallet", "1" * 5000, False, "too long"),
    ],
)
async def test_an_address_is_looked_at_while_it_is_typed(
    bank: Bank, code: str, text: str, told: str, *, is_good: bool
) -> None:
    answer = await bank.pages.send(f"/connect/{code}/looks", address=text)
    assert answer.json()["is_good"] is is_good
    assert told in answer.json()["told"]
    assert not text.strip() or text not in answer.text
    assert bank.venue.opened == []


async def test_only_wallets_are_looked_at_and_only_by_their_own_pages(bank: Bank) -> None:
    assert (await bank.pages.send("/connect/binance/looks", address="x")).status_code == 404
    answer = await bank.pages.post("/connect/bitcoin_wallet/looks", address=BITCOIN)
    assert answer.status_code == 400
