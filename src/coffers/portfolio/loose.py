"""Hand-kept accounts: their owner says what is in them, and says it anew when it changes."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from coffers.clock import Clock
from coffers.errors import NotFound
from coffers.keyrights import KeyRights
from coffers.markets.assets import is_of_one_venue
from coffers.markets.catalogue import MANUAL
from coffers.portfolio.accounts import MOST_ID, changes_of, told_of
from coffers.portfolio.idempotency import OFTEN, Once, add_once
from coffers.portfolio.kept import Look, Said, amounts_said, said_of
from coffers.portfolio.naming import usable_name
from coffers.portfolio.visibility import visible
from coffers.store.engine import Store, Transaction
from coffers.store.newest import NewestBook
from coffers.store.records import Account, Asset, AuditEvent, NewAccount
from coffers.sync.kept import Kept, put_amounts, put_flows, taken_over
from coffers.valuation.model import PriceBook

CODES, AMOUNTS = "tokens[code][]", "tokens[amount][]"
"""The parameters that tell what is held."""

Also = Callable[[Transaction, Account], Awaitable[None]]
"""What is done with a new account in the transaction that adds it."""

NO_KEY = KeyRights(read=True, trade=False, withdraw=False)
"""What may be done with an account that there is no key of."""


@dataclass(frozen=True, slots=True)
class HandKept:
    """What a user says of a hand-kept account. None leaves the name or the choice as it is.

    `adds_up` tells whether an asset may be there twice; `once` is what makes one new account alone.
    """

    codes: Sequence[str]
    amounts: Sequence[str]
    name: str | None = None
    include_in_summary: bool | None = None
    adds_up: bool = True
    once: Once = OFTEN


@dataclass(frozen=True, slots=True)
class CurrenciesWanted:
    """Which currencies are asked for: those with `contains` in their code or name."""

    contains: str = ""
    limit: int = 100
    offset: int = 0


class LooseAccounts:
    """Keeps the accounts whose owners say what is in them.

    `added` are the ids of the operator's own chains.
    """

    def __init__(self, store: Store, clock: Clock, added: Collection[str] = ()) -> None:
        self._store = store
        self._added = added
        self._clock = clock
        self._newest = NewestBook()

    async def create(self, user_id: int, asked: HandKept, also: Also | None = None) -> Account:
        """Add an account that holds what is said; that is its opening deposit.

        `also` is done in the same transaction: it and the account are stored, or neither.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted.
            AlreadyConnected, KeyReused: for what makes one account alone, as `add_once`.
        """
        said = _said(asked)
        new = NewAccount(
            user_id=user_id,
            market_code=MANUAL,
            name=usable_name(asked.name or ""),
            include_in_summary=asked.include_in_summary is not False,
            rights=NO_KEY,
        )
        async with self._store.transaction() as tx:
            now = self._clock.now()
            told = (asked.name, asked.codes, asked.amounts, asked.include_in_summary)
            account, was_there = await add_once(tx, new, asked.once, told, now)
            if was_there:
                return account
            await tx.events.add(user_id, [told_of(account, "account_connected", now)])
            kept = await self._taken(tx, user_id, account.id)
            await put_amounts(tx, kept, await amounts_said(tx, kept, said, self._added))
            await self._note(tx, kept, "account_connected", MANUAL)
            if also is not None:
                await also(tx, account)
        return await self._get(user_id, account.id)

    async def replace(
        self, user_id: int, account_id: int, asked: HandKept, look: Look | None = None
    ) -> Account:
        """Let an account hold what is said now; the difference came in or left at this moment.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted, or as `look` does.
            NotFound: when this user has no hand-kept account of this id.
        """
        said = _said(asked)
        name = None if asked.name is None else usable_name(asked.name)
        async with self._store.transaction() as tx:
            kept = await self._taken(tx, user_id, account_id)
            if look is not None:
                look(kept.amounts)
            await put_flows(tx, kept, await amounts_said(tx, kept, said, self._added))
            if name is not None:
                await tx.accounts.rename(user_id, account_id, name, kept.at)
            if asked.include_in_summary is not None:
                await tx.accounts.include(
                    user_id, account_id, kept.at, in_summary=asked.include_in_summary
                )
            changes = changes_of(kept.account, kept.at, name, in_summary=asked.include_in_summary)
            await tx.events.add(user_id, changes)
            await self._note(tx, kept, "holdings_changed", f"{len(said.pairs)} assets")
        return await self._get(user_id, account_id)

    async def currencies(
        self, user_id: int, book: PriceBook | None, wanted: CurrenciesWanted
    ) -> tuple[Asset, ...]:
        """Return the assets that have a price in a book and that a user may know of, by code."""
        async with self._store.reading() as tx:
            seen = (await visible(tx, user_id, book)).codes()
            seen = {code for code in seen if not is_of_one_venue(code)}
            codes = set() if book is None else seen & book.prices.keys()
            known = await tx.assets.of(codes)
        priced = (known.get(code, Asset(code)) for code in sorted(codes))
        text = wanted.contains.lower()
        found = [each for each in priced if text in f"{each.code}\n{each.name or ''}".lower()]
        return tuple(found[wanted.offset : wanted.offset + wanted.limit])

    async def _taken(self, tx: Transaction, user_id: int, account_id: int) -> Kept:
        if account_id > MOST_ID:
            raise NotFound(f"there is no such account {account_id}")
        return await taken_over(tx, self._newest, self._clock, (user_id, account_id), MANUAL)

    async def _get(self, user_id: int, account_id: int) -> Account:
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
        if account is None:
            raise NotFound(f"there is no such account {account_id}")
        return account

    async def _note(self, tx: Transaction, kept: Kept, kind: str, told: str) -> None:
        account = kept.account
        await tx.audit.add(AuditEvent(account.user_id, kept.at, kind, str(account.id), told))


def _said(asked: HandKept) -> Said:
    said = said_of(asked.codes, asked.amounts, (CODES, AMOUNTS))
    return replace(said, adds_up=asked.adds_up)
