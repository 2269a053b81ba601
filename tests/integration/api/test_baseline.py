"""What the benchmark compares the list with: the same accounts and worths, by a framework alone."""

from decimal import Decimal

import httpx
from bench.baseline.app import make_app
from sqlalchemy import create_engine

from coffers.store.engine import Store
from served import HOST, LIST, add_account, add_book, serving


async def test_it_tells_what_the_list_tells_of_worths(sqlite_store: Store) -> None:
    async with serving(sqlite_store) as api:
        caller = await api.caller()
        await add_account(sqlite_store, caller.user, "One", held={"BTC": "0.5", "USDT": "100"})
        await add_account(sqlite_store, caller.user, "Two", held={"ETH": "2"})
        await add_book(sqlite_store)
        told = (await api.get(caller)).json()
        engine = create_engine(sqlite_store.url)
        app = make_app(engine, api.services.vault, api.services.catalogue)
        baseline = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=baseline, base_url=f"http://{HOST}") as http:
            answer = await http.get(LIST, headers=caller.headers(LIST))
        engine.dispose()
    assert answer.status_code == httpx.codes.OK
    of_both = [
        [
            (each["id"], Decimal(each["btc_amount"]), Decimal(each["usd_amount"]))
            for each in accounts
        ]
        for accounts in (told, answer.json())
    ]
    assert of_both[0] == of_both[1]
    assert [list(account) for account in told] == [list(account) for account in answer.json()]
