"""What TronGrid's rows say that a transaction moved into or out of an address."""

from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import Any

from coffers.connectors.chain.answers import odd_answer

_QUIET = frozenset(
    {
        "AccountPermissionUpdateContract",
        "AccountUpdateContract",
        "CancelAllUnfreezeV2Contract",
        "ClearABIContract",
        "DelegateResourceContract",
        "FreezeBalanceContract",
        "FreezeBalanceV2Contract",
        "ProposalApproveContract",
        "ProposalCreateContract",
        "ProposalDeleteContract",
        "SetAccountIdContract",
        "TransferAssetContract",
        "UnDelegateResourceContract",
        "UnfreezeAssetContract",
        "UnfreezeBalanceContract",
        "UnfreezeBalanceV2Contract",
        "UpdateAssetContract",
        "UpdateBrokerageContract",
        "UpdateEnergyLimitContract",
        "UpdateSettingContract",
        "VoteWitnessContract",
        "WithdrawBalanceContract",
        "WithdrawExpireUnfreezeContract",
        "WitnessUpdateContract",
        "AccountCreateContract",
    }
)
"""Kinds of transactions that move coins only within the account's own parts, or none but a fee."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a row moved: raw, negative out of the address; `fee` was paid by the address.

    `is_told` is False for kinds of transactions of which this is not known.
    """

    txid: str
    amount: int
    fee: int = 0
    is_told: bool = True


def coins_moved(row: dict[str, Any], own: Collection[str]) -> Moved:
    """Return the sun that a row of `/transactions` moved; `own` are both forms of the address.

    Raises:
        ConnectorFailure: when the row has not the form of such.
    """
    if "internal_tx_id" in row:
        return _within(row, own)
    contract, value = _contract(row)
    txid, result = row.get("txID"), _result(row)
    if not isinstance(txid, str):
        raise odd_answer("a transaction")
    is_payer = value.get("owner_address") in own
    fee = _count(result.get("fee")) if is_payer else 0
    if result.get("contractRet", "SUCCESS") != "SUCCESS":
        return Moved(txid, 0, fee)
    if contract == "TransferContract":
        sent = _count(value.get("amount")) * (is_payer - (value.get("to_address") in own))
        return Moved(txid, -sent, fee)
    if contract in {"TriggerSmartContract", "CreateSmartContract"}:
        sent = _count(value.get("call_value")) if is_payer else 0
        is_self = value.get("contract_address") in own
        return Moved(txid, 0 if is_self else -sent, fee)
    return Moved(txid, 0, fee, is_told=contract in _QUIET)


def token_moved(
    row: dict[str, Any], own: Collection[str], listed: Container[str]
) -> tuple[str, Moved] | None:
    """Return the contract and what a row of `/transactions/trc20` moved of a listed token.

    None for an approval and for any other token; of one that it does not know the index tells not
    even the contract, and whoever made it may have logged what he liked.

    Raises:
        ConnectorFailure: when the row has not the form of such.
    """
    token = row.get("token_info")
    if row.get("type") != "Transfer" or token == {}:
        return None
    contract = token.get("address") if isinstance(token, dict) else None
    if not isinstance(contract, str):
        raise odd_answer("a transfer")
    if contract not in listed:
        return None
    value, txid = row.get("value"), row.get("transaction_id")
    is_number = isinstance(value, str) and value.isascii() and value.isdigit()
    if not is_number or not isinstance(txid, str):
        raise odd_answer("a transfer")
    sign = (row.get("to") in own) - (row.get("from") in own)
    return contract, Moved(txid, sign * int(str(value)))


def _within(row: dict[str, Any], own: Collection[str]) -> Moved:
    """Return what a contract sent while a transaction ran."""
    txid, data = row.get("tx_id"), row.get("data")
    if not isinstance(txid, str) or not isinstance(data, dict):
        raise odd_answer("a transaction")
    value = data.get("call_value")
    told = value.get("_") if isinstance(value, dict) else value
    amount = 0 if data.get("rejected") else _count(told)
    sign = (row.get("to_address") in own) - (row.get("from_address") in own)
    return Moved(txid, sign * amount)


def _contract(row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    try:
        contract = row["raw_data"]["contract"][0]
        kind, value = contract["type"], contract["parameter"]["value"]
    except (KeyError, IndexError, TypeError):
        raise odd_answer("a transaction") from None
    if not isinstance(kind, str) or not isinstance(value, dict):
        raise odd_answer("a transaction")
    return kind, value


def _result(row: dict[str, Any]) -> dict[str, Any]:
    results = row.get("ret")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise odd_answer("a transaction")
    return results[0]


def _count(number: object) -> int:
    """Return a number that nodes leave out when it is zero."""
    if number is None:
        return 0
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise odd_answer("a transaction")
    return number
