"""Paper accounts: made-up balances at real prices, for trying things out without money."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from coffers import money
from coffers.clock import Clock, iso
from coffers.errors import CoffersError, InvalidAmount, InvalidRecord, NotFound
from coffers.markets.catalogue import PAPER
from coffers.money import brief, plain
from coffers.portfolio.accounts import MOST_ID, told_of
from coffers.portfolio.idempotency import OFTEN, Once, add_once
from coffers.portfolio.kept import (
    Look,
    Said,
    amount_in,
    amounts_said,
    known_assets,
    said_of,
    why_no_number,
)
from coffers.portfolio.loose import NO_KEY
from coffers.portfolio.naming import usable_name
from coffers.portfolio.paper_fills import PLACES
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.paper import PaperTerms
from coffers.store.records import Account, AuditEvent, NewAccount
from coffers.sync.kept import Amounts, Kept, put_amounts, put_flows, taken_over
from coffers.valuation.value import holdings_of

USUAL_FEE = "0.001"
"""The share of what an order brings that is taken, where nothing else is said."""

HIGHEST_FEE = Decimal("0.1")

Direction = Literal["in", "out"]


class NotEnough(CoffersError):
    """A paper account has less of an asset than is asked of it."""

    def __init__(self, asset: str, asked: Decimal, has: Decimal) -> None:
        super().__init__(
            f"the account has {brief(has)} {asset}, and {brief(asked)} are asked of it"
        )


@dataclass(frozen=True, slots=True)
class NewPaper:
    """What a user says of a paper account that is to be made.

    `once` is what makes one account alone.
    """

    name: str
    balances: Mapping[str, str]
    fee: str = USUAL_FEE
    once: Once = OFTEN


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """A paper account with its terms, and what it holds."""

    account: Account
    terms: PaperTerms
    amounts: Amounts


class PaperAccounts:
    """Makes paper accounts, puts money in and out, and begins them anew.

    `added` are the ids of the operator's own chains.
    """

    def __init__(self, store: Store, clock: Clock, added: Collection[str] = ()) -> None:
        self._store = store
        self.added = added
        self._clock = clock
        self._newest = NewestBook()

    async def create(self, user_id: int, asked: NewPaper) -> PaperAccount:
        """Add a paper account; what it starts with is its opening deposit.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted.
            AlreadyConnected, KeyReused: for what makes one account alone, as `add_once`.
        """
        said, fee = start_of(asked.balances), fee_of(asked.fee)
        name = usable_name(asked.name)
        new = NewAccount(user_id, PAPER, name, mode="paper", rights=NO_KEY)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            told = (asked.name, asked.balances, asked.fee)
            account, was_there = await add_once(tx, new, asked.once, told, now)
            if not was_there:
                await tx.events.add(user_id, [told_of(account, "account_connected", now)])
                kept = await self.taken(tx, user_id, account.id)
                start = await amounts_said(tx, kept, said, self.added)
                await tx.paper.set_terms(user_id, account.id, PaperTerms(fee, start))
                await put_amounts(tx, kept, start)
                await note(tx, kept, "account_connected", PAPER)
        return await self.get(user_id, account.id)

    async def get(self, user_id: int, account_id: int) -> PaperAccount:
        """Return a paper account.

        Raises:
            NotFound: when this user has none of this id.
        """
        if account_id > MOST_ID:
            raise _none(account_id)
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
            terms = await tx.paper.terms(user_id, account_id)
            held = holdings_of(await tx.holdings.of_account(user_id, account_id))
        if account is None or terms is None:
            raise _none(account_id)
        return PaperAccount(account, terms, held)

    async def move(
        self,
        user_id: int,
        account_id: int,
        direction: Direction,
        asset: str,
        amount: str,
        look: Look | None = None,
    ) -> PaperAccount:
        """Put money into an account or take it out, which is no profit and no loss.

        Raises:
            InvalidRecord: for an asset that is not known, or an amount that is none, or as `look`
                does.
            NotEnough: when the account has less.
            NotFound: when this user has no paper account of this id.
        """
        moved = amount_in("amount", amount, PLACES)
        async with self._store.transaction() as tx:
            kept = await self.taken(tx, user_id, account_id)
            if look is not None:
                look(kept.amounts)
            code = (await known_assets(tx, user_id, kept.book, {asset}, "asset", self.added))[asset]
            change = moved if direction == "in" else moved.copy_negate()
            await put_flows(tx, kept, changed_by(kept.amounts, {code: change}))
            told = f"{direction} {plain(moved)} {code}"
            await note(tx, kept, "paper_money_moved", told)
        return await self.get(user_id, account_id)

    async def reset(
        self, user_id: int, account_id: int, balances: Mapping[str, str] | None = None
    ) -> PaperAccount:
        """Begin an account anew: its orders, flows and snapshots are forgotten.

        It holds `balances` then, and for every later reset; without them what it started with.

        Raises:
            InvalidRecord: for balances that cannot be.
            NotFound: when this user has no paper account of this id.
        """
        said = None if balances is None else start_of(balances)
        async with self._store.transaction() as tx:
            kept = await self.taken(tx, user_id, account_id)
            # Read once it is taken over: another reset may have said what it starts with.
            terms = await tx.paper.terms(user_id, account_id)
            if terms is None:
                raise _none(account_id)
            start = terms.start if said is None else await amounts_said(tx, kept, said, self.added)
            # Whoever looks for transfers now would wait for those that go, and this for them.
            await tx.transfers.lock(user_id)
            await tx.paper.forget_past(user_id, account_id)
            await tx.paper.set_terms(user_id, account_id, PaperTerms(terms.fee, start))
            await put_amounts(tx, kept, start)
            await note(tx, kept, "paper_reset", f"{len(start)} assets")
        return await self.get(user_id, account_id)

    async def taken(self, tx: Transaction, user_id: int, account_id: int) -> Kept:
        """Take over a paper account to the end of a transaction.

        Raises:
            NotFound: when this user has none of this id.
        """
        if account_id > MOST_ID:
            raise _none(account_id)
        return await taken_over(tx, self._newest, self._clock, (user_id, account_id), PAPER)


def changed_by(before: Amounts, changes: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return what is held after changes; what comes to nothing is absent.

    Raises:
        NotEnough: where more is taken than there is.
    """
    after = dict(before)
    for asset, change in changes.items():
        has = after.get(asset, money.ZERO)
        left = money.add(has, change)
        if left < 0:
            raise NotEnough(asset, change.copy_abs(), has)
        after[asset] = left
    return {asset: amount for asset, amount in after.items() if amount}


def start_of(balances: Mapping[str, str]) -> Said:
    """Return what an account is to start with, as it was said.

    Raises:
        InvalidRecord: for amounts that are none.
    """
    names = ("balances", "balances")
    said = said_of(list(balances), list(balances.values()), names, PLACES)
    return replace(said, adds_up=False)


def fee_of(text: str) -> Decimal:
    """Return a fee, as the share of what comes in.

    Raises:
        InvalidRecord: for one below 0 or above `HIGHEST_FEE`, or that is no number.
    """
    try:
        fee = money.parse(text)
    except InvalidAmount:
        raise InvalidRecord({"fee": [why_no_number(text)]}) from None
    if not 0 <= fee <= HIGHEST_FEE or money.quotient_down(fee, Decimal(1), PLACES) != fee:
        told = f"must be from 0 to {plain(HIGHEST_FEE)}, with at most {PLACES} decimal places"
        raise InvalidRecord({"fee": [told]})
    return fee


async def note(tx: Transaction, kept: Kept, kind: str, told: str) -> None:
    """Keep in the trail what was done with an account."""
    account = kept.account
    await tx.audit.add(AuditEvent(account.user_id, kept.at, kind, str(account.id), told))


def as_plain(paper: PaperAccount) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    account, terms = paper.account, paper.terms
    return {
        "id": account.id,
        "name": account.name,
        "market_code": account.market_code,
        "mode": account.mode,
        "fee": plain(terms.fee),
        "start": _plain_amounts(terms.start),
        "balances": _plain_amounts(paper.amounts),
        "created_at": iso(account.created_at),
        "updated_at": iso(account.updated_at),
    }


def _plain_amounts(amounts: Amounts) -> dict[str, str]:
    return {asset: plain(amount) for asset, amount in sorted(amounts.items())}


def _none(account_id: int) -> NotFound:
    return NotFound(f"there is no paper account {account_id}")
