"""What somebody gives to connect an account, as the errand that a worker does.

What can be told without an exchange is told here, before any worker is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from coffers.errors import InvalidRecord
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.connecting import accepted
from coffers.portfolio.errand_forms import CONNECT, CONNECT_WALLET, ConnectAsked, WalletAsked
from coffers.portfolio.fields import unasked
from coffers.portfolio.markets import can_connect, opened_by_same_key
from coffers.portfolio.secrecy import address_fault, told
from coffers.portfolio.wallets import Wallet, wallet_market

CREDENTIALS: Final = (
    "api_key",
    "secret",
    "passphrase",
    "customer_id",
    "subaccount_name",
    "address",
    "login",
)
"""What may be given, by the names of `Credentials`."""

ALSO: Final = "also"
"""The field that names further markets which the same key opens."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gives to connect an account; `also` are codes of other markets of the key."""

    code: str
    name: str
    credentials: Mapping[str, str | None]
    also: Sequence[str] = field(default=())
    include_in_summary: bool = True


def errand_of(
    catalogue: Catalogue, user_id: int, given: Given
) -> tuple[str, ConnectAsked | WalletAsked]:
    """Return the errand that connects an account, by its kind.

    Raises:
        InvalidRecord: naming every field that cannot be accepted.
    """
    market = catalogue.get(given.code)
    if market is not None and market.chain is not None:
        return CONNECT_WALLET, _wallet(catalogue, user_id, market, given)
    credentials = given.credentials
    asked = ConnectAsked(
        accounts=((given.code, given.name), *_others(catalogue, market, given)),
        api_key=credentials.get("api_key") or "",
        secret=credentials.get("secret") or "",
        passphrase=credentials.get("passphrase"),
        customer_id=credentials.get("customer_id"),
        subaccount_name=credentials.get("subaccount_name"),
        address=credentials.get("address"),
        login=credentials.get("login"),
        include_in_summary=given.include_in_summary,
    )
    for each in asked.connections(user_id):
        accepted(each, catalogue)
    return CONNECT, asked


def _wallet(catalogue: Catalogue, user_id: int, market: Market, given: Given) -> WalletAsked:
    address = given.credentials.get("address") or ""
    wallet = WalletAsked(given.code, given.name, address, given.include_in_summary)
    wallet_market(Wallet(user_id, given.code, given.name, address), catalogue)
    # The worker looks too, but what is asked of it is kept until then.
    if secret := address_fault(address):
        raise InvalidRecord({"address": [secret]})
    # Nothing else is needed, and would be dropped without a word.
    more = [name for name in CREDENTIALS if name != "address" and given.credentials.get(name)]
    if more:
        raise InvalidRecord({name: [unasked(market, name)] for name in more})
    _others(catalogue, market, given)
    return wallet


def _others(catalogue: Catalogue, market: Market | None, given: Given) -> list[tuple[str, str]]:
    """Return the other accounts that the key is to open, each with a name of its own."""
    codes = [code for code in given.also if market is None or code != market.code]
    family = {each.code: each for each in ([] if market is None else family_of(catalogue, market))}
    if wrong := [code for code in codes if code not in family]:
        raise InvalidRecord({ALSO: [f"{told(wrong[0])} is no market that the same key opens"]})
    return [(code, f"{given.name} {family[code].name}"[:100]) for code in dict.fromkeys(codes)]


def family_of(catalogue: Catalogue, market: Market) -> list[Market]:
    """Return the markets that can be connected with a key of this one, the market itself too."""
    return [each for each in opened_by_same_key(catalogue, market) if can_connect(each)]
