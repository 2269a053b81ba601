"""The open derivative positions of an account, as its last readings found them."""

from dataclasses import dataclass
from decimal import Decimal

from coffers.clock import iso
from coffers.money import plain
from coffers.store.engine import Store
from coffers.store.records import Account
from coffers.valuation.contract import Contract


@dataclass(frozen=True, slots=True)
class OpenContracts:
    """An account and its open positions, by wallet and in the venue's order."""

    account: Account
    contracts: tuple[Contract, ...]


async def open_contracts(store: Store, account: Account) -> OpenContracts:
    """Return the open positions of an account.

    Raises:
        StoreUnavailable: when the database does not answer.
    """
    async with store.reading() as tx:
        found = await tx.holdings.contracts_of(account.user_id, account.id)
    return OpenContracts(account, tuple(found))


def as_plain(found: OpenContracts) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields.

    Before the first reading it is not known what is open: `contracts` is None, not empty.
    """
    account, sync = found.account, found.account.sync
    listed = [_contract(contract) for contract in found.contracts]
    return {
        "account_id": account.id,
        "read_at": None if sync.read_at is None else iso(sync.read_at),
        "missing_wallets": list(sync.missing_wallets),
        "hedge_mode_enabled": account.hedge_mode,
        "contracts": None if sync.read_at is None else listed,
    }


def _contract(contract: Contract) -> dict[str, object]:
    return {
        "wallet": contract.wallet,
        "symbol": contract.symbol,
        "venue_code": contract.venue_code,
        "side": contract.side,
        "size": plain(contract.size),
        "unit": contract.unit,
        "settled_in": contract.settled_in,
        "leverage": _text(contract.leverage),
        "entry_price": _text(contract.entry_price),
        "mark_price": _text(contract.mark_price),
        "unrealised": _text(contract.unrealised),
        "margin_mode": contract.margin_mode,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
