"""Wallets of the XRP Ledger read over real HTTP from a made-up ledger."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from coffers.clock import MINUTE
from coffers.connectors.chain.xrp import ledger as asking
from coffers.connectors.chain.xrp import reader as reading_wallets
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from wallets import Wallets, held, net, told, wallets_of
from xrp_ledger import EPOCH, FEE, XRP, MadeUpLedger, address

ME, BANK, GATEWAY = address(7), address(1), address(3)
RLUSD_ISSUER = "rMxCKbEDwqr76QuheSUMdEGf4B9xJ8m5De"
RLUSD = "524C555344000000000000000000000000000000"
COST = Decimal(FEE) / XRP


@pytest.fixture
def ledger() -> MadeUpLedger:
    return MadeUpLedger(NOW // 1000 - 560)


@pytest.fixture
async def wallets(ledger: MadeUpLedger) -> AsyncIterator[Wallets]:
    async with wallets_of("xrp_wallet", ledger) as found:
        yield found


async def test_coins_count_with_the_reserve_and_payments_are_told_with_their_fees(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    came = ledger.fund(ME, 25 * XRP)
    went = ledger.fund(BANK, 5 * XRP, source=ME)
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "XRP"): 20 - COST}
    assert told(reading) == {(came, "in", "XRP"): Decimal(25), (went, "out", "XRP"): Decimal(5)}
    assert {flow.txid: flow.fee for flow in reading.flows} == {came: 0, went: COST}
    assert reading.wallets == {"native", "tokens", "escrow", "pending"}
    assert (reading.is_complete, reading.flows_known) == (True, True)


async def test_an_account_that_nobody_funded_holds_nothing(wallets: Wallets) -> None:
    reading = await wallets.read(ME)
    assert (reading.positions, reading.is_complete, reading.flows_known) == ((), True, True)


async def test_all_is_asked_of_one_ledger(ledger: MadeUpLedger, wallets: Wallets) -> None:
    ledger.fund(ME, 25 * XRP)
    await wallets.read(ME)
    hashes = {given["ledger_hash"] for _, given in ledger.asked if "ledger_hash" in given}
    assert hashes == {ledger.hash}


async def test_tokens_count_by_their_issuer_and_never_by_what_they_are_called(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.issue(RLUSD_ISSUER, ME, RLUSD, "12.5")
    ledger.issue(GATEWAY, ME, RLUSD, "1000000")
    ledger.issue(GATEWAY, ME, "USD", "0.000000000000001")
    ledger.issue(GATEWAY, ME, "$$$", "3")
    ledger.issue(GATEWAY, ME, "03" + "AB" * 19, "7")
    reading = await wallets.read(ME)
    tokens = {one.asset: (one.venue_code, one.free) for one in reading.positions}
    del tokens["XRP"]
    assert tokens == {
        "RLUSD": ("RLUSD", Decimal("12.5")),
        f"xrp:{GATEWAY}.{RLUSD}": ("RLUSD", Decimal(1000000)),
        f"xrp:{GATEWAY}.USD": ("USD", Decimal("0.000000000000001")),
        f"xrp:{GATEWAY}.{'00' * 12}242424{'00' * 5}": ("$$$", Decimal(3)),
        f"xrp:{GATEWAY}.03{'AB' * 19}": ("LP", Decimal(7)),
    }


async def test_what_an_issuer_owes_is_a_debt(ledger: MadeUpLedger, wallets: Wallets) -> None:
    ledger.fund(GATEWAY, 100 * XRP)
    ledger.issue(GATEWAY, ME, "USD", "30")
    ledger.issue(GATEWAY, address(9), "USD", "12")
    reading = await wallets.read(GATEWAY)
    (debt,) = [one for one in reading.positions if one.wallet == "tokens"]
    assert (debt.asset, debt.free, debt.borrowed) == (f"xrp:{GATEWAY}.USD", 0, 42)
    assert net(reading, debt.asset) == -42


async def test_a_token_counts_on_a_line_for_which_the_account_keeps_no_reserve(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.issue(GATEWAY, ME, "USD", "50")
    ledger.no_reserve.add((ME, GATEWAY))  # as one bought after the limit was taken back
    reading = await wallets.read(ME)
    assert held(reading)["tokens", f"xrp:{GATEWAY}.USD"] == 50


async def test_a_fee_is_of_who_was_allowed_to_send_in_the_name_of_the_account(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 25 * XRP)
    ledger.fund(GATEWAY, 10 * XRP)
    sent = ledger.pay_for(ME, GATEWAY, BANK, 5 * XRP)
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "XRP"): Decimal(20)}
    assert told(reading)[sent, "out", "XRP"] == 5
    assert {flow.fee for flow in reading.flows} == {0}
    other = await wallets.read(GATEWAY)
    assert held(other) == {("native", "XRP"): 10 - COST}
    assert [flow.direction for flow in other.flows] == ["in"]
    by_sponsor = {"Sponsor": GATEWAY, "SponsorFlags": 1}
    ledger.recorded[-1]["tx"] = {**ledger.recorded[-1]["tx"], "Delegate": BANK, **by_sponsor}
    assert {flow.fee for flow in (await wallets.read(ME)).flows} == {0}


async def test_many_trust_lines_come_in_pages(
    ledger: MadeUpLedger, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.page = 2
    for number in range(20, 25):
        ledger.issue(address(number), ME, "USD", str(number))
    reading = await wallets.read(ME)
    tokens = [one for one in reading.positions if one.wallet == "tokens"]
    assert sum(one.free for one in tokens) == sum(range(20, 25))
    monkeypatch.setattr(asking, "MOST_PAGES", 2)
    reading = await wallets.read(ME)
    assert "tokens" in reading.missing
    assert ("native", "XRP") in held(reading)


async def test_a_partial_payment_counts_by_what_it_delivers(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 25 * XRP)
    ledger.issue(GATEWAY, ME, "USD", "1")
    partial = ledger.issue(GATEWAY, ME, "USD", "0.01", said="1000000")
    reading = await wallets.read(ME)
    assert told(reading)[partial, "in", f"xrp:{GATEWAY}.USD"] == Decimal("0.01")


async def test_a_trade_on_the_ledger_is_one_asset_out_and_another_in(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 100 * XRP)
    traded = ledger.trade(ME, GATEWAY, "USD", "21", -10 * XRP)
    reading = await wallets.read(ME)
    assert told(reading)[traded, "out", "XRP"] == 10
    assert told(reading)[traded, "in", f"xrp:{GATEWAY}.USD"] == 21


async def test_an_escrow_for_oneself_stays_owned_and_one_for_another_is_gone(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 100 * XRP)
    ledger.fund(BANK, XRP)
    own = ledger.set_aside(ME, ME, 30 * XRP)
    ledger.set_aside(ME, BANK, 20 * XRP)
    coming = ledger.set_aside(BANK, ME, 5 * XRP)
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("native", "XRP"): 50 - 2 * COST,
        ("escrow", "XRP"): Decimal(30),
        ("pending", "XRP"): Decimal(5),
    }
    outs = [flow.amount for flow in reading.flows if flow.direction == "out"]
    assert outs == [Decimal(20)]
    ledger.give_back(own)
    came = ledger.give_back(coming)
    again = await wallets.read(ME, memory=reading.memory)
    assert held(again) == {("native", "XRP"): 85 - 3 * COST}
    assert told(again) == {(came, "in", "XRP"): Decimal(5)}


async def test_an_escrow_of_a_token_for_oneself_stays_owned(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.issue(RLUSD_ISSUER, ME, RLUSD, "10")
    first = await wallets.read(ME)
    amount = {"issuer": RLUSD_ISSUER, "currency": RLUSD, "value": "4"}
    ledger.set_aside(ME, ME, amount)
    ledger.set_aside(BANK, ME, {"mpt_issuance_id": "00", "value": "4", **amount, "issuer": BANK})
    reading = await wallets.read(ME, memory=first.memory)
    assert held(reading)["escrow", "RLUSD"] == 4
    assert held(reading)["tokens", "RLUSD"] == 6
    assert ("pending", f"xrp:{BANK}.{RLUSD}") not in held(reading)
    assert reading.flows == ()


async def test_a_deleted_account_paid_out_what_it_held(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 12 * XRP)
    ledger.fund(BANK, XRP)
    gone = ledger.delete(ME, BANK)
    reading = await wallets.read(ME)
    assert reading.positions == ()
    assert told(reading)[gone, "out", "XRP"] == 10
    assert net(reading, "XRP") == 0
    assert told(await wallets.read(BANK))[gone, "in", "XRP"] == 10


async def test_flows_and_fees_add_up_to_what_an_account_holds(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 100 * XRP)
    ledger.fund(BANK, 7 * XRP, source=ME)
    ledger.issue(GATEWAY, ME, "USD", "50.25")
    ledger.pay_back(GATEWAY, ME, "USD", "0.125")
    ledger.trade(ME, GATEWAY, "USD", "-20", 9 * XRP)
    reading = await wallets.read(ME)
    asset = f"xrp:{GATEWAY}.USD"
    assert held(reading)["tokens", asset] == net(reading, asset) == Decimal("30.125")
    assert held(reading)["native", "XRP"] == net(reading, "XRP")


async def test_a_history_is_looked_through_once_and_over_several_readings(
    ledger: MadeUpLedger, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.page = 3
    sent = {ledger.fund(ME, 25 * XRP) for _ in range(8)}
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    memory, found, rounds = None, set[str](), 0
    while True:
        reading = await wallets.read(ME, memory=memory)
        memory, rounds = reading.memory, rounds + 1
        found |= {flow.txid or "" for flow in reading.flows}
        if reading.flows_known:
            break
    assert (found, rounds) == (sent, 3)
    newest = ledger.fund(ME, XRP)
    reading = await wallets.read(ME, memory=memory)
    assert {flow.txid for flow in reading.flows} == {newest}


async def test_a_server_with_a_short_history_leaves_the_flows_unknown(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 25 * XRP)
    ledger.fund(ME, XRP)
    ledger.first, ledger.first_time = ledger.index, ledger.time - EPOCH
    assert (await wallets.read(ME)).flows_known is False
    ledger.first_time = ledger.time - EPOCH - 30 * 86_400
    reading = await wallets.read(ME)
    assert reading.flows_known
    ledger.first_time = ledger.time - EPOCH
    assert (await wallets.read(ME, memory=reading.memory)).flows_known


@pytest.mark.parametrize("error", ["lgrNotFound", "tooBusy", "noNetwork", "slowDown"])
async def test_a_server_that_cannot_tell_stands_back_for_another(error: str) -> None:
    busy, other = (MadeUpLedger(NOW // 1000 - 560) for _ in range(2))
    other.fund(ME, 25 * XRP)
    busy.fund(ME, 24 * XRP)
    busy.errors["account_info"] = error
    async with wallets_of("xrp_wallet", busy, other) as wallets:
        assert held(await wallets.read(ME)) == {("native", "XRP"): Decimal(25)}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        "ok",
        {"status": "success"},
        {"status": "success", "account_data": {"Account": BANK, "Balance": "5"}},
        {"status": "success", "account_data": {"Account": ME}},
        {"status": "success", "account_data": {"Account": ME, "Balance": 5}},
        {"status": "success", "account_data": {"Account": ME, "Balance": "-5"}},
        {"status": "success", "account_data": {"Account": ME, "Balance": "٣"}},
        {"status": "error", "error": "invalidParams"},
        {
            "status": "success",
            "account_data": {"Account": ME, "Balance": "5"},
            "ledger_hash": "0" * 64,
        },
    ],
)
async def test_an_odd_answer_about_the_account_is_no_empty_wallet(
    ledger: MadeUpLedger, wallets: Wallets, answer: object
) -> None:
    ledger.answers["account_info"] = answer
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize(
    ("method", "name", "parts"),
    [
        ("account_lines", "lines", {"tokens"}),
        ("account_objects", "account_objects", {"escrow", "pending"}),
    ],
)
@pytest.mark.parametrize(
    "rows", [None, [5], [{"account": BANK, "balance": "x", "currency": "USD"}]]
)
async def test_an_odd_answer_about_a_part_leaves_it_missing(
    ledger: MadeUpLedger,
    wallets: Wallets,
    method: str,
    name: str,
    parts: set[str],
    rows: object,
) -> None:
    ledger.fund(ME, 25 * XRP)
    ledger.answers[method] = {"status": "success", "account": ME, name: rows}
    reading = await wallets.read(ME)
    if rows and isinstance(rows, list) and isinstance(rows[0], dict) and "escrow" in parts:
        assert reading.is_complete  # an object of nobody's
    else:
        assert set(reading.missing) == parts
    assert held(reading)["native", "XRP"] == 25


async def test_a_server_of_another_network_or_behind_is_not_believed(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.network = 1
    with pytest.raises(ConnectorFailure, match="another chain"):
        await wallets.read(ME)
    ledger.network = 0
    wallets.clock.advance(60 * MINUTE)
    with pytest.raises(ConnectorFailure, match="behind"):
        await wallets.read(ME)


async def test_a_history_that_cannot_be_used_leaves_the_flows_unknown(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 25 * XRP)
    limits = {"ledger_index_min": 1, "ledger_index_max": ledger.index}
    tx = {"hash": "AB", "ledger_index": ledger.index, "date": 5}
    for meta in (
        {},
        {"AffectedNodes": [5]},
        {"AffectedNodes": [{"ModifiedNode": 5}]},
        {"AffectedNodes": [{"ModifiedNode": {"FinalFields": 5}}]},
    ):
        row = {"validated": True, "tx": {**tx, "date": ledger.time - EPOCH}, "meta": meta}
        told_ = {"status": "success", "account": ME, "transactions": [row], **limits}
        ledger.answers["account_tx"] = told_
        reading = await wallets.read(ME)
        assert reading.flows_known is False
        assert held(reading)["native", "XRP"] == 25


async def test_memory_that_cannot_be_read_is_begun_anew(
    ledger: MadeUpLedger, wallets: Wallets
) -> None:
    ledger.fund(ME, 25 * XRP)
    for memory in "", "[]", '{"since": "x"}', "\ud800":
        assert len((await wallets.read(ME, memory=memory)).flows) == 1
