from decimal import Decimal

import pytest

from coffers.connectors.chain.answers import units
from coffers.connectors.reading import ConnectorFailure


def test_an_amount_is_told_exactly() -> None:
    assert units(1_500_000_000_000_000_001, 18) == Decimal("1.500000000000000001")


def test_an_amount_of_more_bits_than_any_chain_counts_in_is_not_believed() -> None:
    assert units((1 << 256) - 1, 18) > 0
    with pytest.raises(ConnectorFailure, match="not usable"):
        units(1 << 256, 18)
