"""Giving a connected account another key: it stays the same account, with its history."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from coffers.clock import Clock, Millis
from coffers.connectors.reading import Credentials, Reading
from coffers.errors import InvalidRecord, NotFound
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.accounts import told_of
from coffers.portfolio.connecting import Checked, Connecting, Connection, accepted
from coffers.portfolio.fields import unasked
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.events import NewEvent
from coffers.store.records import Account, AuditEvent
from coffers.sync.credentials import credential_id, open_credentials, seal_credentials
from coffers.sync.events import of_recovery, of_rights
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault


class Reconnecting:
    """Gives accounts other keys, checked at their venue first."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        catalogue: Catalogue,
        connecting: Connecting,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._catalogue = catalogue
        self._connecting = connecting
        self._clock = clock

    async def reconnect(self, user_id: int, account_id: int, given: Mapping[str, str]) -> Account:
        """Put the credentials that are given in the place of the account's, and keep the others.

        Args:
            user_id: whose account it is.
            account_id: which one.
            given: credentials by the names of `Credentials`.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted, such as the key of another
                account at the venue.
            NotFound: when this user has none of this id.
            ConnectorFailure: when the venue could not be asked.
        """
        account, market, asked = await self._asked(user_id, account_id, given)
        rights, reading = await self._connecting.look(market, asked.credentials)
        _check_owner(account, market, reading)
        own = credential_id(market, asked.credentials)
        identity = f"{own}:{asked.credentials.subaccount_name or ''}"
        now = self._clock.now()
        async with self._store.transaction() as tx:
            # Asking the venue takes a while, in which the account may have changed.
            before = await tx.accounts.held(user_id, account_id)
            if before is None:
                raise _no_account(account_id)
            await tx.accounts.take_over(user_id, account_id)
            changed = replace(
                before,
                api_key=asked.credentials.api_key,
                customer_id=asked.credentials.customer_id,
                subaccount_name=asked.credentials.subaccount_name,
                address=asked.credentials.address,
                rights=rights,
            )
            await tx.accounts.rekey(changed, identity=identity, credential_id=own, now=now)
            sealed = seal_credentials(self._vault, user_id, account_id, asked.credentials)
            await tx.secrets.put(user_id, account_id, sealed)
            await tx.audit.add(
                AuditEvent(user_id, now, "account_reconnected", str(account_id), market.code)
            )
            await tx.events.add(user_id, _events(before, changed, now))
        return changed

    async def check(self, user_id: int, account_id: int, given: Mapping[str, str]) -> Checked:
        """Return what `reconnect` would find, and store nothing.

        Raises:
            InvalidRecord, NotFound, ConnectorFailure: as `reconnect`.
        """
        account, market, asked = await self._asked(user_id, account_id, given)
        found = await self._connecting.found(market, asked.credentials)
        _check_owner(account, market, found.reading)
        return found

    async def _asked(
        self, user_id: int, account_id: int, given: Mapping[str, str]
    ) -> tuple[Account, Market, Connection]:
        account, sealed = await self._found(user_id, account_id, given)
        credentials = _merged(open_credentials(self._vault, account, sealed), given)
        asked = Connection(user_id, account.market_code, account.name, credentials)
        market, asked = accepted(asked, self._catalogue)
        return account, market, asked

    async def _found(
        self, user_id: int, account_id: int, given: Collection[str]
    ) -> tuple[Account, Sealed]:
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
            sealed = await tx.secrets.get(user_id, account_id)
        if account is None:
            raise _no_account(account_id)
        market = self._catalogue.get(account.market_code)
        if market is not None and market.chain is not None:
            raise InvalidRecord({name: [_of_wallet(market, name)] for name in given})
        if sealed is None or market is None or market.venue is None:
            raise InvalidRecord({"account_id": ["has no key that could be changed"]})
        return account, sealed


def _events(before: Account, after: Account, now: Millis) -> list[NewEvent]:
    told = [told_of(after, "account_reconnected", now)]
    # What went wrong with the key before is forgotten: no reading will tell that it is over.
    return [*told, *of_recovery(before, now), *of_rights(before, after.rights, now)]


def _of_wallet(market: Market, name: str) -> str:
    if name != "address":
        return unasked(market, name)
    return "is that of another wallet, which has another history: connect it as a new account"


def _merged(known: Credentials, given: Mapping[str, str]) -> Credentials:
    secret, passphrase = given.get("secret"), given.get("passphrase")
    return Credentials(
        api_key=given.get("api_key", known.api_key),
        secret=known.secret if secret is None else Secret(secret),
        passphrase=known.passphrase if passphrase is None else Secret(passphrase),
        customer_id=given.get("customer_id", known.customer_id),
        subaccount_name=given.get("subaccount_name", known.subaccount_name),
        address=given.get("address", known.address),
        login=given.get("login", known.login),
    )


def _check_owner(account: Account, market: Market, reading: Reading) -> None:
    """Refuse the key of another account, where the venue names the account."""
    expected, told = account.venue_identity, reading.identity
    if expected is not None and told is not None and expected != told:
        sentence = f"opens another account at {market.name}; connect that as a new one"
        raise InvalidRecord({"api_key": [sentence]})


def _no_account(account_id: int) -> NotFound:
    return NotFound(f"there is no account {account_id}")
