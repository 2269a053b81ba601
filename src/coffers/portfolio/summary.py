"""All accounts of a user taken as one: whose figures are summed, and what holds of them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coffers.clock import Millis
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.listing import Listing
from coffers.portfolio.users import Users
from coffers.portfolio.view import AccountView
from coffers.portfolio.worked import Worked
from coffers.store.records import KeyState, Mode, User
from coffers.valuation.figures import Figures, summary_of
from coffers.valuation.model import PriceBook

_WORST_FIRST: Final[tuple[KeyState, ...]] = ("expired", "expire_soon", "ok")


@dataclass(frozen=True, slots=True)
class Summary:
    """The accounts that a user wants summed, and their sum.

    What is unknown of one account is unknown of the sum. The figures of the views are those that
    are summed: an own transfer between two of them is no flow there. `key_state` is the worst of
    theirs, `updated_at` the latest change of one.
    """

    views: tuple[AccountView, ...]
    figures: Figures
    key_state: KeyState
    created_at: Millis
    updated_at: Millis


class Summaries:
    """Sums up accounts."""

    def __init__(self, keeping: AccountKeeping, users: Users, listing: Listing) -> None:
        self._keeping = keeping
        self._users = users
        self._listing = listing

    async def of(self, user_id: int, mode: Mode, book: PriceBook | None, currency: str) -> Summary:
        """Return the summary of a user's accounts of one mode, in a display currency."""
        summary, _ = await self.worked(user_id, mode, book, currency)
        return summary

    async def worked(
        self, user_id: int, mode: Mode, book: PriceBook | None, currency: str
    ) -> tuple[Summary, list[Worked]]:
        """Return what `of` does, with what each account's figures were made of."""
        accounts = await self._keeping.in_summary(user_id, mode)
        found = await self._listing.worked_together(user_id, accounts, book, currency)
        views = [each.view for each in found]
        return summed(await self._users.get(user_id), views, currency), found


def summed(user: User, views: Sequence[AccountView], currency: str) -> Summary:
    """Return the summary of accounts with their figures."""
    states = {view.account.key_state for view in views}
    return Summary(
        views=tuple(views),
        figures=summary_of((view.figures for view in views), currency),
        key_state=next((state for state in _WORST_FIRST if state in states), "ok"),
        created_at=user.created_at,
        updated_at=max((view.account.updated_at for view in views), default=user.created_at),
    )
