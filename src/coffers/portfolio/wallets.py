"""Connecting a wallet by its address: the address is checked, nothing secret is taken."""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from coffers.clock import Clock
from coffers.connectors.reading import Credentials
from coffers.errors import InvalidRecord
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.accounts import told_of
from coffers.portfolio.naming import name_faults
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account, AuditEvent, NewAccount
from coffers.sync.credentials import seal_credentials
from coffers.vault.vault import Vault

LONGEST_ADDRESS = 4_096
"""Output descriptors of many keys are the longest."""

_LOOKS = KeyRights(read=True, trade=False, withdraw=False)


class Addresses(Protocol):
    """Where the addresses of a chain are checked, and names are looked up."""

    async def resolved(self, market: Market, text: str) -> str:
        """Return the canonical address of an address or a name."""
        ...

    def overlaps(self, market: Market, one: str, other: str) -> bool:
        """Return whether two canonical addresses hold some of the same money."""
        ...


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a user gives to connect a wallet: an address, a name of the chain's, or a public key."""

    user_id: int
    market_code: str
    name: str
    address: str
    include_in_summary: bool = True


class ConnectingWallets:
    """Connects wallets; their first reading is for whoever asked to wait for."""

    def __init__(
        self, store: Store, vault: Vault, catalogue: Catalogue, addresses: Addresses, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._addresses = addresses
        self._clock = clock

    async def connect(self, asked: Wallet) -> Account:
        """Check the address and store the wallet, due to be read at once.

        No node needs to answer for that, unless a name is to be looked up.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted; `AddressRefused` and
                `AlreadyConnected` among them.
            ConnectorFailure: when a name could not be looked up.
        """
        market, address, seen = await self._found(asked)
        own = hashlib.sha256(f"{market.chain}\0{address}".encode()).hexdigest()[:32]
        new = NewAccount(
            user_id=asked.user_id,
            market_code=market.code,
            name=asked.name.strip(),
            address=address,
            include_in_summary=asked.include_in_summary,
            rights=_LOOKS,
        )
        now = self._clock.now()
        async with self._store.transaction() as tx:
            ids = {each.id for each in seen}
            others = await tx.accounts.of_user(asked.user_id)
            self._refuse_overlap(market, address, [one for one in others if one.id not in ids])
            account = await tx.accounts.add(new, identity=own, credential_id=own, now=now)
            nothing = Credentials("", Secret(""), address=address)
            sealed = seal_credentials(self._vault, account.user_id, account.id, nothing)
            await tx.secrets.put(account.user_id, account.id, sealed)
            await tx.audit.add(
                AuditEvent(asked.user_id, now, "account_connected", str(account.id), market.code)
            )
            await tx.events.add(account.user_id, [told_of(account, "account_connected", now)])
        return account

    async def check(self, asked: Wallet) -> tuple[Market, str]:
        """Return the market and the canonical address that `connect` would store, and store none.

        Raises:
            InvalidRecord, ConnectorFailure: as `connect`.
        """
        market, address, _ = await self._found(asked)
        return market, address

    async def _found(self, asked: Wallet) -> tuple[Market, str, list[Account]]:
        """Return the market, the address, and the accounts that it was held against."""
        market = wallet_market(asked, self._catalogue)
        address = await self._addresses.resolved(market, asked.address)
        async with self._store.reading() as tx:
            seen = await tx.accounts.of_user(asked.user_id)
        # Keys are derived for that, so not on the loop and in no transaction.
        await asyncio.to_thread(self._refuse_overlap, market, address, seen)
        return market, address, seen

    def _refuse_overlap(self, market: Market, address: str, accounts: Iterable[Account]) -> None:
        """Refuse an address whose money is, wholly or in part, that of another account."""
        for account in accounts:
            if account.market_code != market.code or account.mode != "real":
                continue
            if account.address and self._addresses.overlaps(market, account.address, address):
                raise AlreadyConnected(account.id)


def wallet_market(asked: Wallet, catalogue: Catalogue) -> Market:
    """Return the market of a wallet whose fields are acceptable as far as they tell by themselves.

    Raises:
        InvalidRecord: naming every field that is not, and why.
    """
    faults = name_faults(asked.name.strip())
    market = catalogue.get(asked.market_code)
    if market is None or market.chain is None:
        near = catalogue.suggest(asked.market_code)
        hint = f"; did you mean {near}?" if near and market is None else ""
        why = "does not have a valid value" if market is None else "is no chain's wallet"
        faults["market_code"] = [f"{why}{hint}"]
    if not asked.address.strip():
        faults["address"] = ["is missing"]
    elif len(asked.address) > LONGEST_ADDRESS:
        faults["address"] = ["is invalid"]
    if faults or market is None:
        raise InvalidRecord(faults)
    return market
