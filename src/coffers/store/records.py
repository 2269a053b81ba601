"""The rows that leave the store, as values. No table or ORM object does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from coffers.clock import Millis
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.markets.assets import AssetKind
from coffers.vault.sealed import Sealed

Mode = Literal["real", "paper"]
KeyState = Literal["ok", "expire_soon", "expired"]
TokenKind = Literal["hmac", "rsa"]
SealedKind = Literal["account", "token", "webhook", "totp"]


@dataclass(frozen=True, slots=True)
class User:
    """A person with accounts. `version` grows with every change of what a list of theirs shows.

    `locale` is the language that errors are explained in. `written_as` is the locale whose numbers
    and dates pages show, empty for the plain form, and `time_zone` an IANA zone.
    """

    id: int
    name: str
    mode: Mode
    display_currency: str
    version: int
    created_at: Millis
    locale: str = "en"
    written_as: str = ""
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Token:
    """An API token: its public key, what proves it, and what it may do.

    `sealed_secret` is set for kind "hmac", `rsa_public_key` (PEM) for kind "rsa".
    `allowed_networks` are CIDR texts; empty means any address. `used_at` is within a minute or so
    of its last use; that and `used_from` are told where tokens are listed alone.
    """

    id: int
    user_id: int
    api_key: str
    kind: TokenKind
    sealed_secret: Sealed | None
    rsa_public_key: str | None
    permissions: frozenset[str]
    allowed_networks: tuple[str, ...]
    require_timestamp: bool
    expires_at: Millis | None
    revoked_at: Millis | None
    created_at: Millis
    name: str = ""
    used_at: Millis | None = None
    used_from: str | None = None


@dataclass(frozen=True, slots=True)
class AutoBalance:
    """The rebalancing settings of an account, and how its last run went."""

    enabled: bool = False
    period_hours: int = 12
    portfolio_id: int | None = None
    currency_change_limit: int | None = None
    method: Literal["time", "currency_change"] | None = None
    last_at: Millis | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Target shares of assets, in percent and 100 together.

    `tolerance` is by how many points a share may be off; `sells_others` says that everything else
    that an account holds is sold.
    """

    id: int
    user_id: int
    name: str
    targets: Mapping[str, Decimal]
    tolerance: Decimal
    sells_others: bool
    created_at: Millis
    updated_at: Millis


@dataclass(frozen=True, slots=True)
class BalanceState:
    """How far the rebalancing of an account has come.

    `next_at` is from when on it may run, None where it is switched off; `failures` counts failed
    runs since the last good one. `prices` are what the targets were worth then, in USD.
    `planned_at` is the moment of a run that is under way, or that a process died in.
    """

    next_at: Millis | None
    failures: int = 0
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    planned_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class SyncState:
    """How the reading of an account goes.

    `read_at` is the moment of the last accepted reading, None before the first. `missing_wallets`
    could not be read then. `failures` counts failed tries since; `failure_*` tell the last one.
    `refusals` counts equal refusals of the key in a row. `suspect` tells of a reading that was
    held back because it lost most of what was known: its fingerprint and the moment, a colon
    between. `flows_until` is the moment up to which deposits and withdrawals have been read, as far
    as the venue tells them at all.
    `lacks_prices` says that something held had no price: what is known of that is kept apart.
    """

    next_sync_at: Millis
    read_at: Millis | None = None
    missing_wallets: tuple[str, ...] = ()
    flows_known: bool = True
    flows_until: Millis | None = None
    failures: int = 0
    failure_kind: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    refusals: int = 0
    suspect: str | None = None
    lacks_prices: bool = False


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What a try to read an account changes of it: how its reading goes, and whether its key works.

    `lock_reason` tells why it is locked, None while it is not.
    """

    sync: SyncState
    key_state: KeyState
    is_locked: bool
    lock_reason: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """One connection of a user: an exchange account, a wallet, a manual or a paper account.

    `venue_identity` is what names the account at its venue, as a hash; None until a reading tells.
    """

    id: int
    user_id: int
    market_code: str
    name: str
    mode: Mode
    api_key: str
    customer_id: str | None
    subaccount_name: str | None
    address: str | None
    include_in_summary: bool
    key_state: KeyState
    is_locked: bool
    lock_reason: str | None
    rights: KeyRights
    hedge_mode: bool
    auto_balance: AutoBalance
    sync: SyncState
    version: int
    created_at: Millis
    updated_at: Millis
    venue_identity: str | None = None


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is needed to add an account; the rest starts at its default."""

    user_id: int
    market_code: str
    name: str
    mode: Mode = "real"
    api_key: str = ""
    customer_id: str | None = None
    subaccount_name: str | None = None
    address: str | None = None
    include_in_summary: bool = True
    rights: KeyRights = UNKNOWN_RIGHTS


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset that somebody holds or that has a price; what is not known of it is None.

    `code` is its symbol, or `chain:contract` of a token; `coingecko_id` its id at CoinGecko.
    `first_seen_at` is when it was met first, in an account or a price book.
    """

    code: str
    name: str | None = None
    kind: AssetKind | None = None
    coingecko_id: str | None = None
    chain: str | None = None
    contract: str | None = None
    first_seen_at: Millis | None = None


@dataclass(frozen=True, slots=True)
class AssetOverride:
    """What a user says of an asset.

    `name` and `symbol` are shown instead of ours. `priced_as` is the key that other sources price
    it by: "coingecko:<id>" or "<chain>:<contract>". What is `is_ignored` counts for nothing; where
    `by_symbol` is False, what venues pay for the symbol is no price of it.
    """

    asset: str
    name: str | None = None
    symbol: str | None = None
    priced_as: str | None = None
    is_ignored: bool = False
    by_symbol: bool = True


@dataclass(frozen=True, slots=True)
class AssetMapping:
    """What a user says that a venue's code means, in accounts of one market."""

    market_code: str
    venue_code: str
    asset: str


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that a user or an operator may later ask about. `details` hold no secrets."""

    user_id: int | None
    at: Millis
    kind: str
    subject: str
    details: str


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A sealed secret and whose it is.

    `id` is the account's, the token's or the webhook's; of what a user has once, the user's.
    """

    kind: SealedKind
    user_id: int
    id: int
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class Counts:
    """How many accounts of all users are past due for a reading, and how many are locked."""

    overdue: int
    locked: int
