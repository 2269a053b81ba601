"""Connecting an exchange account: checked at the venue first, stored whole, or not at all."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from coffers.clock import Clock
from coffers.connectors.reading import (
    Connector,
    ConnectorFailure,
    Credentials,
    FailureKind,
    Reading,
    ReadRequest,
)
from coffers.errors import InvalidRecord
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.accounts import told_of
from coffers.portfolio.fields import FIELDS, tidied
from coffers.portfolio.naming import name_faults
from coffers.store.engine import Store, Transaction
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account, AuditEvent, NewAccount
from coffers.sync.credentials import credential_id, seal_credentials
from coffers.sync.overlap import same_money
from coffers.vault.vault import Vault

STORED_FIELDS = frozenset(FIELDS)
"""The credentials that can be stored; a market that needs others cannot be connected."""

_REFUSED = {FailureKind.KEY_REFUSED, FailureKind.PERMISSION_DENIED}

KeyPolicy = Literal["refuse_withdraw", "accept_all"]


class KeyRefused(InvalidRecord):
    """The venue refused the key that should be connected."""

    def __init__(self, failure: ConnectorFailure, market: Market) -> None:
        super().__init__({_proof(market): [str(failure)]})


class CountedTwice(InvalidRecord):
    """Another account of the user holds the same money already."""

    def __init__(self, account: Account, market: Market, shared: str | None) -> None:
        same = f"reads the {shared} that" if shared else "is the account that"
        sentence = (
            f"{same} account {account.id} ({account.name}) has already, so that {market.name} "
            "would count it twice; leave one of the two out of the summary"
        )
        super().__init__({"market_code": [sentence], "account_id": [str(account.id)]})
        self.args = (f"{market.name} {sentence}",)
        self.account_id = account.id


@dataclass(frozen=True, slots=True)
class Connection:
    """What a user gives to connect an account."""

    user_id: int
    market_code: str
    name: str
    credentials: Credentials
    include_in_summary: bool = True


@dataclass(frozen=True, slots=True)
class _Seen:
    """A connection that its venue has answered for; `told` is what identifies the account there."""

    asked: Connection
    market: Market
    rights: KeyRights
    told: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a venue answered for credentials that are not stored.

    `over_policy` says by field why they may not be stored, if the key may do too much.
    """

    market: Market
    rights: KeyRights
    reading: Reading
    over_policy: Mapping[str, list[str]]


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
        (account,) = await self.connect_all([asked])
        return account

    async def connect_all(self, asked: Sequence[Connection]) -> list[Account]:
        """Check every connection at its venue, then store them all, or none.

        Raises:
            InvalidRecord, ConnectorFailure: as `connect`.
        """
        found = [accepted(each, self._catalogue) for each in asked]
        seen = [await self._checked(market, each) for market, each in found]
        async with self._store.transaction() as tx:
            return [await self._store_account(tx, each) for each in seen]

    async def check(self, asked: Connection) -> Checked:
        """Return what `connect` would find, and store nothing.

        A key that may do too much is told with its rights, and not refused; `over_policy` says so.

        Raises:
            InvalidRecord, ConnectorFailure: as `connect`.
        """
        market, asked = accepted(asked, self._catalogue)
        await self._refuse_double(asked)
        found = await self.found(market, asked.credentials)
        await self._refuse_overlap(asked, market, found.reading)
        return found

    async def found(self, market: Market, credentials: Credentials) -> Checked:
        """Return what a key may do and what it reads, also where it may do too much.

        Raises:
            InvalidRecord, ConnectorFailure: as `look`.
        """
        with _as_refusal(market, credentials):
            rights = await self._connector.rights(market, credentials)
            reading = await self.read(market, credentials)
        return Checked(market, rights, reading, self._over_policy(rights))

    async def read(self, market: Market, credentials: Credentials) -> Reading:
        """Return what lies in an account that is not connected yet.

        Raises:
            ConnectorFailure: when the venue gave no reading.
        """
        return await self._connector.read(market, credentials, ReadRequest(flows_since=None))

    async def _checked(self, market: Market, asked: Connection) -> _Seen:
        await self._refuse_double(asked)
        rights, reading = await self.look(market, asked.credentials)
        # Once more: the same key may have been connected while the venue was asked.
        await self._refuse_double(asked)
        await self._refuse_overlap(asked, market, reading)
        return _Seen(asked, market, rights, reading.identity)

    async def _refuse_double(self, asked: Connection) -> None:
        async with self._store.reading() as tx:
            for account in await tx.accounts.of_user(asked.user_id):
                is_same = account.market_code == asked.market_code and _same_key(account, asked)
                if is_same and account.mode == "real":
                    raise AlreadyConnected(account.id)

    async def _refuse_overlap(self, asked: Connection, market: Market, reading: Reading) -> None:
        """Refuse what another account counts already, unless it is left out of the summary."""
        if not asked.include_in_summary:
            return
        async with self._store.reading() as tx:
            accounts = await tx.accounts.of_user(asked.user_id)
        if account := same_money(accounts, self._catalogue, market, reading):
            raise CountedTwice(account, market, reading.shared_wallet)

    async def look(self, market: Market, credentials: Credentials) -> tuple[KeyRights, Reading]:
        """Return what a key may do and what it reads, which shows that it can read.

        Raises:
            InvalidRecord: for a key that the venue refuses, or that may do too much.
            ConnectorFailure: when the venue could not be asked.
        """
        with _as_refusal(market, credentials):
            rights = await self._connector.rights(market, credentials)
            if faults := self._over_policy(rights):
                raise InvalidRecord(faults)
            return rights, await self.read(market, credentials)

    def _over_policy(self, rights: KeyRights) -> dict[str, list[str]]:
        """Return by field why what a key may do forbids to connect it; empty where nothing does."""
        if rights.read is False:
            return {"api_key": ["may not read the account; allow reading"]}
        if rights.withdraw and self._policy == "refuse_withdraw":
            told = (
                "may withdraw: make one that cannot, since this server never withdraws "
                "(or set COFFERS_KEY_POLICY=accept_all)"
            )
            return {"api_key": [told]}
        return {}

    async def _store_account(self, tx: Transaction, seen: _Seen) -> Account:
        asked, market, credentials = seen.asked, seen.market, seen.asked.credentials
        new = NewAccount(
            user_id=asked.user_id,
            market_code=market.code,
            name=asked.name.strip(),
            api_key=credentials.api_key,
            customer_id=credentials.customer_id,
            subaccount_name=credentials.subaccount_name,
            address=credentials.address,
            include_in_summary=asked.include_in_summary,
            rights=seen.rights,
        )
        own = credential_id(market, credentials)
        identity = f"{own}:{credentials.subaccount_name or ''}"
        now = self._clock.now()
        account = await tx.accounts.add(new, identity=identity, credential_id=own, now=now)
        sealed = seal_credentials(self._vault, account.user_id, account.id, credentials)
        await tx.secrets.put(account.user_id, account.id, sealed)
        if seen.told is not None:
            await tx.accounts.record_venue_identity(account.user_id, account.id, seen.told)
        await tx.audit.add(
            AuditEvent(asked.user_id, now, "account_connected", str(account.id), market.code)
        )
        await tx.events.add(account.user_id, [told_of(account, "account_connected", now)])
        return account


@contextmanager
def _as_refusal(market: Market, credentials: Credentials) -> Iterator[None]:
    """Turn failures that the credentials are to blame for into refusals that name the field."""
    try:
        yield
    except ConnectorFailure as failure:
        if failure.kind in _REFUSED:
            raise KeyRefused(failure, market) from failure
        if credentials.subaccount_name and failure.kind is FailureKind.UNSUPPORTED:
            raise InvalidRecord({"subaccount_name": [str(failure)]}) from failure
        raise


def checked(asked: Connection, catalogue: Catalogue) -> Market:
    """Return the market of a connection whose every field is acceptable.

    Raises:
        InvalidRecord: naming every field that is not, and why.
    """
    return accepted(asked, catalogue)[0]


def accepted(asked: Connection, catalogue: Catalogue) -> tuple[Market, Connection]:
    """Return the market of a connection, and the connection with each credential in its form.

    Raises:
        InvalidRecord: naming every field that cannot be accepted, and why.
    """
    market = catalogue.get(asked.market_code)
    faults = _market_faults(asked, market, catalogue) | name_faults(asked.name.strip())
    if market is None or "market_code" in faults:
        raise InvalidRecord(faults)
    credentials, wrong = tidied(asked.credentials, market)
    if faults | wrong:
        raise InvalidRecord(faults | wrong)
    return market, replace(asked, credentials=credentials)


def _market_faults(
    asked: Connection, market: Market | None, catalogue: Catalogue
) -> dict[str, list[str]]:
    if market is None:
        near = catalogue.suggest(asked.market_code)
        hint = f"; did you mean {near}?" if near else ""
        return {"market_code": [f"does not have a valid value{hint}"]}
    if market.venue is None:
        return {"market_code": ["has no exchange that accounts can be connected to"]}
    if lacking := sorted(set(market.required_fields) - STORED_FIELDS):
        return {"market_code": [f"needs {', '.join(lacking)}, which cannot be kept here yet"]}
    return {}


def _same_key(account: Account, asked: Connection) -> bool:
    """Return whether an account has the same key, as far as anything public names it."""
    given = asked.credentials
    if not (given.api_key or given.address):
        return False
    ours = (account.api_key, account.address, account.subaccount_name)
    return ours == (given.api_key, given.address, given.subaccount_name)


def _proof(market: Market) -> str:
    """Return the field that a refused key was given in."""
    known = ("api_key", "secret", "address")
    return next((name for name in known if name in market.required_fields), "api_key")
