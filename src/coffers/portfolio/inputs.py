"""What the figures of accounts are made of: read from the store, and kept in memory.

It is kept per account version, so that a new price book costs arithmetic only. What is kept may
vanish at any time.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coffers.clock import HOUR, Millis
from coffers.store.engine import Store, Transaction
from coffers.store.pasts import Counted
from coffers.store.records import Account
from coffers.valuation.amounts import Amount
from coffers.valuation.choices import Choices
from coffers.valuation.history import History
from coffers.valuation.model import Position, PriceBook
from coffers.valuation.value import Holdings, holdings_of, unlisted_of
from coffers.valuation.worths import Amounts

KEPT_INPUTS = 12_000
"""Accounts whose inputs are kept in memory, some more than there is room for in ready lists. One of
20 positions takes some 16 KB. Those of a version before go as soon as newer ones are read: each
flow takes a kilobyte of its own, and an account that trades has hundreds of versions a day."""


_NO_VERSION = -1


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the figures of one account version are made of.

    `amounts` are those of the holdings. `unlisted` are the tokens that count only where two
    sources agree on their price. `history` holds the snapshots that the windows of any moment in
    `since`..`until` need. The user's choices about assets are applied to all of this already;
    `choices` are kept to apply them to prices. A change of them is a new version of the account.
    """

    holdings: Holdings
    amounts: Amounts
    unlisted: Holdings
    ignored: tuple[str, ...]
    choices: Choices
    history: History | None
    since: Millis
    until: Millis

    @classmethod
    def of(
        cls,
        counted: Sequence[Position],
        ignored: tuple[str, ...],
        choices: Choices,
        history: History | None,
        span: tuple[Millis, Millis],
    ) -> "Inputs":
        """Return the inputs of an account with these positions, for the moments of a span."""
        held = holdings_of(counted)
        amounts, unlisted = Amounts.of(held), unlisted_of(counted)
        return cls(held, amounts, unlisted, ignored, choices, history, *span)


class KeptInputs:
    """Reads and keeps inputs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # With the versions that they are of, by account.
        self._inputs: OrderedDict[int, tuple[int, Inputs]] = OrderedDict()

    async def of(
        self, user_id: int, accounts: Sequence[Account], book: PriceBook | None, shown: Amount
    ) -> tuple[list[Account], list[Inputs]]:
        """Return accounts with their inputs, each as it is by now where those had to be read.

        It may have changed since it was listed: the amounts of a later reading with the moment of
        an earlier one would take what was deposited in between for profit.
        """
        kept = [self._kept(account, book, shown) for account in accounts]
        found = [each for each in kept if each is not None]
        if len(found) == len(kept):
            return list(accounts), found
        async with self._store.reading() as tx:
            return await self._read(tx, user_id, accounts, kept, book, shown)

    async def seen_by(
        self,
        tx: Transaction,
        user_id: int,
        accounts: Sequence[Account],
        book: PriceBook | None,
        shown: Amount,
    ) -> tuple[list[Account], list[Inputs]]:
        """Return what `of` does, with such sums of flows as a transaction still sees."""
        kept = [self._kept(account, book, shown) for account in accounts]
        summed = [
            account
            for account, found in zip(accounts, kept, strict=True)
            if found is not None and found.history is not None and found.history.earlier
        ]
        if summed:
            now = await tx.accounts.versions(user_id, [account.id for account in summed])
            changed = {each.id for each in summed if now.get(each.id) != each.version}
            kept = [
                None if account.id in changed else found
                for account, found in zip(accounts, kept, strict=True)
            ]
        return await self._read(tx, user_id, accounts, kept, book, shown)

    async def _read(
        self,
        tx: Transaction,
        user_id: int,
        accounts: Sequence[Account],
        kept: Sequence[Inputs | None],
        book: PriceBook | None,
        shown: Amount,
    ) -> tuple[list[Account], list[Inputs]]:
        """Read the inputs that are not kept."""
        missing = [account for account, found in zip(accounts, kept, strict=True) if found is None]
        newer: dict[int, Account] = {}
        loaded: dict[int, Inputs] = {}
        if missing:
            newer = await _newer(tx, user_id, missing)
            missing = [newer.get(account.id, account) for account in missing]
            loaded = await self._load(tx, user_id, missing, book, shown)
            for account in missing:
                self._inputs[account.id] = account.version, loaded[account.id]
                self._inputs.move_to_end(account.id)
            while len(self._inputs) > KEPT_INPUTS:
                self._inputs.popitem(last=False)
        return [newer.get(account.id, account) for account in accounts], [
            loaded[account.id] if found is None else found
            for account, found in zip(accounts, kept, strict=True)
        ]

    def _kept(self, account: Account, book: PriceBook | None, shown: Amount) -> Inputs | None:
        version, found = self._inputs.get(account.id, (_NO_VERSION, None))
        if found is None or version != account.version:
            return None
        if not found.since <= as_of(account, book) <= found.until:
            return None
        if found.history is not None and not found.history.tells(shown):
            return None
        self._inputs.move_to_end(account.id)
        return found

    async def _load(
        self,
        tx: Transaction,
        user_id: int,
        accounts: list[Account],
        book: PriceBook | None,
        shown: Amount,
    ) -> dict[int, Inputs]:
        ids = [account.id for account in accounts]
        since = min(as_of(account, book) for account in accounts)
        until = max(as_of(account, book) for account in accounts)
        positions = await tx.holdings.of_accounts(user_id, ids)
        choices = await tx.choices.of(user_id)
        histories = await tx.history.windows(
            user_id, ids, since, Millis(until + HOUR), Counted(choices, shown)
        )
        loaded: dict[int, Inputs] = {}
        for account in accounts:
            held = positions.get(account.id, ())
            counted = choices.counted(account.id, held)
            loaded[account.id] = Inputs.of(
                counted,
                choices.left_out(account.id, held),
                choices,
                histories.get(account.id),
                (since, Millis(until + HOUR)),
            )
        return loaded


def as_of(account: Account, book: PriceBook | None) -> Millis:
    """Return the moment that figures speak of: the reading's or the prices', whichever is later."""
    read_at = account.sync.read_at or account.created_at
    return read_at if book is None or read_at > book.at else book.at


async def _newer(tx: Transaction, user_id: int, accounts: Sequence[Account]) -> dict[int, Account]:
    """Return those of the accounts that have changed, as they are now.

    Of one that was removed nothing is known: it is as one that was never read.
    """
    versions = await tx.accounts.versions(user_id, [account.id for account in accounts])
    newer = {}
    for account in accounts:
        if versions.get(account.id) != account.version:
            found = await tx.accounts.get(user_id, account.id)
            newer[account.id] = found or _removed(account)
    return newer


def _removed(account: Account) -> Account:
    return replace(account, version=_NO_VERSION, sync=replace(account.sync, read_at=None))
