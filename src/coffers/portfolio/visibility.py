"""Which assets a user may know of: never one for the reason that another user has it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from coffers.markets.assets import known_names, name_of, spellings
from coffers.pricing.sources.coins import KEY
from coffers.store.engine import Transaction
from coffers.valuation.choices import is_of_venues
from coffers.valuation.model import PriceBook


@dataclass(frozen=True, slots=True)
class Visible:
    """What a user may know of: what ships, what venues tell a price of, and the user's own.

    Prices of other sources are asked for what somebody holds, so they would tell of that. `own` are
    the codes that the user has, or said something of; `book` is None before the first prices.
    """

    own: Collection[str]
    book: PriceBook | None

    def sees(self, code: str) -> bool:
        """Return whether the user may know of a code."""
        return code in self.own or is_public(code, self.book) or ships(code)

    def named(self, text: str) -> str | None:
        """Return the code that a text means ("btc"), None where the user may know of none."""
        return next((code for code in spellings(text) if self.sees(code)), None)

    def tells_when(self, code: str) -> bool:
        """Return whether the user may know when a code was met first: others may have met it."""
        return is_public(code, self.book)

    def codes(self) -> set[str]:
        """Return all assets that the user may know of. What is only the key of a price is none."""
        names, book = known_names(), self.book
        every = {*names.crypto, *names.fiat, *self.own}
        if book is not None:
            every |= {code for code, price in book.prices.items() if is_of_venues(price)}
            every |= {code for code, held in book.held_back.items() if is_of_venues(held.price)}
        return {code for code in every if not code.startswith(KEY)}


def ships(code: str) -> bool:
    """Return whether a code is known by name in this version."""
    return name_of(code) is not None


def is_public(code: str, book: PriceBook | None) -> bool:
    """Return whether venues led to a price of a code, one that is held back too."""
    if book is None:
        return False
    held = book.held_back.get(code)
    return is_of_venues(book.prices.get(code)) or (held is not None and is_of_venues(held.price))


async def visible(
    tx: Transaction, user_id: int, book: PriceBook | None, codes: Iterable[str] | None = None
) -> Visible:
    """Return what a user may know of, by a book; the user's own is read where it matters.

    With `codes` it is right for those alone: mostly they ship or are public, which needs no query.
    """
    if codes is not None and all(ships(code) or is_public(code, book) for code in codes):
        return Visible(frozenset(), book)
    return Visible(await tx.assets.of_user(user_id), book)
