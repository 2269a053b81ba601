"""How far an account's figures can be trusted, in words."""

from dataclasses import dataclass
from typing import Final, Literal

from coffers.clock import Millis
from coffers.portfolio.account_forms import reasons_of
from coffers.portfolio.listing import Worked

Standing = Literal["good", "doubtful", "bad"]

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
_BAD: Final = frozenset({"unread", "unpriced", "missing_wallets", "stale"})


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether figures are good, doubtful or bad, and why."""

    standing: Standing
    why: tuple[str, ...]


def trust_of(worked: Worked, now: Millis, stale_after: Millis) -> Trust:
    """Return how far an account's figures can be trusted."""
    reasons = reasons_of(worked, now, stale_after)
    account = worked.view.account
    why = [_SAID[reason] for reason in reasons]
    if account.is_locked:
        why.insert(0, f"locked: {account.lock_reason or 'the key was refused'}")
    elif account.sync.failure_message:
        why.append(f"the last try failed: {account.sync.failure_message}")
    if account.is_locked or _BAD.intersection(reasons):
        return Trust("bad", tuple(why))
    return Trust("doubtful" if why else "good", tuple(why))
