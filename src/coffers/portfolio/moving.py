"""Money between a user's own accounts of one exchange key: which ways there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from coffers import money
from coffers.errors import InvalidRecord, NotFound
from coffers.markets.catalogue import Catalogue
from coffers.money import plain
from coffers.portfolio.kept import amount_in
from coffers.portfolio.ledger import TRANSFER, Ledger, NotAllowed, Wanted
from coffers.store.engine import Store
from coffers.store.operations import Operation
from coffers.store.records import Account
from coffers.valuation.model import Position

FAMILIES: Mapping[str, tuple[str, str]] = {
    "binance": ("binance", "spot"),
    "binance_margin": ("binance", "margin"),
    "binance_futures": ("binance", "linear"),
    "binance_futures_coin": ("binance", "inverse"),
    "kucoin": ("kucoin", "spot"),
    "kucoinfutures": ("kucoin", "contract"),
    "gate_io": ("gate", "spot"),
    "gate_io_usdt_perpetual": ("gate", "swap"),
    "bitget": ("bitget", "spot"),
    "bitget_usdt_futures": ("bitget", "swap"),
}
"""Markets whose accounts are wallets of one key: the exchange, and the wallet as the exchange
library calls it."""


class MoveAsked(msgspec.Struct, frozen=True):
    """A transfer as it was asked for: amounts as text, wallets as the exchange library does."""

    currency: str
    amount: str
    source: str
    target: str
    to_account_id: int


@dataclass(frozen=True, slots=True)
class Way:
    """Two accounts that money can go between, and what is free in the first."""

    source: Account
    target: Account
    free: Mapping[str, Decimal]


class Moving:
    """Begins transfers, and tells which are possible."""

    def __init__(self, store: Store, catalogue: Catalogue, ledger: Ledger) -> None:
        self._store = store
        self._catalogue = catalogue
        self._ledger = ledger

    async def begin(
        self,
        user_id: int,
        ends: tuple[int, int],
        moved: tuple[str, str],
        key: str | None,
    ) -> Operation:
        """Write a transfer down: `ends` are the accounts from and to, `moved` asset and amount.

        Raises:
            InvalidRecord: naming the parameter that cannot be meant.
            NotFound: when this user lacks one of the accounts.
            NotAllowed, KeyReused: as `Ledger.begin`.
        """
        currency, text = moved
        amount = amount_in("amount", text)
        source, target = [await self._account(user_id, account_id) for account_id in ends]
        market = self._catalogue.get(source.market_code)
        if market is None or not currency.isalnum():
            raise InvalidRecord({"currency": ["is invalid"]})
        asked = {
            "currency": currency.upper(),
            "amount": f"{amount:f}",
            "source": _wallet(source),
            "target": _wallet(target),
            "to_account_id": target.id,
        }
        wanted = Wanted(source.id, TRANSFER, key, asked)
        known = await self._ledger.known(user_id, wanted)
        if known is not None:
            return known
        if not _is_way(source, target):
            raise InvalidRecord(
                {"to_account_id": ["is no account of the same exchange key; see transfer_data"]}
            )
        return await self._ledger.begin(user_id, wanted)

    async def ways(self, user_id: int, mode: str) -> list[Way]:
        """Return the transfers that are possible between a user's accounts."""
        async with self._store.reading() as tx:
            accounts = [each for each in await tx.accounts.of_user(user_id) if each.mode == mode]
            found = [
                (source, target)
                for source in accounts
                for target in accounts
                if _is_way(source, target) and self._may(source)
            ]
            held = {
                account_id: await tx.holdings.of_account(user_id, account_id)
                for account_id in {source.id for source, _ in found}
            }
        return [Way(source, target, _free(held[source.id])) for source, target in found]

    async def history(
        self,
        user_id: int,
        account_id: int,
        currency: str,
        since: int,
        page: tuple[int, int],
    ) -> list[Operation]:
        """Return the transfers from or to an account since a moment, the newest first.

        `page` is the number of a page, from 1, and how many are on one.

        Raises:
            NotFound: when this user has no such account.
        """
        await self._account(user_id, account_id)
        number, size = page
        async with self._store.reading() as tx:
            found = await tx.operations.transfers(user_id)
        wanted = [
            each
            for each in found
            if each.created_at >= since and _is_of(each, account_id, currency)
        ]
        return wanted[(number - 1) * size : number * size]

    def _may(self, account: Account) -> bool:
        try:
            self._ledger.check(account, TRANSFER)
        except NotAllowed:
            return False
        return True

    async def _account(self, user_id: int, account_id: int) -> Account:
        async with self._store.reading() as tx:
            account = await tx.accounts.get(user_id, account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id}")
        return account


def plain_way(way: Way) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    return {
        "from_account_id": way.source.id,
        "from_account_name": way.source.name,
        "to_account_id": way.target.id,
        "to_account_name": way.target.name,
        "currencies": [
            {"currency": asset, "available": plain(amount)}
            for asset, amount in sorted(way.free.items())
        ],
    }


def _is_of(operation: Operation, account_id: int, currency: str) -> bool:
    moved = msgspec.convert(msgspec.json.decode(operation.asked)[2], MoveAsked)
    ends = {operation.account_id, moved.to_account_id}
    return account_id in ends and moved.currency == currency


def _wallet(account: Account) -> str | None:
    """Return the wallet that an account stands for, None where nothing is moved from or to it."""
    known = FAMILIES.get(account.market_code)
    return None if known is None else known[1]


def _is_way(source: Account, target: Account) -> bool:
    one, other = FAMILIES.get(source.market_code), FAMILIES.get(target.market_code)
    return (
        one is not None
        and other is not None
        and one[0] == other[0]
        and one[1] != other[1]
        and bool(source.api_key)
        and source.api_key == target.api_key
        and not (source.subaccount_name or target.subaccount_name)
    )


def _free(positions: Sequence[Position]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in positions:
        if each.free > 0:
            found[each.asset] = money.add(found.get(each.asset, money.ZERO), each.free)
    return found
