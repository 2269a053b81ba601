"""What a connector is given and what it brings back: a `Reading`, or one typed failure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from coffers.clock import Millis
from coffers.errors import CoffersError
from coffers.keyrights import UNKNOWN_RIGHTS, KeyRights
from coffers.markets.catalogue import Market
from coffers.secret import Secret
from coffers.valuation.contract import Contract
from coffers.valuation.model import Flow, Position


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens an account at its venue. The secret parts never show themselves.

    A venue that needs no key has an empty `api_key`, one that needs no secret an empty `secret`.
    `address` is that of an account on a chain, `login` the name that its owner logs in with.
    """

    api_key: str
    secret: Secret
    passphrase: Secret | None = None
    customer_id: str | None = None
    subaccount_name: str | None = None
    address: str | None = None
    login: str | None = None

    def revealed(self) -> dict[str, str]:
        """Return the credentials in the clear, by the names that clients send; "" where not given.

        For handing them to a venue, checking them, and keeping them out of messages.
        """
        return {
            "api_key": self.api_key,
            "secret": self.secret.reveal(),
            "passphrase": self.passphrase.reveal() if self.passphrase else "",
            "customer_id": self.customer_id or "",
            "address": self.address or "",
            "login": self.login or "",
        }


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a reading needs to know of the readings before it.

    `flows_since` is where the search for deposits and withdrawals starts, None to leave them out;
    `known_flows` holds (direction, external id) of those already stored from there on. `memory` is
    what the reading before asked to be told again.
    """

    flows_since: Millis | None
    known_flows: frozenset[tuple[str, str]] = frozenset()
    memory: str | None = None

    def new_of(self, flows: Iterable[Flow]) -> tuple[Flow, ...]:
        """Return the flows that are not stored already."""
        return tuple(
            flow for flow in flows if (flow.direction, flow.external_id) not in self.known_flows
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a venue said about an account.

    `wallets` are the parts that were read ("spot", "funding", "contracts"), `missing` those that
    should have been and could not, each with the reason. `flows` are the finished deposits and
    withdrawals since the asked moment; `flows_known` is False where the venue does not tell them,
    `flows_until` then the moment up to which all were read that it tells, None where that is not
    known. Of flows that are not asked for in each reading, `flows_asked_before` says by (direction,
    external id) when they were asked for before, None where that is not known, or where the
    balances before had them already, so that only their date counts.
    What has left the balances and may still come back is among them; `flows_undone` holds
    (direction, external id) of such that came back. `at` is when the balances were asked for, by
    our clock. `contracts` are the open derivative positions; what they win or lose is in
    `positions` already. `hedge_mode` says whether both sides of one may be held, None where that is
    not known. `identity` is the same for every reading of one account at a venue, and another one
    for any other account; None where the venue does not name the account. It is a hash, for
    comparing only. `shared_wallet` names a wallet that was read whole and that other markets of the
    venue read whole too, None where there is none. `counted` holds every name of what was counted,
    where an address is a list of several with commas between: another account of the market may
    list one of them. `memory` is for the next reading alone, such as how far a search has come;
    None leaves what was remembered.
    """

    at: Millis
    wallets: frozenset[str]
    positions: tuple[Position, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    flows_undone: frozenset[tuple[str, str]] = frozenset()
    flows_known: bool = True
    flows_until: Millis | None = None
    flows_asked_before: Mapping[tuple[str, str], Millis | None] = field(default_factory=dict)
    rights: KeyRights = UNKNOWN_RIGHTS
    hedge_mode: bool | None = None
    contracts: tuple[Contract, ...] = ()
    identity: str | None = None
    shared_wallet: str | None = None
    counted: frozenset[str] = frozenset()
    memory: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every part that the market covers was read."""
        return not self.missing


class FailureKind(StrEnum):
    """Why a venue gave no reading; each kind has its own back-off and its own effect."""

    KEY_REFUSED = "key_refused"
    PERMISSION_DENIED = "permission_denied"
    ADDRESS_REFUSED = "address_refused"
    REGION_REFUSED = "region_refused"
    CLOCK_DRIFT = "clock_drift"
    RATE_LIMITED = "rate_limited"
    VENUE_DOWN = "venue_down"
    UNREACHABLE = "unreachable"
    UNEXPECTED_ANSWER = "unexpected_answer"
    UNSUPPORTED = "unsupported"


class ConnectorFailure(CoffersError):
    """The one way in which a connector fails.

    `code` is the venue's own code or the exception's name: two refusals are equal when kind and
    code are. `retry_after` is in milliseconds, where the venue said it.
    """

    def __init__(
        self, kind: FailureKind, message: str, *, code: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.retry_after = retry_after


class Connector(Protocol):
    """One way to read accounts of some markets."""

    async def read(self, market: Market, credentials: Credentials, request: ReadRequest) -> Reading:
        """Return what the venue says about the account.

        Raises:
            ConnectorFailure: and nothing else, when the venue gave no usable answer.
        """
        ...

    async def rights(self, market: Market, credentials: Credentials) -> KeyRights:
        """Return what the key may do, `UNKNOWN_RIGHTS` where the venue does not tell.

        Raises:
            ConnectorFailure: when the venue refused the key or gave no usable answer.
        """
        ...

    async def close(self) -> None:
        """Give back every connection."""
        ...
