"""The calls of paper accounts."""

from collections.abc import Mapping
from decimal import Decimal

from msgspec.json import Decoder

from coffers.client import answers
from coffers.client.call import Call, Parameter, keyed, texts

_paper = Decoder(answers.PaperAccount).decode
_order = Decoder(answers.PaperOrder).decode
_orders = Decoder(answers.PaperOrders).decode


def create_paper(
    name: str,
    balances: Mapping[str, Decimal],
    fee: Decimal | None = None,
    *,
    idempotency_key: str | None = None,
) -> Call[answers.PaperAccount]:
    """Make a paper account."""
    asked: dict[str, Parameter] = {"name": name, "balances": texts(balances), "fee": fee}
    return Call("POST", "/v1/paper_accounts", _paper, asked, keyed(idempotency_key))


def paper(account_id: int) -> Call[answers.PaperAccount]:
    """A paper account."""
    return Call("GET", f"/v1/paper_accounts/{account_id}", _paper)


def paper_deposit(account_id: int, asset: str, amount: Decimal) -> Call[answers.PaperAccount]:
    """Put something into a paper account."""
    asked: dict[str, Parameter] = {"asset": asset, "amount": amount}
    return Call("POST", f"/v1/paper_accounts/{account_id}/deposits", _paper, asked)


def paper_withdraw(account_id: int, asset: str, amount: Decimal) -> Call[answers.PaperAccount]:
    """Take something out of a paper account."""
    asked: dict[str, Parameter] = {"asset": asset, "amount": amount}
    return Call("POST", f"/v1/paper_accounts/{account_id}/withdrawals", _paper, asked)


def paper_order(
    account_id: int,
    side: str,
    pair: tuple[str, str],
    *,
    amount: Decimal | None = None,
    quote_amount: Decimal | None = None,
    idempotency_key: str | None = None,
) -> Call[answers.PaperOrder]:
    """Fill an order in a paper account; `pair` is (base, quote)."""
    asked: dict[str, Parameter] = {"side": side, "base": pair[0], "quote": pair[1]}
    asked |= {"amount": amount, "quote_amount": quote_amount}
    path = f"/v1/paper_accounts/{account_id}/orders"
    return Call("POST", path, _order, asked, keyed(idempotency_key))


def paper_order_page(
    account_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Call[answers.PaperOrders]:
    """One page of the orders of a paper account, newest first."""
    asked = {"limit": limit, "cursor": cursor}
    return Call("GET", f"/v1/paper_accounts/{account_id}/orders", _orders, asked)


def paper_reset(
    account_id: int, balances: Mapping[str, Decimal] | None = None
) -> Call[answers.PaperAccount]:
    """Begin a paper account anew."""
    asked = {} if balances is None else {"balances": texts(balances)}
    return Call("POST", f"/v1/paper_accounts/{account_id}/reset", _paper, asked)
