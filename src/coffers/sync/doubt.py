"""Whether a reading may be believed at once, or only after a second one that agrees.

An outage often looks like an empty account. A reading that lost all, or more than half of the
worth, of what was known is held back until another, made a while later, shows the same assets.
"""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal

from coffers import money
from coffers.connectors.reading import Reading
from coffers.valuation.model import Position, Price
from coffers.valuation.value import holdings_of, value_of

KEPT_SHARE = Decimal("0.5")
"""A reading that keeps less than this share of the known worth is doubtful."""


def fingerprint(reading: Reading) -> str:
    """Return what two readings that agree have in common: the assets, wallet by wallet."""
    assets = sorted({(position.wallet, position.asset) for position in reading.positions})
    return hashlib.sha256(repr(assets).encode()).hexdigest()[:32]


def is_doubtful(known: Iterable[Position], reading: Reading, prices: Mapping[str, Price]) -> bool:
    """Return whether a reading lost most of what was known of the wallets that it read.

    Withdrawals that the venue tells of in the same reading explain a loss.
    """
    before = [position for position in known if position.wallet in reading.wallets]
    if not before or set(before) == set(reading.positions):
        return False
    if not reading.positions:
        return True
    old, new = _usd(before, prices), _usd(reading.positions, prices)
    if old is None or new is None:
        return len(reading.positions) < KEPT_SHARE * len(before)
    expected = money.subtract(old, _withdrawn(reading, prices))
    return new < money.multiply(KEPT_SHARE, expected)


def _withdrawn(reading: Reading, prices: Mapping[str, Price]) -> Decimal:
    return money.total(
        money.multiply(flow.amount, prices[flow.asset].usd)
        for flow in reading.flows
        if flow.direction == "out" and flow.asset in prices
    )


def _usd(positions: Iterable[Position], prices: Mapping[str, Price]) -> Decimal | None:
    value = value_of(holdings_of(positions), prices).value
    return None if value is None else value.usd
