"""Wallets of Solana read over real HTTP from a virtual machine that runs real programs."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from solders.pubkey import Pubkey

from coffers.clock import DAY, MINUTE
from coffers.connectors.chain.refusals import AddressRefused
from coffers.connectors.chain.solana import flows as searching
from coffers.connectors.chain.solana import reader as reading_wallets
from coffers.connectors.chain.solana.layout import SYSTEM as SYSTEM_PROGRAM
from coffers.connectors.chain.solana.layout import TOKEN_2022, WRAPPED_SOL
from coffers.connectors.reading import ConnectorFailure, FailureKind, Reading
from factories import NOW
from solana_cluster import DEPOSIT, SOL, MadeUpCluster, key
from wallets import Wallets, held, known, net, told, wallets_of

USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
PYUSD = "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo"
MSOL = "mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So"
OWNER = key(7)
ME = str(OWNER.pubkey())
FEE = Decimal("0.000005")


def sol(lamports: int) -> Decimal:
    return Decimal(lamports) / SOL


@pytest.fixture
def cluster() -> MadeUpCluster:
    return MadeUpCluster(NOW // 1000 - 3600, NOW // 1000)


@pytest.fixture
async def wallets(cluster: MadeUpCluster) -> AsyncIterator[Wallets]:
    async with wallets_of("solana_wallet", cluster) as found:
        yield found


async def test_a_paid_wallet_holds_its_coins_and_tells_who_paid_and_when(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    came = cluster.pay(cluster.bank, OWNER.pubkey(), 3 * SOL)
    went = cluster.pay(OWNER, cluster.bank.pubkey(), SOL // 2)
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "SOL"): Decimal("2.499995")}
    assert told(reading) == {
        (came, "in", "SOL"): Decimal(3),
        (went, "out", "SOL"): Decimal("0.5"),
    }
    assert {flow.txid: flow.fee for flow in reading.flows} == {came: Decimal(0), went: FEE}
    assert {flow.at for flow in reading.flows} == {one.time * 1000 for one in cluster.recorded}
    assert reading.is_complete
    assert reading.flows_known


async def test_an_address_that_nobody_ever_paid_holds_nothing(wallets: Wallets) -> None:
    reading = await wallets.read(ME)
    assert (reading.positions, reading.is_complete, reading.flows_known) == ((), True, True)
    assert reading.wallets == {"native", "tokens", "rent", "unlisted", "staked"}


async def test_token_accounts_of_one_mint_are_summed_frozen_ones_too(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    mint = cluster.put_mint(USDC, 6)
    first = cluster.open_account(cluster.bank, OWNER.pubkey(), mint)
    second = cluster.second_account(OWNER.pubkey(), mint, 21)
    cluster.mint_to(first, mint, 1_500_000)
    cluster.mint_to(second, mint, 2_000_001)
    cluster.freeze(second, mint)
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("tokens", "USDC"): Decimal("3.500001"),
        ("rent", "SOL"): sol(2 * DEPOSIT),
    }


async def test_tokens_of_the_newer_program_count_and_fees_withheld_in_them_do_not(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    mint = cluster.put_mint(PYUSD, 6, program=TOKEN_2022)
    account = cluster.open_account(cluster.bank, OWNER.pubkey(), mint, TOKEN_2022)
    cluster.mint_to(account, mint, 7_000_000, TOKEN_2022)
    found = cluster.svm.get_account(account)
    assert found is not None
    assert len(found.data) > 165  # it has an extension already
    withheld = (2).to_bytes(2, "little") + (8).to_bytes(2, "little") + (999).to_bytes(8, "little")
    changed = type(found)(found.lamports, found.data + withheld, found.owner)
    cluster.svm.set_account(account, changed)
    reading = await wallets.read(ME)
    assert held(reading)["tokens", "PYUSD"] == 7


async def test_wrapped_coins_are_coins_and_wrapping_is_no_flow(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    came = cluster.pay(cluster.bank, OWNER.pubkey(), 5 * SOL)
    mint = cluster.put_mint(WRAPPED_SOL, 9)
    account = cluster.open_account(OWNER, OWNER.pubkey(), mint)
    cluster.wrap(OWNER, account, 2 * SOL)
    reading = await wallets.read(ME)
    assert held(reading)["tokens", "SOL"] == 2
    assert sum(held(reading).values()) == 5 - 2 * FEE
    assert told(reading) == {(came, "in", "SOL"): Decimal(5)}
    cluster.close_account(OWNER, account)
    again = await wallets.read(ME, memory=reading.memory, known_flows=known(reading))
    assert held(again) == {("native", "SOL"): 5 - 3 * FEE}
    assert again.flows == ()


async def test_a_listed_token_that_no_exchange_trades_keeps_its_contract_for_a_name(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    mint = cluster.put_mint(MSOL, 9)
    cluster.mint_to(cluster.open_account(cluster.bank, OWNER.pubkey(), mint), mint, SOL)
    reading = await wallets.read(ME)
    (token,) = [one for one in reading.positions if one.wallet == "tokens"]
    assert (token.asset, token.venue_code) == (f"solana:{MSOL}", "mSOL")


async def test_unlisted_tokens_are_listed_apart_and_collectibles_are_left_out(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    unlisted, collectible = str(key(31).pubkey()), str(key(32).pubkey())
    for address, decimals, raw in (unlisted, 4, 12345), (collectible, 0, 1):
        mint = cluster.put_mint(address, decimals)
        cluster.mint_to(cluster.open_account(cluster.bank, OWNER.pubkey(), mint), mint, raw)
    reading = await wallets.read(ME)
    apart = [one for one in reading.positions if one.wallet == "unlisted"]
    assert [(one.asset, one.free) for one in apart] == [(f"solana:{unlisted}", Decimal("1.2345"))]
    assert apart[0].venue_code == f"{unlisted[:4]}…{unlisted[-4:]}"
    assert not {flow.asset for flow in reading.flows} - {"SOL"}
    asked = cluster.count("getMultipleAccounts")
    await wallets.read(ME, memory=reading.memory)
    assert cluster.count("getMultipleAccounts") == asked


async def test_stakes_count_for_who_may_withdraw_them_and_staking_is_no_flow(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    other = key(8)
    came = cluster.pay(cluster.bank, OWNER.pubkey(), 20 * SOL)
    mine = cluster.stake(OWNER, 41, 10 * SOL, OWNER.pubkey())
    given = cluster.stake(OWNER, 42, 3 * SOL, other.pubkey())
    reading = await wallets.read(ME)
    assert held(reading)["staked", "SOL"] == 10
    assert held(await wallets.read(str(other.pubkey())))["staked", "SOL"] == 3
    out = {flow.txid: flow.amount for flow in reading.flows if flow.direction == "out"}
    assert list(out.values()) == [Decimal(3)]
    assert (came, "in", "SOL") in told(reading)
    assert mine != given
    cluster.unstake(OWNER, mine, 10 * SOL)
    again = await wallets.read(ME, memory=reading.memory, known_flows=known(reading))
    assert ("staked", "SOL") not in held(again)
    assert held(again)["native", "SOL"] == held(reading)["native", "SOL"] + 10 - FEE
    assert again.flows == ()


async def test_tokens_that_were_sent_to_an_account_without_naming_its_owner_are_a_deposit(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    mint = cluster.put_mint(USDC, 6)
    account = cluster.open_account(cluster.bank, OWNER.pubkey(), mint)
    theirs = cluster.open_account(cluster.bank, cluster.bank.pubkey(), mint)
    cluster.mint_to(theirs, mint, 100_000_000)
    first = await wallets.read(ME)
    came = cluster.move(cluster.bank, theirs, account, 40_000_000)
    second = await wallets.read(ME, memory=first.memory, known_flows=known(first))
    assert told(second) == {(came, "in", "USDC"): Decimal(40)}
    cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    went = cluster.move(OWNER, account, theirs, 15_000_000)
    back = cluster.move(cluster.bank, theirs, account, 15_000_000)
    third = await wallets.read(ME, memory=second.memory)
    assert (went, "out", "USDC") in told(third)
    assert (back, "in", "USDC") in told(third)
    assert third.flows_known


async def test_flows_and_fees_add_up_to_what_a_wallet_holds(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), 9 * SOL)
    mint = cluster.put_mint(USDC, 6)
    account = cluster.open_account(cluster.bank, OWNER.pubkey(), mint)
    theirs = cluster.open_account(cluster.bank, cluster.bank.pubkey(), mint)
    cluster.mint_to(account, mint, 33_000_000)
    cluster.move(OWNER, account, theirs, 1)
    cluster.pay(OWNER, key(9).pubkey(), 2 * SOL)
    cluster.pay(OWNER, OWNER.pubkey(), SOL)
    reading = await wallets.read(ME)
    assets = held(reading)
    assert net(reading, "USDC") == assets["tokens", "USDC"]
    # The fee of what moved nothing is a cost and in no flow.
    owned = assets["native", "SOL"] + assets["rent", "SOL"]
    assert net(reading, "SOL") == owned + FEE


async def test_a_failed_transaction_costs_its_fee_and_moves_nothing(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    first = await wallets.read(ME)
    cluster.pay(OWNER, cluster.bank.pubkey(), 50 * SOL)
    second = await wallets.read(ME, memory=first.memory, known_flows=known(first))
    assert second.flows == ()
    assert held(second)["native", "SOL"] == 1 - FEE


async def test_a_history_is_looked_through_once_and_over_several_readings(
    cluster: MadeUpCluster, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SIGNATURES", 3)
    sent = [cluster.pay(cluster.bank, OWNER.pubkey(), SOL + index) for index in range(8)]
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    memory, found, rounds = None, set[str](), 0
    readings: list[Reading] = []
    while True:
        reading = await wallets.read(ME, memory=memory, known_flows=known(*readings))
        readings.append(reading)
        memory, rounds = reading.memory, rounds + 1
        found |= {flow.txid or "" for flow in reading.flows}
        if reading.flows_known:
            break
    assert found == set(sent)
    assert rounds == 4
    asked = cluster.count("getTransaction")
    assert asked == len(sent)
    cluster.slot += 1000
    newest = cluster.pay(cluster.bank, OWNER.pubkey(), 5)
    reading = await wallets.read(ME, memory=memory, known_flows=known(*readings))
    assert {flow.txid for flow in reading.flows} == {newest}
    assert cluster.count("getTransaction") == asked + 1


async def test_a_node_that_dropped_what_was_not_seen_yet_cannot_tell_all_flows(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    sent = [cluster.pay(cluster.bank, OWNER.pubkey(), SOL)]
    first = await wallets.read(ME)
    assert first.flows_known
    sent += [cluster.pay(cluster.bank, OWNER.pubkey(), SOL) for _ in range(4)]
    cluster.first = cluster.slot - 300
    second = await wallets.read(ME, memory=first.memory)
    assert {flow.txid for flow in second.flows} == set(sent[3:])
    assert second.flows_known is False
    cluster.first = 0
    third = await wallets.read(ME, memory=second.memory)
    assert {flow.txid for flow in third.flows} == set(sent)
    assert third.flows_known
    cluster.first = cluster.slot  # all that it dropped was looked at
    assert (await wallets.read(ME, memory=third.memory)).flows_known


@pytest.mark.parametrize(("age", "is_known"), [(15 * DAY, True), (13 * DAY, False)])
@pytest.mark.parametrize("tells_time", [True, False])
async def test_a_node_that_reaches_back_to_the_asked_moment_is_enough(
    cluster: MadeUpCluster, wallets: Wallets, age: int, is_known: bool, tells_time: bool
) -> None:
    assert searching.SHORTEST_SLOT < 200  # what slots are made to take in the end
    slot_takes = 200 if tells_time else searching.SHORTEST_SLOT
    cluster.slot += age // slot_takes + 1000
    cluster.first = 1000
    if not tells_time:
        cluster.answers["getBlockTime"] = None
    assert (await wallets.read(ME)).flows_known is is_known


async def test_a_node_that_does_not_tell_how_far_it_reaches_tells_flows_but_not_that_they_are_all(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    sent = cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    cluster.refusals["getFirstAvailableBlock"] = -32601
    reading = await wallets.read(ME)
    assert ({flow.txid for flow in reading.flows}, reading.flows_known) == ({sent}, False)


async def test_a_walk_begins_anew_where_a_node_has_lost_its_place(
    cluster: MadeUpCluster, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SIGNATURES", 3)
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    sent = [cluster.pay(cluster.bank, OWNER.pubkey(), SOL + index) for index in range(4)]
    first = await wallets.read(ME)
    cluster.first = cluster.slot
    second = await wallets.read(ME, memory=first.memory)
    assert (second.flows, second.flows_known) == ((), False)
    cluster.first, memory, found = 0, second.memory, set[str]()
    for _ in range(3):
        reading = await wallets.read(ME, memory=memory)
        memory = reading.memory
        found |= {flow.txid or "" for flow in reading.flows}
    assert (found, reading.flows_known) == (set(sent), True)


async def test_what_a_node_tells_late_was_in_the_balances_before(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    late = cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    untold = cluster.recorded.pop()
    first = await wallets.read(ME)
    assert first.flows == ()
    cluster.recorded.append(untold)
    second = await wallets.read(ME, memory=first.memory)
    assert [flow.txid for flow in second.flows] == [late]
    assert second.flows_asked_before == {("in", f"{late}:native"): None}
    came = cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    third = await wallets.read(ME, memory=second.memory, known_flows=known(second))
    assert [flow.txid for flow in third.flows] == [came]
    assert not third.flows_asked_before


async def test_known_flows_are_not_asked_for_again(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    sent = cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    reading = await wallets.read(ME, known_flows=frozenset({("in", f"{sent}:native")}))
    assert reading.flows == ()
    assert cluster.count("getTransaction") == 0


async def test_a_node_that_tells_no_stakes_leaves_only_those_unknown(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    cluster.refusals["getProgramAccounts"] = -32010
    reading = await wallets.read(ME)
    assert set(reading.missing) == {"staked"}
    assert "staked" not in reading.wallets
    assert held(reading) == {("native", "SOL"): Decimal(1)}


async def test_while_the_stakes_are_unknown_nobody_can_tell_what_staking_moved(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), 20 * SOL)
    first = await wallets.read(ME)
    cluster.refusals["getProgramAccounts"] = -32010
    cluster.stake(OWNER, 41, 10 * SOL, OWNER.pubkey())
    second = await wallets.read(ME, memory=first.memory, known_flows=known(first))
    assert (second.flows, second.flows_known) == ((), False)
    del cluster.refusals["getProgramAccounts"]
    third = await wallets.read(ME, memory=second.memory, known_flows=known(first, second))
    assert held(third)["staked", "SOL"] == 10
    assert (third.flows, third.flows_known) == ((), True)


async def test_a_token_that_counts_in_absurdly_small_parts_spoils_nothing(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    absurd, other = str(key(31).pubkey()), str(key(32).pubkey())
    for address, decimals in (absurd, 255), (other, 4):
        mint = cluster.put_mint(address, decimals)
        cluster.mint_to(cluster.open_account(cluster.bank, OWNER.pubkey(), mint), mint, 5)
    reading = await wallets.read(ME)
    assert reading.is_complete
    apart = [one for one in reading.positions if one.wallet == "unlisted"]
    assert [(one.asset, one.free) for one in apart] == [(f"solana:{other}", Decimal("0.0005"))]


async def test_transactions_of_the_newest_version_are_told(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    came = cluster.pay(cluster.bank, OWNER.pubkey(), 3 * SOL)
    cluster.recorded[-1].told["version"] = 1
    reading = await wallets.read(ME)
    assert told(reading) == {(came, "in", "SOL"): Decimal(3)}
    assert reading.flows_known


@pytest.mark.parametrize("method", ["getTokenAccountsByOwner", "getMultipleAccounts"])
async def test_what_a_node_refuses_is_missing_and_not_zero(
    cluster: MadeUpCluster, wallets: Wallets, method: str
) -> None:
    mint = cluster.put_mint(str(key(31).pubkey()), 4)
    cluster.mint_to(cluster.open_account(cluster.bank, OWNER.pubkey(), mint), mint, 5)
    cluster.refusals[method] = -32602
    reading = await wallets.read(ME)
    assert "unlisted" in reading.missing
    assert ("tokens" in reading.missing) is (method == "getTokenAccountsByOwner")
    assert reading.flows_known is (method == "getMultipleAccounts")
    assert not reading.wallets & reading.missing.keys()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        "ok",
        {"context": {"slot": 1}},
        {"context": {"slot": 1}, "value": {"lamports": "5", "owner": ME, "data": ["", "base64"]}},
        {"context": {"slot": 1}, "value": {"lamports": -5, "owner": ME, "data": ["", "base64"]}},
        {"context": {"slot": 1}, "value": {"lamports": 5, "owner": ME, "data": ["§", "base64"]}},
        {"context": {"slot": 1}, "value": {"lamports": 5, "owner": ME, "data": ["", "base58"]}},
    ],
)
async def test_an_odd_answer_about_the_account_is_no_empty_wallet(
    cluster: MadeUpCluster, wallets: Wallets, answer: object
) -> None:
    cluster.answers["getAccountInfo"] = answer
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize(
    ("method", "part", "account"),
    [
        ("getTokenAccountsByOwner", "tokens", {"lamports": 5, "owner": ME, "data": ["", "base64"]}),
        ("getProgramAccounts", "staked", {"lamports": 5, "owner": ME, "data": ["", "base64"]}),
    ],
)
async def test_an_account_that_is_not_what_was_asked_for_is_not_counted(
    cluster: MadeUpCluster, wallets: Wallets, method: str, part: str, account: object
) -> None:
    value = [{"pubkey": ME, "account": account}]
    cluster.answers[method] = {"context": {"slot": 1}, "value": value}
    reading = await wallets.read(ME)
    assert part in reading.missing


async def test_a_node_of_another_network_is_not_believed(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.genesis = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"
    with pytest.raises(ConnectorFailure, match="another chain"):
        await wallets.read(ME)


async def test_a_node_that_is_behind_is_not_believed(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    wallets.clock.advance(2 * 60 * MINUTE)
    with pytest.raises(ConnectorFailure, match="behind"):
        await wallets.read(ME)


async def test_a_node_that_has_not_come_as_far_stands_back_for_another() -> None:
    behind, ahead = (MadeUpCluster(NOW // 1000 - 3600, NOW // 1000) for _ in range(2))
    ahead.pay(ahead.bank, OWNER.pubkey(), SOL)
    behind.refusals["getAccountInfo"] = -32005
    async with wallets_of("solana_wallet", behind, ahead) as wallets:
        reading = await wallets.read(ME)
    assert held(reading) == {("native", "SOL"): Decimal(1)}


async def test_a_wallet_that_changes_while_it_is_read_is_read_again(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), 20 * SOL)

    def stake_meanwhile(method: str) -> None:
        if method == "getProgramAccounts":
            cluster.before = None
            cluster.stake(OWNER, 41, 10 * SOL, OWNER.pubkey())

    cluster.before = stake_meanwhile
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "SOL"): 10 - 2 * FEE, ("staked", "SOL"): Decimal(10)}


async def test_a_wallet_that_never_stands_still_is_unknown_for_now(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    def pay_meanwhile(method: str) -> None:
        if method == "getProgramAccounts":
            cluster.pay(cluster.bank, OWNER.pubkey(), SOL)

    cluster.before = pay_meanwhile
    reading = await wallets.read(ME)
    assert (reading.positions, reading.wallets, reading.flows_known) == ((), frozenset(), False)
    assert set(reading.missing) == {"native", "tokens", "rent", "unlisted", "staked"}


async def test_a_token_account_and_a_stake_account_are_no_wallets(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), 20 * SOL)
    mint = cluster.put_mint(USDC, 6)
    token = cluster.open_account(cluster.bank, OWNER.pubkey(), mint)
    stake = cluster.stake(OWNER, 41, 10 * SOL, OWNER.pubkey())
    for address in token, stake:
        with pytest.raises(ConnectorFailure, match="wallet that owns it") as failure:
            await wallets.read(str(address))
        assert failure.value.kind is FailureKind.UNSUPPORTED


async def test_a_vault_of_a_program_off_the_curve_is_a_wallet(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    vault, _ = Pubkey.find_program_address([b"vault"], key(50).pubkey())
    cluster.pay(cluster.bank, vault, SOL)
    assert held(await wallets.read(str(vault))) == {("native", "SOL"): Decimal(1)}


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("getTransaction", None),
        ("getTransaction", {"meta": None, "transaction": {"message": {"accountKeys": []}}}),
        ("getSignaturesForAddress", [{"signature": "x", "slot": 1, "blockTime": None}]),
    ],
)
async def test_a_history_that_cannot_be_used_leaves_the_flows_unknown(
    cluster: MadeUpCluster, wallets: Wallets, method: str, answer: Any
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    cluster.answers[method] = answer
    reading = await wallets.read(ME)
    assert reading.flows_known is False
    assert held(reading) == {("native", "SOL"): Decimal(1)}


async def test_memory_that_cannot_be_read_is_begun_anew(
    cluster: MadeUpCluster, wallets: Wallets
) -> None:
    cluster.pay(cluster.bank, OWNER.pubkey(), SOL)
    for memory in "", "[]", '{"trails": 5}', "\ud800":
        assert len((await wallets.read(ME, memory=memory)).flows) == 1


@pytest.mark.parametrize("address", [SYSTEM_PROGRAM, TOKEN_2022, WRAPPED_SOL])
async def test_programs_and_wrapped_sol_are_nobodys_wallets(address: str) -> None:
    async with wallets_of("solana_wallet") as wallets:
        with pytest.raises(AddressRefused, match="nobody's wallet"):
            wallets.reader.checked(address)
