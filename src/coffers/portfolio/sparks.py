"""What each of many accounts was worth day by day in the last month, for a small line beside it."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from coffers.clock import DAY, HOUR, Millis
from coffers.store.engine import Store
from coffers.valuation.model import Snapshot

DAYS: Final = 30
KEPT: Final = 20_000
"""Accounts whose days are kept: about 5 KB each."""

_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class _Kept:
    """Days as they were read in an hour, of an account that opened at a moment."""

    hour: Millis
    opening: Millis | None
    days: list[Snapshot]


class Sparks:
    """Reads the days of accounts: of all that are asked for at once, and again after an hour."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    async def of(
        self, user_id: int, openings: Mapping[int, Millis | None], now: Millis
    ) -> dict[int, Sequence[Snapshot]]:
        """Return the last snapshot before each of the last days began, in order of time.

        `openings` are those of the accounts by id, None where one has no snapshot yet: its list is
        empty. An account that was begun anew has another one, and is read again.
        """
        hour = Millis(now // HOUR * HOUR)
        missing = [each for each, opening in openings.items() if not self._has(each, hour, opening)]
        if missing:
            today = now // DAY * DAY
            moments = [Millis(today - back * DAY) for back in range(DAYS)]
            async with self._store.reading() as tx:
                found = await tx.history.values_at(user_id, missing, moments)
            for each in missing:
                self._kept[each] = _Kept(hour, openings[each], found.get(each, []))
                self._kept.move_to_end(each)
        told = {each: self._kept[each].days for each in openings}
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        since = now - (DAYS + 1) * DAY
        return {each: [day for day in days if day.at >= since] for each, days in told.items()}

    def _has(self, account_id: int, hour: Millis, opening: Millis | None) -> bool:
        """Return whether the days of an account are kept; those of a new one never are."""
        kept = self._kept.get(account_id)
        return (
            kept is not None
            and (kept.hour, kept.opening) == (hour, opening)
            and len(kept.days) >= _FEW
        )
