"""The credentials of an account on their way into the vault and, for one reading, out of it."""

import hashlib

import msgspec

from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market
from coffers.secret import Secret
from coffers.store.records import Account
from coffers.vault.sealed import Sealed
from coffers.vault.vault import Vault


class _Kept(msgspec.Struct, omit_defaults=True):
    """What is sealed: the parts of the credentials that are secret, or that no list shows."""

    secret: str
    passphrase: str | None = None
    login: str | None = None


def seal_credentials(
    vault: Vault, user_id: int, account_id: int, credentials: Credentials
) -> Sealed:
    """Return the secret parts of the credentials, sealed for this account alone."""
    passphrase = credentials.passphrase
    kept = _Kept(
        credentials.secret.reveal(),
        passphrase.reveal() if passphrase else None,
        credentials.login,
    )
    text = Secret(msgspec.json.encode(kept).decode())
    return vault.seal(text, _context(user_id, account_id))


def open_credentials(vault: Vault, account: Account, sealed: Sealed) -> Credentials:
    """Return the credentials of an account, opened.

    Raises:
        WrongMasterKey, SealBroken: as `Vault.open`.
    """
    text = vault.open(sealed, _context(account.user_id, account.id))
    kept = msgspec.json.decode(text.reveal(), type=_Kept)
    return Credentials(
        api_key=account.api_key,
        secret=Secret(kept.secret),
        passphrase=None if kept.passphrase is None else Secret(kept.passphrase),
        customer_id=account.customer_id,
        subaccount_name=account.subaccount_name,
        address=account.address,
        login=kept.login,
    )


def credential_id(market: Market, credentials: Credentials) -> str:
    """Return what readings with the same exchange key have in common, however many accounts use it.

    A hash, so that no key is repeated in a column made for comparing. Where nothing public names
    the key, it is that of the secret, of which nothing can be guessed: venues make those at random.
    """
    own = credentials.api_key or credentials.address or f"secret\0{credentials.secret.reveal()}"
    return hashlib.sha256(f"{market.venue or market.code}\0{own}".encode()).hexdigest()[:32]


def _context(user_id: int, account_id: int) -> str:
    return f"account:{user_id}:{account_id}"
