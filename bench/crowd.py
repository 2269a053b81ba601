"""Very many accounts at one venue of the sandbox, connected as `coffers` connects them."""

from dataclasses import dataclass

import httpx

from coffers.clock import SystemClock
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market, load_catalogue
from coffers.portfolio.users import Users
from coffers.sandbox.demo import demo_keys
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.records import NewAccount
from coffers.sync.credentials import credential_id, seal_credentials
from coffers.vault.vault import Vault

VENUE = "binance"
A_USERS = 100
"""Accounts of each user."""

UNLIMITED = 10**12


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the crowd, with its made-up key."""

    user_id: int
    account_id: int
    key: str
    secret: str


async def seed_crowd(store: Store, vault: Vault, sandbox_url: str, count: int) -> list[Member]:
    """Open so many accounts at the sandbox and connect each; all are due."""
    keys = await _opened(sandbox_url, count)
    market = load_catalogue().get(VENUE)
    if market is None:
        raise RuntimeError("the catalogue has no market to measure with")
    members: list[Member] = []
    for start in range(0, count, A_USERS):
        user = await Users(store, SystemClock()).add(f"crowd{start}")
        async with store.transaction() as tx:
            members += [
                await _connected(tx, vault, market, user.id, key)
                for key in keys[start : start + A_USERS]
            ]
    return members


async def _opened(sandbox_url: str, count: int) -> list[Credentials]:
    async with httpx.AsyncClient(base_url=f"{sandbox_url}/_sandbox", timeout=60) as sandbox:
        budget = {"per_minute": UNLIMITED, "wallet_per_minute": UNLIMITED}
        limit = await sandbox.post("/limit", json=budget)
        order = {"venue": VENUE, "like": demo_keys()[0].key, "count": count}
        made = await sandbox.post("/keys/crowd", json=order)
        limit.raise_for_status()
        made.raise_for_status()
        return [Credentials(each["key"], Secret(each["secret"])) for each in made.json()]


async def _connected(
    tx: Transaction, vault: Vault, market: Market, user_id: int, credentials: Credentials
) -> Member:
    key = credentials.api_key
    account = await tx.accounts.add(
        NewAccount(user_id, market.code, key, api_key=key),
        identity=key,
        credential_id=credential_id(market, credentials),
        now=SystemClock().now(),
    )
    sealed = seal_credentials(vault, user_id, account.id, credentials)
    await tx.secrets.put(user_id, account.id, sealed)
    return Member(user_id, account.id, key, credentials.secret.reveal())
