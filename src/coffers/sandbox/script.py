"""What a script may ask of the sandbox over HTTP, and what it is told: the shapes of the JSON."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from coffers.sandbox.accounts import Balance, Wallet
from coffers.sandbox.faults import FaultKind


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to create, with its account. Amounts are free balances of the spot wallet."""

    venue: str
    key: str
    secret: str
    read: bool = True
    trade: bool = False
    withdraw: bool = False
    ips: tuple[str, ...] = ()
    expires_at: int | None = None
    balances: dict[str, Decimal] = {}


class Crowd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many keys to create, each with an account like that of a known key."""

    venue: str
    like: str
    count: Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class KeyState(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key to revoke, or to let in again."""

    venue: str
    key: str
    is_revoked: bool = True


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a wallet is to hold of an asset from now on."""

    venue: str
    key: str
    asset: str
    free: Decimal
    locked: Decimal = Decimal(0)
    wallet: Wallet = Wallet.SPOT


class Kept(msgspec.Struct, frozen=True):
    """What the wallets of a key hold, by asset."""

    venue: str
    key: str
    spot: dict[str, Balance]
    funding: dict[str, Balance]
    futures: dict[str, Balance]


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price to hold a pair at."""

    venue: str
    symbol: str
    price: Decimal


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A deposit or withdrawal: at a moment (now, if none is named), done or pending."""

    venue: str
    key: str
    asset: str
    amount: Decimal
    fee: Decimal = Decimal(0)
    is_pending: bool = False
    at: int | None = None


class Completed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A pending transfer that is to be finished."""

    venue: str
    key: str
    id: str


class PastFill(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order that was filled at a moment: written down, no balance changes."""

    venue: str
    key: str
    symbol: str
    side: Literal["BUY", "SELL"]
    price: Decimal
    quantity: Decimal
    at: int


class Waiting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A limit order that is put beside the others, or, with `is_over`, all of them taken away."""

    venue: str
    key: str
    symbol: str
    side: Literal["BUY", "SELL"] = "BUY"
    price: Decimal = Decimal(1)
    quantity: Decimal = Decimal(1)
    is_over: bool = False


class ClockMove(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to do with the clock, in milliseconds: exactly one of the three."""

    offset: int | None = None
    freeze_at: int | None = None
    advance: int | None = None


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The request weight that an address may use each minute."""

    per_minute: int
    wallet_per_minute: Annotated[int, msgspec.Meta(ge=0)] | None = None


class NewFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault to inject; see `coffers.sandbox.faults.Fault`."""

    kind: FaultKind
    venue: str | None = None
    path: str = "/"
    method: str | None = None
    key: str | None = None
    count: int | None = None
    status: int = 500
    body: str = ""
    headers: dict[str, str] = {}
    seconds: float = 0
    retry_after: int = 30
    as_key: str = ""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request that was answered; `status` is 0 where the connection was cut."""

    at: int
    venue: str
    method: str
    path: str
    key: str
    status: int


class Requests(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was asked since the last clearing.

    `counts` by `<venue> <method> <path>`; `most_at_once`, by `<venue> <key>`, is the largest number
    of requests that a key had open together; `log` holds the last ten thousand, the oldest first.
    """

    counts: dict[str, int]
    most_at_once: dict[str, int]
    log: list[Request]


class Moved(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The id of a transfer that was made."""

    id: str


class Moment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The venues' present moment in milliseconds."""

    now: int


class Nonsense(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why an order was not carried out."""

    error: str
