"""The calls of what is done at exchanges, and of transfers."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.json import Decoder

from coffers.client import accounts as form
from coffers.client import answers
from coffers.client.call import Call, Parameter, keyed

_account = Decoder(form.Account).decode
_operation = Decoder(answers.Operation).decode
_operations = Decoder(answers.Operations).decode
_converted = Decoder(answers.Converted).decode
_ways = Decoder(list[answers.Way]).decode
_transfers = Decoder(list[answers.Transfer]).decode

_A = "/ver1/accounts"


def sell_all_to_usd(account_id: int, *, idempotency_key: str | None = None) -> Call[form.Account]:
    """Sell all that is free in an account for dollars; the account afterwards."""
    return Call("POST", f"{_A}/{account_id}/sell_all_to_usd", _account, {}, keyed(idempotency_key))


def sell_all_to_btc(account_id: int, *, idempotency_key: str | None = None) -> Call[form.Account]:
    """Sell all that is free in an account for bitcoin; the account afterwards."""
    return Call("POST", f"{_A}/{account_id}/sell_all_to_btc", _account, {}, keyed(idempotency_key))


def convert_dust_to_bnb(
    account_id: int, codes: Sequence[str] | None = None, *, idempotency_key: str | None = None
) -> Call[answers.Converted]:
    """Turn small amounts into BNB: those of `codes`, or all that are taken."""
    path, asked = f"{_A}/{account_id}/convert_dust_to_bnb", {"codes": codes}
    return Call("POST", path, _converted, asked, keyed(idempotency_key))


def transfer(
    ends: tuple[int, int], currency: str, amount: Decimal, *, idempotency_key: str | None = None
) -> Call[answers.Operation]:
    """Move money between two accounts of one key: `ends` are the ids from and to."""
    asked: dict[str, Parameter] = {"currency": currency, "amount": amount}
    asked |= {"from_account_id": ends[0], "to_account_id": ends[1]}
    return Call("POST", f"{_A}/transfer", _operation, asked, keyed(idempotency_key))


def transfer_data() -> Call[list[answers.Way]]:
    """The accounts that money can go between."""
    return Call("GET", f"{_A}/transfer_data", _ways)


def transfer_history(
    account_id: int, currency: str, *, page: int | None = None, per_page: int | None = None
) -> Call[list[answers.Transfer]]:
    """Transfers from or to an account, newest first."""
    asked: dict[str, Parameter] = {"account_id": account_id, "currency": currency}
    asked |= {"page": page, "per_page": per_page}
    return Call("GET", f"{_A}/transfer_history", _transfers, asked)


def operation(operation_id: int) -> Call[answers.Operation]:
    """What was done at an exchange, step by step."""
    return Call("GET", f"/v1/operations/{operation_id}", _operation)


def operation_page(
    *, account_id: int | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[answers.Operations]:
    """One page of operations, newest first."""
    asked = {"account_id": account_id, "limit": limit, "cursor": cursor}
    return Call("GET", "/v1/operations", _operations, asked)
