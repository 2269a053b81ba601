"""What a transaction changed, as flows."""

from decimal import Decimal

from coffers.clock import Millis
from coffers.connectors.chain.changes import Change, flows_of

COIN = Change("native", "SOL", "SOL", Decimal(-3))
TOKEN = Change("mint", "USDC", "USDC", Decimal(7))


def test_the_fee_goes_with_the_first_that_left() -> None:
    out = Change("other", "USDT", "USDT", Decimal(-1))
    flows = flows_of("tx", Millis(5), [TOKEN, COIN, out], Decimal("0.1"), "SOL")
    rows = [(flow.external_id, flow.direction, flow.amount, flow.fee) for flow in flows]
    assert rows == [
        ("tx:mint", "in", 7, 0),
        ("tx:native", "out", 3, Decimal("0.1")),
        ("tx:other", "out", 1, 0),
    ]
    assert {(flow.txid, flow.at, flow.fee_asset) for flow in flows} == {("tx", 5, "SOL")}


def test_what_did_not_change_is_no_flow() -> None:
    still = Change("native", "SOL", "SOL", Decimal(0))
    assert flows_of("tx", Millis(5), [still], Decimal("0.1"), "SOL") == []
