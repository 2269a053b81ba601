"""Deposits and withdrawals as rows, and back."""

from typing import Any

from coffers.valuation.model import Flow, Value


def flow_of(row: Any) -> Flow:  # noqa: ANN401 - of either driver
    """Return the flow of a row of the table."""
    return Flow(
        external_id=row.external_id,
        direction=row.direction,
        asset=row.asset,
        venue_code=row.venue_code,
        amount=row.amount,
        fee=row.fee,
        fee_asset=row.fee_asset,
        at=row.at,
        value=None if row.btc is None or row.usd is None else Value(row.btc, row.usd),
        txid=row.txid,
    )


def flow_columns(user_id: int, account_id: int, flow: Flow) -> dict[str, object]:
    """Return the row of a flow."""
    return {
        "user_id": user_id,
        "account_id": account_id,
        "direction": flow.direction,
        "external_id": flow.external_id,
        "asset": flow.asset,
        "venue_code": flow.venue_code,
        "amount": flow.amount,
        "fee": flow.fee,
        "fee_asset": flow.fee_asset,
        "at": flow.at,
        "txid": flow.txid,
        **worth_columns(flow),
    }


def worth_columns(flow: Flow) -> dict[str, object]:
    """Return the columns that hold what a flow was worth."""
    value = flow.value
    return {
        "btc": None if value is None else value.btc,
        "usd": None if value is None else value.usd,
    }
