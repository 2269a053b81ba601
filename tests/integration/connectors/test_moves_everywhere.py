"""What is sent of a transfer at every exchange where one is offered, and how it is found again."""

from decimal import Decimal

import pytest

from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure
from coffers.connectors.trading import Move, NotDone
from coffers.portfolio.moving import FAMILIES
from integration.connectors.stubs import stubbed

D = Decimal
WAYS = [
    (code, one[1], other[1])
    for code, one in FAMILIES.items()
    for other in FAMILIES.values()
    if one[0] == other[0] and one[1] != other[1]
]


@pytest.mark.parametrize(("code", "source", "target"), WAYS)
async def test_what_is_sent_is_what_was_written_down(code: str, source: str, target: str) -> None:
    async with stubbed(code) as (desk, line):
        move = desk.movable(Move("USDT", D("12.345678"), source, target))
        assert move == Move("USDT", D("12.34"), source, target)
        with pytest.raises(ConnectorFailure):
            await desk.move(Move("USDT", D("12.345678"), source, target))
        [sent] = line.sent
        assert "12.34" in sent.text
        assert "12.345" not in sent.text


async def test_less_than_the_smallest_step_is_not_moved() -> None:
    async with stubbed("kucoin") as (desk, line):
        move = Move("USDT", D("0.009"), "spot", "contract")
        assert desk.movable(move).amount == 0
        with pytest.raises(NotDone, match=r"no such small amount of USDT .* whole steps of 0\.01$"):
            await desk.move(move)
        assert line.sent == []


async def test_gate_moves_every_coin_in_four_decimals_by_the_library() -> None:
    async with stubbed("gate_io") as (desk, _):
        exchange = desk.session.exchange
        exchange.currencies["BTC"] = exchange.parse_currency({"currency": "BTC", "chains": []})
        move = Move("BTC", D("0.12345678"), "spot", "swap")
        assert desk.movable(move).amount == D("0.1234")
        with pytest.raises(NotDone, match=r"whole steps of 0\.0001$"):
            await desk.move(Move("BTC", D("0.00009"), "spot", "swap"))


@pytest.mark.parametrize(
    ("source", "target", "direction"), [("spot", "contract", "out"), ("contract", "spot", "in")]
)
async def test_kucoin_finds_a_transfer_by_its_own_name_of_the_wallet(
    source: str, target: str, direction: str
) -> None:
    row = {
        "id": "77",
        "currency": "USDT",
        "amount": "12.34",
        "fee": "0",
        "accountType": "TRADE",
        "bizType": "Transfer",
        "direction": direction,
        "createdAt": 1_700_000_001_000,
    }
    answers = {"accounts/ledgers": {"code": "200000", "data": {"items": [row]}}}
    async with stubbed("kucoin", answers) as (desk, _):
        move = Move("USDT", D("12.345"), source, target)
        found = await desk.find_move(move, Millis(1_700_000_000_000), ())
        assert found is not None
        assert (found.fate, found.filled, found.venue_id) == ("filled", D("12.34"), "77")
        assert await desk.find_move(move, Millis(1_700_000_000_000), {"77"}) is None
