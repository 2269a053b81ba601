"""What a key may do, right by right, with what to think of it."""

from dataclasses import dataclass
from typing import Final, Literal

from coffers.clock import DAY, Millis
from coffers.connectors.reading import FailureKind
from coffers.portfolio.errand_forms import CheckedAccount
from coffers.web.formats import Formats

Tone = Literal["good", "doubtful", "bad"]

EXPIRES_SOON: Final = Millis(14 * DAY)

_ADVICE: Final = {
    FailureKind.KEY_REFUSED: "Copy key and secret once more; some exchanges take minutes until a "
    "new key works.",
    FailureKind.PERMISSION_DENIED: "Allow the key to read at the exchange, and check again.",
    FailureKind.ADDRESS_REFUSED: "The key is bound to other addresses: add the one that this "
    "server goes out from.",
    FailureKind.REGION_REFUSED: "The exchange refuses the country that this server is in.",
    FailureKind.CLOCK_DRIFT: "Set this server's clock right, and check again.",
    FailureKind.RATE_LIMITED: "The exchange wants a pause: check again in a minute.",
    FailureKind.VENUE_DOWN: "Nothing is wrong with what you entered: check again later.",
    FailureKind.UNREACHABLE: "Nothing is wrong with what you entered: check this server's line, "
    "and check again.",
    FailureKind.UNEXPECTED_ANSWER: "Its answer was not understood, and the log says more.",
    FailureKind.UNSUPPORTED: "This cannot be read here.",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One right: what it is, what the exchange tells of it, and what to think of that."""

    right: str
    told: str
    tone: Tone
    why: str


def judged(
    found: CheckedAccount, now: Millis, formats: Formats, *, is_trading_on: bool
) -> list[Judged]:
    """Return every right of a key with a judgement."""
    return [
        _read(found.read),
        _trade(found.trade, is_trading_on=is_trading_on),
        _withdraw(found.withdraw),
        _bound(found.address_restricted),
        _expiry(None if found.expires_at is None else Millis(found.expires_at), now, formats),
    ]


def advice_on(kind: FailureKind) -> str:
    """Return what somebody can do about a failure."""
    return _ADVICE[kind]


def _read(may: bool | None) -> Judged:
    match may:
        case True:
            return Judged("Read", "has", "good", "needed: balances and history are read")
        case False:
            return Judged("Read", "has not", "bad", "without it nothing can be read: allow it")
    return Judged("Read", "not told", "good", "and it could be read")


def _trade(may: bool | None, *, is_trading_on: bool) -> Judged:
    use = "orders and auto-balance from here need it"
    match may:
        case True if is_trading_on:
            return Judged("Trade", "has", "good", f"{use}; take it away if you want neither")
        case True:
            return Judged(
                "Trade", "has", "doubtful", "not needed: this server places no orders; take it away"
            )
        case False:
            return Judged("Trade", "has not", "good", "as it should be for looking alone")
    return Judged("Trade", "not told", "doubtful", "look yourself at the exchange")


def _withdraw(may: bool | None) -> Judged:
    match may:
        case True:
            return Judged("Withdraw", "has", "bad", "nobody needs that here: take it away")
        case False:
            return Judged("Withdraw", "has not", "good", "as it should be")
    why = "the exchange does not tell: look yourself that it cannot"
    return Judged("Withdraw", "not told", "doubtful", why)


def _bound(is_bound: bool | None) -> Judged:
    match is_bound:
        case True:
            return Judged("Bound to addresses", "is", "good", "a stolen key is of no use elsewhere")
        case False:
            why = "bind it to this server's address: a stolen key then is of no use elsewhere"
            return Judged("Bound to addresses", "is not", "doubtful", why)
    why = "bind it to this server's address where the exchange lets you"
    return Judged("Bound to addresses", "not told", "doubtful", why)


def _expiry(at: Millis | None, now: Millis, formats: Formats) -> Judged:
    if at is None:
        return Judged("Expiry", "not told", "good", "none that is known")
    day = f"{formats.moment(at)} {formats.zone_name}"
    if at <= now:
        return Judged("Expiry", day, "bad", "it is over: make another key")
    if at - now < EXPIRES_SOON:
        return Judged("Expiry", day, "doubtful", "soon: a key that lasts longer spares you work")
    return Judged("Expiry", day, "good", "give another key before that, at this account's settings")
