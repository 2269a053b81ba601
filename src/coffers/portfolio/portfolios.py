"""Portfolios of a user: which share of an account each asset shall have."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from coffers import money
from coffers.clock import Clock, iso
from coffers.errors import CoffersError, InvalidAmount, InvalidRecord, NotFound
from coffers.money import brief, plain
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.cursors import cursor_at, id_of
from coffers.portfolio.kept import known_assets, why_no_number
from coffers.portfolio.naming import usable_name
from coffers.portfolio.secrecy import told as repeated
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account, AuditEvent, Portfolio
from coffers.valuation.rebalancing import Goal

MOST_PORTFOLIOS: Final = 100
MOST_TARGETS: Final = 50
USUAL_TOLERANCE: Final = "1"
PLACES: Final = 6
"""Decimal places of a share in percent."""

_HIGHEST_TOLERANCE: Final = Decimal(50)


Look = Callable[[Portfolio], None]
"""Looks at a portfolio before it is changed, and raises where that shall not be."""


class PortfolioInUse(CoffersError):
    """A portfolio that accounts are rebalanced to cannot be removed."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        told = ", ".join(f"{each.name} ({each.id})" for each in accounts)
        is_one = len(accounts) == 1
        of = f"account {told}; give it" if is_one else f"accounts {told}; give them"
        super().__init__(f"it is the goal of {of} another one first")


@dataclass(frozen=True, slots=True)
class PortfolioWanted:
    """What a user says of a portfolio: shares and tolerance in percent, as they were written."""

    name: str
    targets: Mapping[str, str]
    tolerance: str = USUAL_TOLERANCE
    sells_others: bool = False


@dataclass(frozen=True, slots=True)
class PortfolioPage:
    """Some portfolios by id, how many there are, and where the next page begins."""

    portfolios: tuple[Portfolio, ...]
    total: int
    next_cursor: str | None


class PortfolioKeeping:
    """Looks after portfolios; another user's is not found."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._newest = NewestBook()

    async def page(
        self, user_id: int, *, limit: int, offset: int = 0, cursor: str | None = None
    ) -> PortfolioPage:
        """Return some of a user's portfolios: so many after an offset, or after a page's cursor.

        Raises:
            InvalidRecord: for a cursor that no page told.
        """
        after = 0 if cursor is None else id_of(cursor)
        async with self._store.reading() as tx:
            total = await tx.portfolios.count(user_id)
            found = await tx.portfolios.page(user_id, offset=offset, limit=limit + 1, after=after)
        shown = tuple(found[:limit])
        more = cursor_at((shown[-1].id,)) if len(found) > limit else None
        return PortfolioPage(shown, total, more)

    async def of_account(self, account: Account) -> Portfolio | None:
        """Return the portfolio that an account is rebalanced to, None without one."""
        portfolio_id = account.auto_balance.portfolio_id
        if portfolio_id is None:
            return None
        async with self._store.reading() as tx:
            return await tx.portfolios.get(account.user_id, portfolio_id)

    async def get(self, user_id: int, portfolio_id: int) -> Portfolio:
        """Return one portfolio.

        Raises:
            NotFound: when this user has none of this id.
        """
        async with self._store.reading() as tx:
            return await found_portfolio(tx, user_id, portfolio_id)

    async def create(self, user_id: int, wanted: PortfolioWanted) -> Portfolio:
        """Add a portfolio.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if await tx.portfolios.count(user_id) >= MOST_PORTFOLIOS:
                told = f"is one too many (maximum is {MOST_PORTFOLIOS} portfolios)"
                raise InvalidRecord({"name": [told]})
            made = await self._checked(tx, user_id, wanted)
            made = await tx.portfolios.add(replace(made, created_at=now, updated_at=now))
            await _note(tx, made, "portfolio_created")
        return made

    async def replace(
        self, user_id: int, portfolio_id: int, wanted: PortfolioWanted, look: Look | None = None
    ) -> Portfolio:
        """Let a portfolio be another one; accounts that use it go to that from their next run on.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted, or as `look` does.
            NotFound: when this user has none of this id.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            before = await found_portfolio(tx, user_id, portfolio_id, is_held=True)
            if look is not None:
                look(before)
            made = await self._checked(tx, user_id, wanted)
            made = replace(made, id=before.id, created_at=before.created_at, updated_at=now)
            await tx.portfolios.replace(made)
            await _note(tx, made, "portfolio_changed")
        return made

    async def remove(self, user_id: int, portfolio_id: int) -> None:
        """Remove a portfolio.

        Raises:
            PortfolioInUse: when an account is rebalanced to it.
            NotFound: when this user has none of this id.
        """
        async with self._store.transaction() as tx:
            known = await found_portfolio(tx, user_id, portfolio_id)
            # Removed first: whoever gives it to an account at the same time waits, and finds none.
            await tx.portfolios.remove(user_id, portfolio_id)
            if used := await tx.portfolios.users_of(user_id, portfolio_id):
                found = [await tx.accounts.get(user_id, each) for each in used]
                raise PortfolioInUse([each for each in found if each is not None])
            await _note(tx, replace(known, updated_at=self._clock.now()), "portfolio_removed")

    async def _checked(self, tx: Transaction, user_id: int, wanted: PortfolioWanted) -> Portfolio:
        shares = _shares(wanted.targets)
        book = await self._newest.read(tx)
        codes = await known_assets(tx, user_id, book, set(shares), "targets")
        if len({*codes.values()}) < len(codes):
            raise InvalidRecord({"targets": ["name an asset twice"]})
        return Portfolio(
            id=0,
            user_id=user_id,
            name=usable_name(wanted.name),
            targets={codes[code]: shares[code] for code in sorted(shares)},
            tolerance=_percent("tolerance", wanted.tolerance, _HIGHEST_TOLERANCE),
            sells_others=wanted.sells_others,
            created_at=self._clock.now(),
            updated_at=self._clock.now(),
        )


async def found_portfolio(
    tx: Transaction, user_id: int, portfolio_id: int, *, is_held: bool = False
) -> Portfolio:
    """Return a portfolio; `is_held` keeps it as it is until the transaction ends.

    Raises:
        NotFound: when this user has none of this id.
    """
    found = None
    if portfolio_id <= MOST_ID:
        found = await tx.portfolios.get(user_id, portfolio_id, is_held=is_held)
    if found is None:
        raise NotFound(f"there is no portfolio {portfolio_id}")
    return found


def goal_of(portfolio: Portfolio) -> Goal:
    """Return what a portfolio asks of a plan."""
    return Goal(portfolio.targets, portfolio.tolerance, portfolio.sells_others)


def plain_portfolio(portfolio: Portfolio) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    return {
        "id": portfolio.id,
        "name": portfolio.name,
        "targets": {asset: plain(share) for asset, share in sorted(portfolio.targets.items())},
        "tolerance": plain(portfolio.tolerance),
        "sells_others": portfolio.sells_others,
        "created_at": iso(portfolio.created_at),
        "updated_at": iso(portfolio.updated_at),
    }


def _shares(targets: Mapping[str, str]) -> dict[str, Decimal]:
    """Return the shares in percent, checked: each above 0, all together exactly 100."""
    if not targets:
        raise InvalidRecord({"targets": ["is missing"]})
    if len(targets) > MOST_TARGETS:
        raise InvalidRecord({"targets": [f"has more than {MOST_TARGETS} values"]})
    shares = {
        code.strip(): _percent("targets", text, money.HUNDRED, f"of {repeated(code, 40)} ")
        for code, text in targets.items()
    }
    if len(shares) < len(targets):
        raise InvalidRecord({"targets": ["name an asset twice"]})
    if any(share <= 0 for share in shares.values()):
        raise InvalidRecord({"targets": ["must be more than zero each"]})
    if (together := money.total(shares.values())) != money.HUNDRED:
        raise InvalidRecord({"targets": [f"must be 100 together, and are {brief(together)}"]})
    return shares


def _percent(name: str, text: str, most: Decimal, whose: str = "") -> Decimal:
    try:
        share = money.parse(text)
    except InvalidAmount:
        raise InvalidRecord({name: [f"{whose}{why_no_number(text)}"]}) from None
    if not 0 <= share <= most:
        raise InvalidRecord({name: [f"{whose}must be from 0 to {brief(most)}"]})
    if money.quotient_down(share, Decimal(1), PLACES) != share:
        raise InvalidRecord({name: [f"{whose}has more than {PLACES} decimal places"]})
    return share


async def _note(tx: Transaction, portfolio: Portfolio, kind: str) -> None:
    told = ", ".join(f"{asset} {plain(share)}" for asset, share in portfolio.targets.items())
    subject = f"portfolio {portfolio.id}"
    await tx.audit.add(AuditEvent(portfolio.user_id, portfolio.updated_at, kind, subject, told))
