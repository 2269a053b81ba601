"""What went into validators and what they paid out, as flows.

Both leave one place and come to another at the same moment, so that they cancel between a person's
own accounts: a withdrawal by its number, a deposit by its transaction.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Literal

from coffers import money
from coffers.clock import Millis
from coffers.connectors.chain.evm.deposits import Deposit
from coffers.connectors.chain.evm.holdings import in_units
from coffers.connectors.chain.evm.staking_memory import Notes
from coffers.connectors.chain.evm.withdrawals import Withdrawal
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

_GWEI = 9


def paid_out(
    payments: Iterable[Withdrawal], since: Millis, chain: Chain, direction: Literal["in", "out"]
) -> list[Flow]:
    """Return what was paid out from a moment on: out of the validators, into the wallet."""
    flows = []
    for each in payments:
        amount = in_units(each.wei, chain.decimals)
        if amount and each.at >= since:
            flows.append(_flow(each.id, direction, amount, (each.id, each.at), chain))
    return flows


def deposited(
    owners: Iterable[Notes],
    waits: Callable[[Deposit], bool],
    own: Container[str],
    since: Millis,
    chain: Chain,
) -> list[Flow]:
    """Return the deposits that the beacon chain has now, one for each transaction; forget them.

    Those that it has not taken yet wait, however long; the first time none from before `since` is
    told.
    """
    flows: list[Flow] = []
    for notes in owners:
        waiting = {each.txid for each in notes.untold if waits(each)}
        ready: dict[str, list[Deposit]] = {}
        for each in notes.untold:
            if each.txid not in waiting and each.key in own:
                ready.setdefault(each.txid, []).append(each)
        notes.untold = [each for each in notes.untold if each.txid in waiting]
        for made in ready.values():
            if notes.is_told or made[0].at >= since:
                flows += _deposit(made, chain)
        notes.is_told = True
    return flows


def _deposit(made: Sequence[Deposit], chain: Chain) -> Iterator[Flow]:
    amount = in_units(sum(each.gwei for each in made), _GWEI)
    if amount:
        txid, at = made[0].txid, made[0].at
        yield _flow(f"{txid}:stake", "in", amount, (txid, at), chain)


def _flow(
    id_: str,
    direction: Literal["in", "out"],
    amount: Decimal,
    when: tuple[str, Millis],
    chain: Chain,
) -> Flow:
    return Flow(
        external_id=id_,
        direction=direction,
        asset=chain.asset,
        venue_code=chain.asset,
        amount=amount,
        fee=money.ZERO,
        fee_asset=chain.asset,
        at=when[1],
        txid=when[0],
    )
