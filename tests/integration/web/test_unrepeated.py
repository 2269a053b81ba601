"""A seed phrase or a private key that is pasted where it does not belong is on no page again."""

import pytest

from coffers.store.engine import Store
from coffers.sync.assets import note_assets
from factories import NOW
from pages import opened
from served import add_book

PHRASE = "gain tool slab sun run owl fog ivy lamp salt pond wolf"
KEY = "0x" + "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
READING = {"may_accounts_read": "on", "kind": "hmac", "expires_at": "90d"}
ROW = {"name": "By hand", "code_1": "BTC", "amount_1": "1"}
TOKEN = "cosmos:ibc/" + "A" * 64
"""What a token is called that is no secret, though it has as many hex digits."""


@pytest.mark.parametrize("secret", [PHRASE, KEY])
@pytest.mark.parametrize(
    ("path", "form", "field"),
    [
        ("/connect/binance", {"secret": "fake-secret"}, "name"),
        ("/connect/hyperliquid", {"name": "Perps"}, "address"),
        ("/connect/bitcoin_wallet", {"name": "Savings"}, "address"),
        ("/connect/manual", ROW, "name"),
        ("/connect/manual", ROW, "code_1"),
        ("/connect/paper_trading", ROW, "code_1"),
        ("/portfolios/new", {}, "name"),
        ("/tokens/new", READING, "name"),
    ],
)
async def test_a_secret_is_refused_and_not_shown_again(
    sqlite_store: Store, path: str, form: dict[str, str], field: str, secret: str
) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        await note_assets(sqlite_store, await add_book(sqlite_store), NOW)
        refused = await pages.send(path, **{**form, field: secret})
        assert refused.status_code == 400
        assert secret not in refused.text
        async with sqlite_store.reading() as tx:
            # Not even sealed, for a worker to refuse it.
            assert not await tx.errands.count_open((await pages.user()).id, NOW)
        for name, text in form.items():
            is_shown = name in {"name", "amount_1"} and name != field
            assert not is_shown or f'value="{text}"' in refused.text


async def test_what_has_a_fault_and_is_no_secret_can_be_mended(sqlite_store: Store) -> None:
    async with opened(sqlite_store) as pages:
        await pages.begin()
        rows = {"code_1": TOKEN, "amount_1": "many", "name": "x"}
        refused = await pages.send("/connect/manual", **rows)
        assert refused.status_code == 400
        for text in rows.values():
            assert f'value="{text}"' in refused.text
