"""What API processes ask of workers and are told: the errands as both ends know them.

Apart from those who do them, so that an API process loads nothing that it only asks for.
"""

from typing import Any, Final

import msgspec

from coffers.connectors.reading import Credentials
from coffers.errors import CoffersError
from coffers.portfolio.connecting import Connection
from coffers.secret import Secret

CONNECT, CONNECT_WALLET = "connect", "connect_wallet"
RECONNECT, REFRESH = "reconnect", "refresh"
CHECK: Final = "check"
"""The kinds of errands."""

CHECKED: Final = "checked"
"""The kind of what was checked and waits for a yes: no worker does it."""

PERFORM: Final = "perform"
OPEN_ORDERS: Final = "open_orders"
PREVIEW: Final = "auto_balance_preview"
RUN: Final = "auto_balance_run"


class ConnectAsked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Exchange accounts that one key opens, to be connected: all of them or none.

    `accounts` are pairs of a market's code and a name.
    """

    accounts: tuple[tuple[str, str], ...]
    api_key: str = ""
    secret: str = ""
    passphrase: str | None = None
    customer_id: str | None = None
    subaccount_name: str | None = None
    address: str | None = None
    login: str | None = None
    include_in_summary: bool = True

    def connections(self, user_id: int) -> list[Connection]:
        """Return what is to be connected."""
        credentials = Credentials(
            api_key=self.api_key,
            secret=Secret(self.secret),
            passphrase=None if self.passphrase is None else Secret(self.passphrase),
            customer_id=self.customer_id,
            subaccount_name=self.subaccount_name,
            address=self.address,
            login=self.login,
        )
        return [
            Connection(user_id, code, name, credentials, self.include_in_summary)
            for code, name in self.accounts
        ]


class WalletAsked(msgspec.Struct, frozen=True):
    """A wallet to be connected."""

    market_code: str
    name: str
    address: str
    include_in_summary: bool = True


class ReconnectAsked(msgspec.Struct, frozen=True):
    """An account that is given another key: credentials by the names of `Credentials`."""

    account_id: int
    given: dict[str, str]


class CheckAsked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is to be looked at before it is connected: one of the three."""

    connect: ConnectAsked | None = None
    wallet: WalletAsked | None = None
    reconnect: ReconnectAsked | None = None


class CheckedAccount(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found of one account.

    `amounts` are what counts in it, the assets' codes with units as texts; `unlisted` says how many
    tokens on no list there are beside. `missing` are the parts that could not be read, with why.
    `refused` tells by field why it cannot be connected, for what the key may do.
    """

    market_code: str
    name: str
    read: bool | None = None
    trade: bool | None = None
    withdraw: bool | None = None
    address_restricted: bool | None = None
    expires_at: int | None = None
    address: str | None = None
    wallets: tuple[str, ...] = ()
    missing: dict[str, str] = {}
    amounts: dict[str, str] = {}
    unlisted: int = 0
    contracts: int = 0
    refused: dict[str, list[str]] = {}


class CheckTold(msgspec.Struct, frozen=True):
    """What was found of each account that was asked for."""

    accounts: tuple[CheckedAccount, ...]

    @property
    def is_usable(self) -> bool:
        """Whether all of them can be connected."""
        return not any(account.refused for account in self.accounts)


class RefreshAsked(msgspec.Struct, frozen=True):
    """An account to be read now."""

    account_id: int


class Connected(msgspec.Struct, frozen=True):
    """The accounts that were connected, in the order that they were asked for."""

    account_ids: tuple[int, ...]


class Refreshed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a reading: an `Outcome`, and the kind of failure where it failed."""

    outcome: str
    failure: str | None = None
    message: str | None = None


class PerformAsked(msgspec.Struct, frozen=True):
    """An operation that was begun and is to be done."""

    operation_id: int


class Performed(msgspec.Struct, frozen=True):
    """How the operation stands: `running` where it takes longer than one waits."""

    state: str


class OpenAsked(msgspec.Struct, frozen=True):
    """An account whose open orders are asked for."""

    account_id: int


class OpenTold(msgspec.Struct, frozen=True):
    """How many orders are open, None where the exchange does not tell that."""

    orders: int | None


class PreviewAsked(msgspec.Struct, frozen=True):
    """An account whose plan is to be shown, for its own portfolio or another one."""

    account_id: int
    portfolio_id: int | None = None


class RunAsked(msgspec.Struct, frozen=True):
    """An account that is to be rebalanced now."""

    account_id: int


class ErrandAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it, or why it cannot be."""

    result: dict[str, Any] | None = None
    refused: str | None = None


class CannotBalance(CoffersError):
    """An account cannot be rebalanced now, and why."""


def told_of(answer: bytes) -> dict[str, Any]:
    """Return what a worker told.

    Raises:
        CannotBalance: where it told why it cannot be.
    """
    told = msgspec.json.decode(answer, type=ErrandAnswer)
    if told.result is None:
        raise CannotBalance(told.refused or "it cannot be rebalanced")
    return told.result
