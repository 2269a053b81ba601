"""Wallets of Tron read over real HTTP from a made-up chain."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import MINUTE
from coffers.connectors.chain.tron import reader as reading_wallets
from coffers.connectors.chain.tron import unlisted as showing
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from tron_node import TRX, USDT, MadeUpTron, address, text, word
from wallets import Wallets, held, net, told, wallets_of

ME, BANK, CONTRACT = address(7), address(1), address(3)
USDD = "TXDk8mbtRbXeYuMNS83CfKPaYYT8XWv9Hz"
WTRX = "TNUC9Qb1rRpS5CbWLmNMxXBjyFoydXjWFR"
ACCOUNT = "/walletsolidity/getaccount"
CALL = "/walletsolidity/triggerconstantcontract"
HISTORY = f"/v1/accounts/{ME}/transactions"


@pytest.fixture
def tron() -> MadeUpTron:
    return MadeUpTron(NOW, NOW - 3_600_000)


@pytest.fixture
async def wallets(tron: MadeUpTron) -> AsyncIterator[Wallets]:
    async with wallets_of("trx", tron) as found:
        yield found


async def test_a_paid_wallet_holds_its_coins_and_tells_who_paid_and_when(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    came = tron.pay(BANK, ME, 30 * TRX, fee=5)
    went = tron.pay(ME, BANK, 4 * TRX, fee=1_100_000)
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "TRX"): Decimal("24.9")}
    assert told(reading) == {(came, "in", "TRX"): Decimal(30), (went, "out", "TRX"): Decimal(4)}
    assert {flow.txid: flow.fee for flow in reading.flows} == {came: 0, went: Decimal("1.1")}
    assert {flow.at for flow in reading.flows} == {row["block_timestamp"] for row in tron.coin_rows}
    assert reading.wallets == {"native", "tokens", "staked", "unlisted", "spam"}
    assert (reading.is_complete, reading.flows_known) == (True, True)


async def test_an_address_that_was_never_activated_holds_no_coins_but_may_hold_tokens(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    reading = await wallets.read(ME)
    assert (reading.positions, reading.is_complete, reading.flows_known) == ((), True, True)
    tron.send_token(USDT, BANK, ME, 5_000_000)
    reading = await wallets.read(ME)
    assert held(reading) == {("tokens", "USDT"): Decimal(5)}


async def test_a_node_that_answers_nothing_about_anybody_tells_of_no_empty_wallet(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    tron.answers[ACCOUNT] = {}
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_all_that_is_staked_delegated_being_unstaked_or_earned_counts(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.accounts[ME] = {
        "balance": 1,
        "frozen": [{"frozen_balance": 10, "expire_time": 1}],
        "frozenV2": [{"amount": 200}, {"type": "ENERGY", "amount": 3000}, {"type": "TRON_POWER"}],
        "unfrozenV2": [{"type": "ENERGY", "unfreeze_amount": 40_000, "unfreeze_expire_time": 1}],
        "delegated_frozen_balance_for_bandwidth": 500_000,
        "delegated_frozenV2_balance_for_bandwidth": 6_000_000,
        "acquired_delegated_frozenV2_balance_for_bandwidth": 99_999_999_999,
        "account_resource": {
            "frozen_balance_for_energy": {"frozen_balance": 70_000_000},
            "delegated_frozen_balance_for_energy": 800_000_000,
            "delegated_frozenV2_balance_for_energy": 9_000_000_000,
            "acquired_delegated_frozenV2_balance_for_energy": 99_999_999_999,
        },
        "allowance": 77,
    }
    tron.rewards[ME] = 100_000_000_000
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("native", "TRX"): Decimal("0.000001"),
        ("staked", "TRX"): Decimal("109876.543210"),
    }


async def test_staking_voting_and_claiming_are_no_flows(tron: MadeUpTron, wallets: Wallets) -> None:
    came = tron.pay(BANK, ME, 30 * TRX)
    for kind in (
        "FreezeBalanceV2Contract",
        "UnfreezeBalanceV2Contract",
        "WithdrawExpireUnfreezeContract",
        "VoteWitnessContract",
        "WithdrawBalanceContract",
        "DelegateResourceContract",
        "UnDelegateResourceContract",
    ):
        tron.own(ME, kind, fee=1000, frozen_balance=5 * TRX, amount=7)
    reading = await wallets.read(ME)
    assert told(reading) == {(came, "in", "TRX"): Decimal(30)}
    assert reading.flows_known


async def test_tokens_count_by_their_contract_with_its_places(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    tron.send_token(USDT, BANK, ME, 12_345_678)
    tron.send_token(USDD, BANK, ME, 10**18 + 1)
    tron.send_token(WTRX, BANK, ME, 3 * TRX)
    tron.send_token("TU3kjFuhtEo42tsCBtfYUAZxoqQ4yuSLQ5", BANK, ME, 10**18)
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("native", "TRX"): Decimal(30),
        ("tokens", "USDT"): Decimal("12.345678"),
        ("tokens", "USDD"): Decimal("1.000000000000000001"),
        ("tokens", "TRX"): Decimal(3),
        ("tokens", "tron:TU3kjFuhtEo42tsCBtfYUAZxoqQ4yuSLQ5"): Decimal(1),
    }


async def test_unlisted_tokens_are_listed_apart_and_asked_once_what_they_are(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    false, mute = address(60), address(61)
    tron.pay(BANK, ME, 30 * TRX)
    tron.accounts[ME]["assetV2"] = [{"key": "1002000", "value": 1500}]
    tron.assets["1002000"] = {"id": "1002000", "abbr": b"BTTOLD".hex(), "precision": 2}
    tron.send_token(false, BANK, ME, 10**9)
    tron.send_token(mute, BANK, ME, 5)
    tron.says[false, "decimals()"], tron.says[false, "symbol()"] = word(6), text("USDT\u200b \n")
    reading = await wallets.read(ME)
    apart = {
        one.asset: (one.wallet, one.venue_code, one.free)
        for one in reading.positions
        if one.wallet in {"unlisted", "spam"}
    }
    assert apart == {
        "tron:1002000": ("unlisted", "BTTOLD", Decimal(15)),
        f"tron:{false}": ("spam", f"{false[:4]}…{false[-4:]}", Decimal(1000)),
    }
    assert {flow.asset for flow in reading.flows} == {"TRX"}
    asked = len(tron.asked)
    again = await wallets.read(ME, memory=reading.memory)
    assert again.positions == reading.positions
    assert sum(path == CALL for path, _ in tron.asked[asked:]) == 12  # the listed ones


async def test_transfers_of_tokens_that_the_index_does_not_know_leave_the_flows_known(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    came = tron.send_token(USDT, BANK, ME, 5_000_000)
    tron.send_token(address(60), BANK, ME, 7)
    tron.token_rows[-1] |= {"token_info": {}}
    tron.send_token(address(61), BANK, ME, 7)
    tron.token_rows[-1] |= {"value": None}
    reading = await wallets.read(ME)
    assert told(reading) == {(came, "in", "USDT"): Decimal(5)}
    assert reading.flows_known


async def test_a_token_of_which_there_cannot_be_so_much_spoils_nothing(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    absurd, mine = address(60), address(61)
    for contract, raw in (absurd, 10**90), (mine, 7_000_000):
        tron.send_token(contract, BANK, ME, raw)
        tron.says[contract, "decimals()"], tron.says[contract, "symbol()"] = word(6), text("X")
    reading = await wallets.read(ME)
    assert reading.is_complete
    assert [one.asset for one in reading.positions if one.wallet == "unlisted"] == [f"tron:{mine}"]


async def test_tokens_of_the_old_kind_take_no_room_from_those_of_the_newer(
    tron: MadeUpTron, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "MOST", 2)
    tron.pay(BANK, ME, 30 * TRX)
    ids = [str(1_002_000 + number) for number in range(3)]
    tron.accounts[ME]["assetV2"] = [{"key": id_, "value": 1} for id_ in ids]
    tron.assets |= {id_: {"id": id_, "abbr": b"OLD".hex(), "precision": 0} for id_ in ids}
    mine = address(60)
    tron.send_token(mine, BANK, ME, 7_000_000)
    tron.says[mine, "decimals()"], tron.says[mine, "symbol()"] = word(6), text("PLAIN")
    reading = await wallets.read(ME)
    assert held(reading)["unlisted", f"tron:{mine}"] == 7
    assert len([one for one in reading.positions if one.wallet == "unlisted"]) == 3


async def test_a_contract_that_reverts_or_tells_nothing_leaves_the_tokens_missing(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    tron.send_token(USDT, BANK, ME, 5)
    odd: list[object] = [
        {"result": {"result": True}, "constant_result": [""]},
        {"result": {"result": True}, "constant_result": []},
        {"result": {"code": "CONTRACT_EXE_ERROR"}, "constant_result": [word(0)]},
        {"result": {"result": True}, "constant_result": [word(0) + word(0)]},
        {"result": {"result": True}, "constant_result": ["zz"]},
        {"Error": "class java.lang.NullPointerException"},
        {},
        "ok",
    ]
    for answer in odd:
        tron.answers[CALL] = answer
        reading = await wallets.read(ME)
        assert "tokens" in reading.missing
        assert held(reading)[("native", "TRX")] == 30


async def test_coins_given_to_a_contract_and_sent_back_by_it_are_netted(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    called = tron.call(ME, CONTRACT, 10 * TRX, back=4 * TRX, fee=300_000)
    won = tron.call(ME, CONTRACT, 0, back=2 * TRX)
    reading = await wallets.read(ME)
    assert told(reading)[called, "out", "TRX"] == 6
    assert told(reading)[won, "in", "TRX"] == 2
    assert net(reading, "TRX") == held(reading)["native", "TRX"] == Decimal("25.7")


async def test_tokens_that_move_to_and_fro_in_a_transaction_are_netted(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.send_token(USDT, BANK, ME, 100)
    moved = tron.send_token(USDT, ME, CONTRACT, 60, fee=9 * TRX)
    tron.transfer(moved, USDT, CONTRACT, ME, 25)
    tron.pay(BANK, ME, 30 * TRX)
    row: dict[str, Any] = {**tron.token_rows[-1], "type": "Approval", "value": "9" * 70}
    tron.token_rows.append(row)
    reading = await wallets.read(ME)
    assert told(reading)[moved, "out", "USDT"] == Decimal("0.000035")
    assert net(reading, "USDT") == held(reading)["tokens", "USDT"]
    assert [flow.fee for flow in reading.flows if flow.txid == moved] == [9]


async def test_a_failed_transaction_and_one_to_oneself_cost_a_fee_and_move_nothing(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    came = tron.pay(BANK, ME, 30 * TRX)
    tron.pay(ME, BANK, 4 * TRX, fee=5, result="OUT_OF_ENERGY")
    tron.pay(ME, ME, 4 * TRX, fee=5)
    reading = await wallets.read(ME)
    assert told(reading) == {(came, "in", "TRX"): Decimal(30)}


async def test_a_kind_of_transaction_that_nobody_knows_leaves_the_flows_unknown(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.own(ME, "ExchangeInjectContract", quant=5)
    first = await wallets.read(ME)
    assert first.flows_known is False
    assert (await wallets.read(ME, memory=first.memory)).flows_known is False


async def test_a_history_is_looked_through_once_and_over_several_readings(
    tron: MadeUpTron, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    tron.page = 3
    sent = {tron.pay(BANK, ME, TRX) for _ in range(8)}
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    memory, found, rounds = None, set[str](), 0
    while True:
        reading = await wallets.read(ME, memory=memory)
        memory, rounds = reading.memory, rounds + 1
        found |= {flow.txid or "" for flow in reading.flows}
        if reading.flows_known:
            break
    assert found == sent
    assert rounds == 4
    tron.time = tron.now = NOW + 10 * MINUTE
    wallets.clock.set(NOW + 12 * MINUTE)
    newest = tron.pay(BANK, ME, TRX)
    tron.now = tron.time
    reading = await wallets.read(ME, memory=memory)
    assert {flow.txid for flow in reading.flows} == {newest}


@pytest.mark.parametrize("has_tokens", [True, False])
async def test_a_deposit_that_the_index_lists_late_is_told_by_a_later_reading(
    tron: MadeUpTron, wallets: Wallets, has_tokens: bool
) -> None:
    late = tron.pay(BANK, ME, TRX)
    row = tron.coin_rows.pop()
    tron.now = tron.time + 10 * MINUTE
    wallets.clock.set(tron.now)
    first = await wallets.read(ME)
    assert first.flows == ()
    tron.coin_rows.append(row)
    if not has_tokens:
        tron.answers[f"/v1/accounts/{ME}/transactions/trc20"] = {"data": "odd"}
    second = await wallets.read(ME, memory=first.memory)
    assert {flow.txid for flow in second.flows} == {late}
    assert second.flows_known is has_tokens
    # The balances before had it already.
    assert second.flows_asked_before == {("in", second.flows[0].external_id): None}


async def test_a_transaction_is_never_cut_between_two_pages(
    tron: MadeUpTron, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tron.send_token(USDT, BANK, ME, 100)
    for _ in range(2):
        tron.transfer(moved, USDT, BANK, ME, 100)
    for _ in range(3):
        tron.send_token(USDT, BANK, ME, 1)
    tron.page = 4
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    first = await wallets.read(ME)
    second = await wallets.read(ME, memory=first.memory)
    amounts = {(flow.txid, flow.amount) for one in (first, second) for flow in one.flows}
    assert (moved, Decimal("0.0003")) in amounts
    assert len(amounts) == 4
    tron.page = 2
    assert (await wallets.read(ME)).flows_known is False  # three rows of one block


async def test_a_node_without_an_index_tells_balances_and_no_flows(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.has_index = False
    tron.pay(BANK, ME, 30 * TRX)
    tron.send_token(USDT, BANK, ME, 5_000_000)
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "TRX"): Decimal(30), ("tokens", "USDT"): Decimal(5)}
    assert (reading.is_complete, reading.flows_known, reading.flows) == (True, False, ())


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "ok",
        {"balance": 5},
        {"address": BANK, "balance": 5},
        {"address": ME, "balance": "5"},
        {"address": ME, "balance": -5},
        {"Error": "class java.lang.NullPointerException"},
    ],
)
async def test_an_odd_answer_about_the_account_is_no_empty_wallet(
    tron: MadeUpTron, wallets: Wallets, answer: object
) -> None:
    tron.answers[ACCOUNT] = answer
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_rewards_that_were_claimed_count_until_the_coins_are_there(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.accounts[ME] = {"balance": 3 * TRX}
    tron.rewards[ME] = 40 * TRX
    tron.answers["/wallet/getReward"] = {"reward": 0}  # claimed in a block that is not solid yet
    reading = await wallets.read(ME)
    assert sum(held(reading).values()) == 43


async def test_rewards_that_are_not_told_leave_the_stakes_missing(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.accounts[ME] = {"balance": 3 * TRX, "frozenV2": [{"amount": 5}]}
    tron.answers["/walletsolidity/getReward"] = {}
    reading = await wallets.read(ME)
    assert set(reading.missing) == {"staked"}
    assert held(reading) == {("native", "TRX"): Decimal(3)}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"success": False, "data": [], "meta": {}},
        {"success": True, "data": [{}], "meta": {}},
        {"success": True, "data": [{"block_timestamp": NOW - 5}], "meta": {}},
        {"success": True, "data": [], "meta": {"fingerprint": "more"}},
    ],
)
async def test_a_history_that_cannot_be_used_leaves_the_flows_unknown(
    tron: MadeUpTron, wallets: Wallets, answer: object
) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    tron.answers[HISTORY] = answer
    reading = await wallets.read(ME)
    assert reading.flows_known is False
    assert held(reading) == {("native", "TRX"): Decimal(30)}


async def test_a_node_of_another_network_or_behind_is_not_believed(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.genesis = "cd8690dc"
    with pytest.raises(ConnectorFailure, match="another chain"):
        await wallets.read(ME)
    tron.genesis = "2b6653dc"
    wallets.clock.advance(60 * MINUTE)
    with pytest.raises(ConnectorFailure, match="behind"):
        await wallets.read(ME)


async def test_the_coins_of_a_second_node_on_another_network_never_count(tron: MadeUpTron) -> None:
    tron.pay(BANK, ME, 30 * TRX)
    nile = MadeUpTron(NOW, NOW - 3_600_000, genesis="cd8690dc")
    nile.pay(BANK, ME, 9_000 * TRX)
    async with wallets_of("trx", tron, nile) as wallets:
        assert held(await wallets.read(ME)) == {("native", "TRX"): Decimal(30)}
        tron.status = 502
        with pytest.raises(ConnectorFailure, match="another chain"):
            await wallets.read(ME)


async def test_a_wallet_that_changes_while_it_is_read_is_read_again(
    tron: MadeUpTron, wallets: Wallets
) -> None:
    tron.pay(BANK, ME, 30 * TRX)

    def swap_meanwhile(path: str) -> None:
        if path == CALL:
            tron.before = None
            swapped = tron.call(ME, CONTRACT, 10 * TRX, back=0, fee=TRX)
            tron.transfer(swapped, USDT, CONTRACT, ME, 3_000_000)

    tron.before = swap_meanwhile
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "TRX"): Decimal(19), ("tokens", "USDT"): Decimal(3)}

    def pay_meanwhile(path: str) -> None:
        if path == CALL:
            tron.pay(BANK, ME, 1)

    tron.before = pay_meanwhile
    reading = await wallets.read(ME)
    assert (reading.positions, reading.flows_known) == ((), False)
    assert set(reading.missing) == {"native", "staked", "tokens", "unlisted", "spam"}


async def test_a_key_in_the_address_goes_into_the_header_that_trongrid_wants(
    tron: MadeUpTron,
) -> None:
    async with wallets_of("trx", tron, before=":fake%2Dkey@") as wallets:
        await wallets.read(ME)
    assert {sent["tron-pro-api-key"] for sent in tron.headers} == {"fake-key"}
    assert not any("authorization" in sent for sent in tron.headers)


async def test_memory_that_cannot_be_read_is_begun_anew(tron: MadeUpTron, wallets: Wallets) -> None:
    tron.pay(BANK, ME, TRX)
    for memory in "", "[]", '{"coins": 5}', "\ud800":
        assert len((await wallets.read(ME, memory=memory)).flows) == 1
