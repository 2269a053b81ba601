"""What the events of a transaction say that it moved into or out of an address.

Staking and claiming move coins between the address's own parts: what was staked is added back,
and what was claimed is taken off. Source: the `x/bank`, `x/staking` and `x/distribution` modules
of https://docs.cosmos.network.
"""

import re
from collections.abc import Iterable, Iterator

from coffers.clock import Millis
from coffers.connectors.chain.answers import odd_answer, signed_units, units
from coffers.connectors.chain.changes import Change, flows_of
from coffers.connectors.chain.cosmos.denoms import known
from coffers.connectors.chain.cosmos.lcd import Event, Transaction
from coffers.markets.chains import Chain
from coffers.valuation.model import Flow

_COIN = re.compile(r"([0-9]{1,78})([a-zA-Z][a-zA-Z0-9/:._-]{1,127})")

_MOVES = {
    "coin_received": ("receiver", 1),
    "coin_spent": ("spender", -1),
    "delegate": ("delegator", 1),
    "withdraw_rewards": ("delegator", -1),
}
"""Events with an amount: whose they are, and whether the amount is added or taken off."""

_BANK = ("coin_received", "coin_spent")
_MESSAGE = "msg_index"
"""What an event of a message has, and none of those around: of what takes the fee."""


def flows_in(transaction: Transaction, address: str, at: Millis, chain: Chain) -> list[Flow]:
    """Return the flows of an address in a transaction.

    Raises:
        ConnectorFailure: when the events do not tell for sure.
    """
    raw = _moved(transaction.events, _MOVES, address)
    fees = _fees(transaction, address)
    _add(raw, fees.items(), 1)
    own = str(chain.parameters["denom"])
    changes = [
        change
        for denom in sorted(raw, key=lambda denom: (denom != own, denom))
        if (change := _change(denom, raw[denom], chain)) is not None
    ]
    fee = units(fees.get(own, 0), chain.decimals)
    return flows_of(transaction.txhash.upper(), at, changes, fee, chain.asset)


def _moved(events: Iterable[Event], kinds: Iterable[str], address: str) -> dict[str, int]:
    """Return what events of some kinds added to an address, negative where they took off."""
    raw: dict[str, int] = {}
    for event in events:
        if event.type in kinds:
            owner, sign = _MOVES[event.type]
            _add(raw, _owned(event, owner, "amount", address), sign)
    return raw


def _fees(transaction: Transaction, address: str) -> dict[str, int]:
    """Return what an address paid for a transaction.

    A chain with a market for fees (x/feemarket, as on Cosmos Hub) names no payer. What moved there
    outside of all messages is the fee, and so is all that a failed transaction moved.
    """
    told = [each for each in transaction.events if each.type == "tx" and _has(each, "fee_payer")]
    if told:
        fees: dict[str, int] = {}
        for event in told:
            _add(fees, _owned(event, "fee_payer", "fee", address), 1)
        return fees
    around = [each for each in transaction.events if not _has(each, _MESSAGE)]
    if len(around) == len(transaction.events) and not transaction.code:
        return {}  # a node that tells no messages apart
    return {denom: -raw for denom, raw in _moved(around, _BANK, address).items() if raw < 0}


def _has(event: Event, key: str) -> bool:
    return any(each.key == key for each in event.attributes)


def _change(denom: str, raw: int, chain: Chain) -> Change | None:
    told = known(denom, chain)
    if told is None:
        return None
    amount = signed_units(raw, told.decimals)
    is_own = denom == chain.parameters["denom"]
    return Change("native" if is_own else denom, told.asset, told.symbol, amount)


def _add(raw: dict[str, int], coins: Iterable[tuple[str, int]], sign: int) -> None:
    for denom, amount in coins:
        raw[denom] = raw.get(denom, 0) + sign * amount


def _owned(event: Event, owner: str, amount: str, address: str) -> Iterator[tuple[str, int]]:
    """Yield the coins of an event that belongs to an address; none of another's."""
    told = {each.key: each.value or "" for each in event.attributes}
    if len(told) < len(event.attributes) or owner not in told or amount not in told:
        raise odd_answer(f"{event.type} in a transaction")
    if told[owner] != address:
        return
    for text in filter(None, told[amount].split(",")):
        coin = _COIN.fullmatch(text.strip())
        if coin is None:
            raise odd_answer(f"{event.type} in a transaction")
        yield coin.group(2), int(coin.group(1))
