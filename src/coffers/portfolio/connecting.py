"""Connecting an exchange account: checked at the venue first, stored whole, or not at all."""

from dataclasses import dataclass
from typing import Literal

from coffers.clock import Clock
from coffers.connectors.reading import (
    Connector,
    ConnectorFailure,
    Credentials,
    FailureKind,
    ReadRequest,
)
from coffers.errors import InvalidRecord
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.naming import name_faults
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account, AuditEvent, NewAccount
from coffers.sync.credentials import credential_id, seal_credentials
from coffers.vault.vault import Vault

KEY_LENGTHS = range(1, 4097)
STORED_FIELDS = frozenset({"api_key", "secret", "passphrase", "customer_id"})
"""The credentials that can be stored; a market that needs others cannot be connected."""

_REFUSED = {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED}

KeyPolicy = Literal["refuse_withdraw", "accept_all"]


class KeyRefused(InvalidRecord):
    """The venue refused the key that should be connected."""

    def __init__(self, failure: ConnectorFailure) -> None:
        super().__init__({"api_key": [str(failure)]})


@dataclass(frozen=True, slots=True)
class Connection:
    """What a user gives to connect an account."""

    user_id: int
    market_code: str
    name: str
    credentials: Credentials


class Connecting:
    """Connects exchange accounts and removes them."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        connector: Connector,
        clock: Clock,
        policy: KeyPolicy,
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._connector = connector
        self._clock = clock
        self._policy = policy

    async def connect(self, asked: Connection) -> Account:
        """Check the key at its venue and store the account, due to be read at once.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted; `AlreadyConnected`,
                `KeyRefused` among them.
            ConnectorFailure: when the venue could not be asked.
        """
        market = checked(asked, self._catalogue)
        await self._refuse_double(asked)
        rights = await self._rights(market, asked.credentials)
        return await self._store_account(asked, market, rights)

    async def _refuse_double(self, asked: Connection) -> None:
        async with self._store.reading() as tx:
            for account in await tx.accounts.of_user(asked.user_id):
                same = (account.market_code, account.api_key, account.subaccount_name) == (
                    asked.market_code,
                    asked.credentials.api_key,
                    asked.credentials.subaccount_name,
                )
                if same and account.mode == "real":
                    raise AlreadyConnected(account.id)

    async def _rights(self, market: Market, credentials: Credentials) -> KeyRights:
        """Return what the key may do, once it was seen that it reads this market."""
        try:
            rights = await self._connector.rights(market, credentials)
            self._apply_policy(rights)
            await self._connector.read(market, credentials, ReadRequest(flows_since=None))
        except ConnectorFailure as failure:
            if failure.kind in _REFUSED:
                raise KeyRefused(failure) from failure
            raise
        return rights

    def _apply_policy(self, rights: KeyRights) -> None:
        if rights.read is False:
            raise InvalidRecord({"api_key": ["may not read the account; allow reading"]})
        if rights.withdraw and self._policy == "refuse_withdraw":
            raise InvalidRecord(
                {
                    "api_key": [
                        (
                            "may withdraw: make one that cannot, since this server never withdraws "
                            "(or set COFFERS_KEY_POLICY=accept_all)"
                        )
                    ]
                }
            )

    async def _store_account(self, asked: Connection, market: Market, rights: KeyRights) -> Account:
        credentials = asked.credentials
        new = NewAccount(
            user_id=asked.user_id,
            market_code=market.code,
            name=asked.name.strip(),
            api_key=credentials.api_key,
            customer_id=credentials.customer_id,
            subaccount_name=credentials.subaccount_name,
            rights=rights,
        )
        own = credential_id(market, credentials.api_key)
        identity = f"{own}:{credentials.subaccount_name or ''}"
        now = self._clock.now()
        async with self._store.transaction() as tx:
            account = await tx.accounts.add(new, identity=identity, credential_id=own, now=now)
            sealed = seal_credentials(self._vault, account.user_id, account.id, credentials)
            await tx.secrets.put(account.user_id, account.id, sealed)
            await tx.audit.add(
                AuditEvent(asked.user_id, now, "account_connected", str(account.id), market.code)
            )
        return account


def checked(asked: Connection, catalogue: Catalogue) -> Market:
    """Return the market of a connection whose every field is acceptable.

    Raises:
        InvalidRecord: naming every field that is not, and why.
    """
    faults: dict[str, list[str]] = {}
    market = catalogue.get(asked.market_code)
    if market is None:
        near = catalogue.suggest(asked.market_code)
        hint = f"; did you mean {near}?" if near else ""
        faults["market_code"] = [f"does not have a valid value{hint}"]
    elif market.venue is None:
        faults["market_code"] = ["has no exchange that accounts can be connected to"]
    elif lacking := sorted(set(market.required_fields) - STORED_FIELDS):
        faults["market_code"] = [f"needs {', '.join(lacking)}, which cannot be kept here yet"]
    faults |= name_faults(asked.name.strip())
    faults |= _credential_faults(asked.credentials, market)
    if faults or market is None:
        raise InvalidRecord(faults)
    return market


def _credential_faults(credentials: Credentials, market: Market | None) -> dict[str, list[str]]:
    passphrase = credentials.passphrase
    given = {
        "api_key": credentials.api_key,
        "secret": credentials.secret.reveal(),
        "passphrase": passphrase.reveal() if passphrase else "",
        "customer_id": credentials.customer_id or "",
    }
    required = {"api_key"} if market is None else set(market.required_fields)
    faults: dict[str, list[str]] = {}
    for field, text in given.items():
        if field in required and not text:
            faults[field] = ["is missing"]
        # A secret may be a key in PEM, of several lines; the others are one word.
        elif text and (len(text) not in KEY_LENGTHS or (field == "api_key" and not _is_word(text))):
            faults[field] = ["is invalid"]
    return faults


def _is_word(text: str) -> bool:
    return text.isprintable() and not any(char.isspace() for char in text)
