"""Where operations are begun and looked up: orders, conversions and transfers of an account.

Beginning one writes it down and does nothing yet: a worker does it. The same request under the same
key is the same operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from coffers.clock import Clock, Millis, iso
from coffers.errors import CoffersError, NotFound
from coffers.markets.catalogue import PAPER, Catalogue
from coffers.money import plain
from coffers.portfolio.cursors import cursor_at, id_of
from coffers.portfolio.idempotency import KeyReused, checked_key
from coffers.store.engine import Store
from coffers.store.operations import Operation, Step
from coffers.store.records import Account, AuditEvent

SELL_TO_USD, SELL_TO_BTC = "sell_all_to_usd", "sell_all_to_btc"
CONVERT, TRANSFER, AUTO_BALANCE = "convert_dust_to_bnb", "transfer", "auto_balance"
KINDS: Final = (SELL_TO_USD, SELL_TO_BTC, CONVERT, TRANSFER, AUTO_BALANCE)
"""The kinds of operations."""

MOST_AT_ONCE = 100


def balance_key(account_id: int, planned_at: Millis) -> str:
    """Return what the operation of a run is called that was planned at a moment."""
    return f"{AUTO_BALANCE}:{account_id}:{planned_at}"


class NotAllowed(CoffersError):
    """Something that this account, its key or this server does not allow."""


class NotForAccount(NotAllowed):
    """Something that accounts of this kind do not have."""


class TradingOff(NotAllowed):
    """The operator has not allowed orders and transfers."""

    def __init__(self) -> None:
        super().__init__(
            "orders and transfers are off on this server; its operator can allow them with "
            "COFFERS_TRADING=true"
        )


class OperationFailed(CoffersError):
    """Nothing of an operation was done."""

    def __init__(self, operation: Operation) -> None:
        refused = (step.why for step in operation.steps if step.why)
        super().__init__(operation.why or next(refused, "nothing of it could be done"))
        self.operation_id = operation.id


class OperationRuns(CoffersError):
    """An operation that is not at its end yet; it goes on by itself."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(
            f"it takes longer and goes on; look at it in a while: operation {operation.id}"
        )
        self.operation_id = operation.id


@dataclass(frozen=True, slots=True)
class Wanted:
    """An operation as it was asked for; `key` is what the client calls it."""

    account_id: int
    kind: str
    key: str | None = None
    asked: Mapping[str, object] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The text that tells it apart from others under the same key."""
        return msgspec.json.encode(
            [self.account_id, self.kind, dict(self.asked)], order="sorted"
        ).decode()


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Some operations from the newest on, and where the next page begins."""

    operations: tuple[Operation, ...]
    next_cursor: str | None


class Ledger:
    """Begins operations, and shows them.

    Args:
        store: where they are kept.
        catalogue: what kinds of accounts there are.
        clock: the time.
        is_trading_on: whether the operator has allowed orders and transfers.
    """

    def __init__(
        self, store: Store, catalogue: Catalogue, clock: Clock, *, is_trading_on: bool
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._is_trading_on = is_trading_on

    async def begin(self, user_id: int, wanted: Wanted) -> Operation:
        """Write an operation down, and return it: the one of the same key, where there is one.

        Raises:
            NotFound: when this user has no such account.
            NotAllowed: when it may not be done with this account, or on this server.
            InvalidRecord: for a key that cannot be one.
            KeyReused: when the key is another request's.
        """
        known = await self.known(user_id, wanted)
        if known is not None:
            return known
        now = self._clock.now()
        async with self._store.transaction() as tx:
            # Held, or it could be removed before the operation is written down.
            account = await tx.accounts.held(user_id, wanted.account_id)
            if account is None:
                raise NotFound(f"there is no account {wanted.account_id}")
            self.check(account, wanted.kind)
            operation, is_new = await tx.operations.begin(
                user_id, account.id, wanted.kind, wanted.key, wanted.told, now
            )
            if is_new:
                told = AuditEvent(user_id, now, "operation_begun", str(account.id), wanted.kind)
                await tx.audit.add(told)
        return _the_same(operation, wanted)

    async def known(self, user_id: int, wanted: Wanted) -> Operation | None:
        """Return the operation that was begun under the same key, None where there is none.

        It is answered alike also where nothing of the kind may be begun any more.

        Raises:
            InvalidRecord: for a key that cannot be one.
            KeyReused: when the key is another request's.
        """
        if wanted.key is None:
            return None
        checked_key(wanted.key)
        async with self._store.reading() as tx:
            found = await tx.operations.named(user_id, wanted.key)
        return None if found is None else _the_same(found, wanted)

    def check(self, account: Account, kind: str) -> None:
        """Require that something may be done with an account.

        Raises:
            NotAllowed: saying what stands against it.
        """
        market = self._catalogue.get(account.market_code)
        if account.market_code == PAPER:
            if kind in {CONVERT, TRANSFER}:
                raise NotForAccount(
                    "a paper account has one wallet, and no small amounts to convert"
                )
            return
        if market is None or market.venue is None:
            raise NotForAccount("nothing can be traded in this account: it is at no exchange")
        if not self._is_trading_on:
            raise TradingOff
        if account.is_locked:
            raise NotAllowed("the account is locked: its exchange refuses the key")
        if account.subaccount_name:
            raise NotAllowed("the key is the main account's, which would trade in its place")
        if kind != TRANSFER:
            if account.rights.trade is False:
                raise NotAllowed("the exchange key may not trade")
            if "spot" not in market.market_types or not market.trading_supported:
                raise NotForAccount(f"{market.name} is no spot account, and those alone are traded")

    async def get(self, user_id: int, operation_id: int) -> Operation:
        """Return an operation.

        Raises:
            NotFound: when this user has none of this id.
        """
        async with self._store.reading() as tx:
            found = await tx.operations.get(user_id, operation_id)
        if found is None:
            raise NotFound(f"there is no operation {operation_id}")
        return found

    async def page(
        self,
        user_id: int,
        *,
        limit: int = MOST_AT_ONCE,
        cursor: str | None = None,
        account_id: int | None = None,
        kind: str | None = None,
    ) -> OperationPage:
        """Return a page of operations, the newest first.

        Raises:
            InvalidRecord: for a cursor that no page told.
        """
        before = None if cursor is None else id_of(cursor)
        async with self._store.reading() as tx:
            found = await tx.operations.page(user_id, limit + 1, before, account_id, kind)
        shown = tuple(found[:limit])
        return OperationPage(shown, cursor_at((shown[-1].id,)) if len(found) > limit else None)


def _the_same(operation: Operation, wanted: Wanted) -> Operation:
    asked = operation.asked
    if operation.kind == TRANSFER:
        # What an older release wrote down calls KuCoin's spot wallet as KuCoin does.
        asked = asked.replace(':"trade"', ':"spot"')
    if asked != wanted.told:
        raise KeyReused(wanted.key or "")
    return operation


def plain_operation(operation: Operation) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    return {
        "id": operation.id,
        "account_id": operation.account_id,
        "kind": operation.kind,
        "state": operation.state,
        "why": operation.why,
        "steps": [_plain_step(step) for step in operation.steps],
        "left": dict(operation.left),
        "created_at": iso(operation.created_at),
        "updated_at": iso(operation.updated_at),
    }


def _plain_step(step: Step) -> dict[str, object]:
    amounts = {name: getattr(step, name) for name in ("amount", "filled", "cost", "fee")}
    return {
        "kind": step.kind,
        "base": step.base,
        "quote": step.quote,
        "side": step.side,
        **{name: None if value is None else plain(value) for name, value in amounts.items()},
        "fee_asset": step.fee_asset,
        "state": step.state,
        "why": step.why,
        "client_order_id": step.client_id,
        "exchange_order_id": step.venue_id,
        "updated_at": iso(step.updated_at),
    }
