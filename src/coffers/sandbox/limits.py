"""The venue's request weights: how much an address has used this minute, and what follows."""

from dataclasses import dataclass, field

from coffers.sandbox import refusals
from coffers.sandbox.prices import DAY, MINUTE, SECOND

DEFAULT_LIMIT = 6_000
WALLET_LIMIT = 12_000
_PATIENCE = 5
_FIRST_BAN = 2 * MINUTE
_LONGEST_BAN = 3 * DAY


@dataclass(slots=True)
class _Usage:
    minute: int = -1
    weight: int = 0
    ignored: int = 0
    bans: int = 0
    banned_until: int = 0


@dataclass(slots=True)
class Limits:
    """Counts weight per venue and kind of endpoint, in the minutes of the venue's clock.

    Above the limit a request is refused with 429 until the minute ends. A caller who goes on for
    more than five requests is banned with 418: two minutes at first, doubling up to three days.
    The wallet endpoints (`/sapi`) have a budget of their own.
    """

    per_minute: int = DEFAULT_LIMIT
    wallet_per_minute: int = WALLET_LIMIT
    _used: dict[tuple[str, bool], _Usage] = field(default_factory=dict)

    def spend(self, venue: str, path: str, weight: int, now: int) -> dict[str, str]:
        """Count a request and return the headers that tell how much is used.

        Raises:
            Refused: with 429 or 418 once the budget is used up.
        """
        is_wallet = path.startswith("/sapi/")
        usage = self._used.setdefault((venue, is_wallet), _Usage())
        if now < usage.banned_until:
            raise refusals.banned(usage.banned_until, _seconds(usage.banned_until - now))
        if usage.minute != now // MINUTE:
            usage.minute, usage.weight, usage.ignored = now // MINUTE, 0, 0
        usage.weight += weight
        limit = self.wallet_per_minute if is_wallet else self.per_minute
        if usage.weight > limit:
            self._refuse(usage, limit, now)
        return _headers(usage.weight, is_wallet=is_wallet)

    def _refuse(self, usage: _Usage, limit: int, now: int) -> None:
        usage.ignored += 1
        if usage.ignored > _PATIENCE:
            span = min(_FIRST_BAN * 2**usage.bans, _LONGEST_BAN)
            usage.bans += 1
            usage.banned_until = now + span
            raise refusals.banned(usage.banned_until, _seconds(span))
        raise refusals.too_many(limit, _seconds(MINUTE - now % MINUTE))


def _seconds(span: int) -> int:
    return -(-span // SECOND)


def _headers(weight: int, *, is_wallet: bool) -> dict[str, str]:
    if is_wallet:
        return {"x-sapi-used-ip-weight-1m": str(weight)}
    return {"x-mbx-used-weight": str(weight), "x-mbx-used-weight-1m": str(weight)}
