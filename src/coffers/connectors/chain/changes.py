"""What one transaction changed in a wallet, as a deposit or a withdrawal."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from coffers import money
from coffers.clock import Millis
from coffers.valuation.model import Flow


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction added to one asset of a wallet, negative where it took away.

    `id` names the asset within the transaction and never changes. The fee is not in `amount`.
    """

    id: str
    asset: str
    venue_code: str
    amount: Decimal


def flows_of(
    txid: str, at: Millis, changes: list[Change], fee: Decimal, fee_asset: str
) -> list[Flow]:
    """Return the flows of a transaction. Its fee, zero where others paid it, goes with what left.

    A fee that was paid for nothing else leaving is part of no flow.
    """
    flows = []
    for change in changes:
        if not change.amount:
            continue
        is_out = change.amount < 0
        flows.append(
            Flow(
                external_id=f"{txid}:{change.id}",
                direction="out" if is_out else "in",
                asset=change.asset,
                venue_code=change.venue_code,
                amount=abs(change.amount),
                fee=fee if is_out else money.ZERO,
                fee_asset=fee_asset,
                at=at,
                txid=txid,
            )
        )
        if is_out:
            fee = money.ZERO
    return flows


def dated(flows: Iterable[Flow], shown: Collection[str]) -> dict[tuple[str, str], Millis | None]:
    """Return what a reading says of flows whose transactions the balances before had already.

    They were told late: their own date is when they counted first. `shown` are the transactions.
    """
    return {(each.direction, each.external_id): None for each in flows if each.txid in shown}
