"""How far an account's figures can be trusted, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from coffers.clock import Millis
from coffers.portfolio.account_forms import reasons_of
from coffers.portfolio.worked import Worked
from coffers.sync.snapshots import is_fresh
from coffers.valuation.model import PriceBook
from coffers.web.moments import ago

TrustLevel = Literal["good", "doubtful", "bad"]

_SAID: Final = {
    "unread": "not read yet",
    "unpriced": "something held has no price",
    "missing_wallets": "a part could not be read",
    "stale": "the last reading is old",
    "flows_unknown": "deposits and withdrawals are not all known",
    "flows_unvalued": "a deposit or withdrawal could not be valued",
    "no_history": "no value was kept yet to compare with",
    "no_rate": "a rate of the display currency is missing",
}
_NAMED: Final = 5
_OLD_PRICES: Final = "old_prices"
"""No reason of the API's: its answers outlast the moment that they are made in, and tell that of
their prices."""

_OLD: Final = frozenset({"stale", _OLD_PRICES})
_BAD: Final = frozenset({"unread", "unpriced", "missing_wallets"}) | _OLD


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether figures are good, doubtful or bad, in a word or two, and why."""

    standing: TrustLevel
    why: tuple[str, ...]
    word: str


def trust_of(worked: Worked, now: Millis, stale_after: Millis) -> Trust:
    """Return how far an account's figures can be trusted."""
    reasons = reasons_of(worked, now, stale_after)
    # What holds nothing is worth nothing at any prices.
    if worked.counted and are_old(worked.book, now):
        reasons.append(_OLD_PRICES)
    account = worked.view.account
    why = [_said(reason, worked, now) for reason in reasons]
    if account.is_locked:
        why.insert(0, f"locked: {account.lock_reason or 'the key was refused'}")
    elif account.sync.failure_message:
        why.append(f"the last try failed: {account.sync.failure_message}")
    if account.is_locked or _BAD.intersection(reasons):
        return Trust("bad", tuple(why), _word(reasons, is_locked=account.is_locked))
    standing: TrustLevel = "doubtful" if why else "good"
    return Trust(standing, tuple(why), standing)


def are_old(book: PriceBook | None, now: Millis) -> bool:
    """Return whether prices are too old to tell what something is worth now, or may be."""
    return book is not None and not is_fresh(book, now)


def _said(reason: str, worked: Worked, now: Millis) -> str:
    """Return why figures are not wholly to be trusted, with what it is of."""
    if reason == _OLD_PRICES and worked.book is not None:
        return f"the prices are from {ago(worked.book.at, now).striptags()}"
    quality = worked.view.quality
    if reason == "stale" and quality.is_ahead:
        return "the last reading is of nobody knows when: the clock was wrong, or is"
    named = {"unpriced": quality.unpriced, "missing_wallets": quality.missing_wallets}.get(reason)
    if not named:
        return _SAID[reason]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{_SAID[reason]}: {', '.join(named[:_NAMED])}{more}"


def _word(reasons: Sequence[str], *, is_locked: bool) -> str:
    """Return what is worst about an account's figures."""
    if is_locked:
        return "locked"
    if "unread" in reasons:
        return "not read yet"
    return "old" if _BAD.intersection(reasons) <= _OLD else "incomplete"
