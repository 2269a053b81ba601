"""What each of many accounts was worth day by day in the last month, for a small line beside it."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from coffers.clock import DAY, HOUR, Millis
from coffers.store.engine import Store
from coffers.valuation.model import Snapshot

DAYS: Final = 30
KEPT: Final = 20_000
"""Accounts whose days are kept: about 5 KB each."""

_FEW: Final = 3


class Sparks:
    """Reads the days of accounts: of all that are asked for at once, and again after an hour."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[int, tuple[Millis, list[Snapshot]]] = OrderedDict()

    async def of(
        self, user_id: int, ids: Sequence[int], now: Millis
    ) -> dict[int, Sequence[Snapshot]]:
        """Return the last snapshot before each of the last days began, in order of time.

        An account that has none yet has an empty list.
        """
        hour = Millis(now // HOUR * HOUR)
        missing = [each for each in ids if not self._has(each, hour)]
        if missing:
            today = now // DAY * DAY
            moments = [Millis(today - back * DAY) for back in range(DAYS)]
            async with self._store.reading() as tx:
                found = await tx.history.values_at(user_id, missing, moments)
            for each in missing:
                self._kept[each] = hour, found.get(each, [])
                self._kept.move_to_end(each)
        told = {each: self._kept[each][1] for each in ids}
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        since = now - (DAYS + 1) * DAY
        return {each: [day for day in days if day.at >= since] for each, days in told.items()}

    def _has(self, account_id: int, hour: Millis) -> bool:
        """Return whether the days of an account are kept; those of a new one never are."""
        kept = self._kept.get(account_id)
        return kept is not None and kept[0] == hour and len(kept[1]) >= _FEW
