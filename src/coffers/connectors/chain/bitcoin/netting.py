"""What a wallet's transactions mean for it as a whole, whichever of its addresses they touch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from coffers.clock import Millis
from coffers.connectors.chain.bitcoin.backend import Paid, Spent, Transaction
from coffers.valuation.model import Flow

IsOwn = Callable[[bytes], bool]
"""Whether a script is one of the wallet's."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What counts and what is only on its way, in the smallest unit.

    `left` are the ids of those transactions in no block yet of which all that they move is counted,
    so that each is what it will be in its block.
    """

    owned: int
    pending: int
    left: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Coin:
    """How the network's amounts are written, and the `most` there can be, in the smallest unit."""

    asset: str
    decimals: int
    most: int

    def amount(self, units: int) -> Decimal:
        """Return so many smallest units in units of the asset, exactly."""
        return Decimal(units).scaleb(-self.decimals)


def settled_amounts(
    confirmed: int, unconfirmed: Mapping[str, Transaction], is_own: IsOwn
) -> Amounts:
    """Return what is owned once the transactions that are in no block yet are taken in.

    Money that they spend has left. What they pay back to the wallet counts up to what they took
    from it, as change does; what goes beyond that came from others, may never be confirmed, and is
    pending. The change of a transaction that spends pending money is pending as well.
    """
    counted: dict[tuple[str, int], int] = {}
    owned, pending = confirmed, 0
    left: set[str] = set()
    for transaction in _parents_first(unconfirmed):
        spent = [one for one in transaction.inputs if is_own(one.script)]
        taken = sum(counted.get((one.txid, one.place), one.amount) for one in spent)
        owned -= taken
        pending -= sum(one.amount for one in spent) - taken
        is_whole = taken == sum(one.amount for one in spent)
        grant = taken
        for place, paid in enumerate(transaction.outputs):
            if is_own(paid.script):
                part = min(paid.amount, grant)
                counted[transaction.txid, place] = part
                grant -= part
                owned += part
                pending += paid.amount - part
                is_whole &= part == paid.amount
        if spent and is_whole:
            left.add(transaction.txid)
    return Amounts(owned, pending, frozenset(left))


def _parents_first(unconfirmed: Mapping[str, Transaction]) -> Iterable[Transaction]:
    """Yield each transaction after those whose outputs it spends."""
    done: set[str] = set()
    waiting = list(unconfirmed.values())[::-1]
    while waiting:
        transaction = waiting[-1]
        needed = {one.txid for one in transaction.inputs} & unconfirmed.keys() - done
        if transaction.txid in done or not needed:
            waiting.pop()
            if transaction.txid not in done:
                done.add(transaction.txid)
                yield transaction
        else:
            waiting.extend(unconfirmed[txid] for txid in sorted(needed))


def flow_of(transaction: Transaction, is_own: IsOwn, coin: Coin, read_at: Millis) -> Flow | None:
    """Return the deposit or withdrawal that a confirmed transaction is, None where it is neither.

    The network's fee is the wallet's own where all inputs are: then it is told apart from what
    others got. With inputs of others among them nobody can tell who paid it, and the net amount
    stands. What only moves within the wallet is no flow; its fee just makes the wallet poorer.
    A block's time may lie ahead of ours; a flow is never dated after the reading that shows it.
    """
    spent = [one for one in transaction.inputs if is_own(one.script)]
    kept = _sum(one for one in transaction.outputs if is_own(one.script))
    at = read_at if transaction.at is None else Millis(min(transaction.at, read_at))
    if spent and len(spent) == len(transaction.inputs):
        fee = _sum(spent) - _sum(transaction.outputs)
        return _flow(transaction.txid, kept + fee - _sum(spent), fee, coin, at)
    return _flow(transaction.txid, kept - _sum(spent), 0, coin, at)


def _flow(txid: str, net: int, fee: int, coin: Coin, at: Millis) -> Flow | None:
    if net == 0:
        return None
    direction: Literal["in", "out"] = "in" if net > 0 else "out"
    return Flow(
        external_id=txid,
        direction=direction,
        asset=coin.asset,
        venue_code=coin.asset,
        amount=coin.amount(abs(net)),
        fee=coin.amount(fee),
        fee_asset=coin.asset,
        at=at,
        txid=txid,
    )


def _sum(parts: Iterable[Spent | Paid]) -> int:
    return sum(part.amount for part in parts)
