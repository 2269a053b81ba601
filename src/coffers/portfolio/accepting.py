"""Accepting a price that is held back: by a user for own totals, by the operator for everybody."""

from decimal import Decimal

from coffers import money
from coffers.clock import Clock
from coffers.errors import CoffersError, InvalidAmount, InvalidRecord
from coffers.markets.assets import spellings
from coffers.money import plain
from coffers.portfolio.visibility import visible
from coffers.store.choices import OPERATOR
from coffers.store.engine import Store
from coffers.store.records import AuditEvent
from coffers.valuation.choices import is_near
from coffers.valuation.model import HeldBack, PriceBook


class Accepting:
    """Accepts prices that leapt."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def accept(self, user_id: int, asset: str, usd: str) -> str:
        """Accept the price that is held back for a user, in the user's totals alone.

        `usd` is the price that the user saw, so that no other one is accepted that came since. It
        holds until the price would be believed by itself.

        Returns:
            The asset's name.

        Raises:
            InvalidRecord: when nothing is held back, or what is lies far from `usd`.
        """
        seen = _amount(usd)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            book = await tx.prices.newest()
            own = None if book is None else (await tx.choices.of(user_id)).book(book)
            found = _held_back(asset, own)
            if found is None or not (await visible(tx, user_id, own, [found[0]])).sees(found[0]):
                raise InvalidRecord({"asset": ["has no price that is held back"]})
            name, held = found
            if not is_near(seen, held.price.usd):
                said = f"is not the price that is held back now, {plain(held.price.usd)}"
                raise InvalidRecord({"usd": [said]})
            await tx.choices.accept(user_id, name, held.price, held.until, now)
            told = f"{plain(held.price.usd)} USD for own totals"
            await tx.audit.add(AuditEvent(user_id, now, "price_accepted", name, told))
        return name

    async def accept_for_all(self, asset: str) -> tuple[str, HeldBack]:
        """Accept the price that is held back for everybody, from the next price book on.

        Returns:
            The asset's name and what was held back.

        Raises:
            CoffersError: when nothing is held back.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            found = _held_back(asset, await tx.prices.newest())
            if found is None:
                raise CoffersError(f"{asset!r} has no price that is held back")
            name, held = found
            await tx.choices.accept(OPERATOR, name, held.price, held.until, now)
            told = f"{plain(held.price.usd)} USD for everybody"
            await tx.audit.add(AuditEvent(None, now, "price_accepted", name, told))
        return name, held


def _held_back(asset: str, book: PriceBook | None) -> tuple[str, HeldBack] | None:
    for name in spellings(asset):
        if book is not None and name in book.held_back:
            return name, book.held_back[name]
    return None


def _amount(text: str) -> Decimal:
    try:
        return money.parse(text)
    except InvalidAmount as error:
        raise InvalidRecord({"usd": ["is invalid"]}) from error
