"""Wallets of Cosmos chains read over real HTTP from a made-up chain behind its REST interface."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.chain import bech32
from coffers.connectors.chain.cosmos import flows as searching
from coffers.connectors.chain.cosmos import lcd as asking
from coffers.connectors.chain.cosmos import reader as reading_wallets
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from rest_node import JUNK, Asked, RestNode
from wallets import Wallets, held, known, net, told, wallets_of

ME = bech32.encode("cosmos", bytes(range(20)))
THEM = bech32.encode("cosmos", bytes(range(1, 21)))
POOL, TREASURY = (bech32.encode("cosmos", bytes([n]) * 20) for n in (7, 8))
VALIDATOR = bech32.encode("cosmos", bytes([10]) * 20)
COLLECTOR = bech32.encode("cosmos", bytes([9]) * 20)
ATOM = "uatom"
M = 10**6
FEE = 2500
PATH, BASE = "transfer/channel-9/transfer/channel-1", "ujuno"


def ibc(path: str, base: str) -> str:
    return "ibc/" + hashlib.sha256(f"{path}/{base}".encode()).hexdigest().upper()


USDC, JUNO = ibc("transfer/channel-536", "uusdc"), ibc(PATH, BASE)
FACTORY = f"factory/{THEM}/uatom"


@dataclass
class State:
    """What everybody has at one height."""

    balances: dict[str, dict[str, int]] = field(default_factory=dict)
    staked: dict[tuple[str, str], int] = field(default_factory=dict)
    leaving: dict[tuple[str, str], int] = field(default_factory=dict)
    rewards: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)


class MadeUpChain(RestNode):
    """A chain with its states at all heights."""

    def __init__(self) -> None:
        super().__init__()
        self.network = "cosmoshub-4"
        self.first = 1
        self.height, self.time = 200_000, NOW // 1000 - 86400
        self.state = State({THEM: {ATOM: 10**12, USDC: 10**12, JUNO: 10**12, FACTORY: 10**12}})
        self.states = {self.height: deepcopy(self.state)}
        self.transactions: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.behind = 0
        self.traces_as = "old"
        self.has_feemarket = False

    # What happens on the chain.

    def event(self, kind: str, **attributes: str) -> None:
        rows = [{"key": key, "value": text, "index": True} for key, text in attributes.items()]
        self.events.append({"type": kind, "attributes": rows})

    def move(self, source: str, to: str, coins: dict[str, int]) -> None:
        for denom, amount in coins.items():
            for owner, change in (source, -amount), (to, amount):
                has = self.state.balances.setdefault(owner, {})
                has[denom] = has.get(denom, 0) + change
        written = ",".join(f"{amount}{denom}" for denom, amount in coins.items())
        self.event("coin_spent", spender=source, amount=written, msg_index="0")
        self.event("coin_received", receiver=to, amount=written, msg_index="0")

    def seal(self, payer: str, code: int = 0) -> str:
        """Put the events so far into a transaction whose fee somebody paid."""
        done, self.events = self.events, []
        self.move(payer, COLLECTOR, {ATOM: FEE})
        # What is outside of all messages has no index of one.
        for each in self.events:
            each["attributes"] = [row for row in each["attributes"] if row["key"] != "msg_index"]
        if not self.has_feemarket:
            self.event("tx", fee=f"{FEE}{ATOM}", fee_payer=payer)
        self.event("tx", acc_seq=f"{payer}/4")
        before, self.events = self.events, []
        if self.has_feemarket and code == 0:
            self.event("fee_pay", fee=f"{FEE - 500}{ATOM}")
            self.event("tip_pay", tip=f"500{ATOM}", tip_payee=VALIDATOR)
        events, self.events = before + done + self.events, []
        self.height, self.time = self.height + 10, self.time + 60
        self.states[self.height] = deepcopy(self.state)
        txid = hashlib.sha256(str(self.height).encode()).hexdigest().upper()
        self.transactions.append(
            {
                "txhash": txid,
                "height": str(self.height),
                "timestamp": _written(self.time),
                "code": code,
                "events": events,
            }
        )
        return txid

    def pay(self, source: str, to: str, coins: dict[str, int]) -> str:
        self.move(source, to, coins)
        return self.seal(source)

    def stake(self, owner: str, validator: str, amount: int) -> str:
        self._claim(owner, validator)
        self.move(owner, POOL, {ATOM: amount})
        told = f"{amount}{ATOM}"
        self.event("delegate", validator=validator, delegator=owner, amount=told, msg_index="0")
        key = owner, validator
        self.state.staked[key] = self.state.staked.get(key, 0) + amount
        return self.seal(owner)

    def unstake(self, owner: str, validator: str, amount: int) -> str:
        self._claim(owner, validator)
        self.event("unbond", validator=validator, delegator=owner, amount=f"{amount}{ATOM}")
        self.state.staked[owner, validator] -= amount
        self.state.leaving[owner, validator] = amount
        return self.seal(owner)

    def release(self, owner: str, validator: str) -> None:
        """End an unbonding, which is no transaction."""
        self.move(POOL, owner, {ATOM: self.state.leaving.pop((owner, validator))})
        self.events = []

    def claim(self, owner: str, validator: str, to: str | None = None) -> str:
        self._claim(owner, validator, to)
        return self.seal(owner)

    def _claim(self, owner: str, validator: str, to: str | None = None) -> None:
        owed = self.state.rewards.pop((owner, validator), {})
        coins = {denom: int(amount.partition(".")[0]) for denom, amount in owed.items()}
        coins = {denom: amount for denom, amount in coins.items() if amount}
        if coins:
            self.state.balances.setdefault(TREASURY, dict.fromkeys(coins, 10**12))
            self.move(TREASURY, to or owner, coins)
        written = ",".join(f"{amount}{denom}" for denom, amount in coins.items())
        self.event("withdraw_rewards", amount=written, validator=validator, delegator=owner)

    # What the node tells.

    def answer(self, asked: Asked) -> object:
        parts = asked.path.strip("/").split("/")
        if parts[:2] == ["cosmos", "tx"]:
            return self._search(asked.query)
        if parts[:2] == ["ibc", "apps"]:
            return self._trace(parts[-2], parts[-1])
        if parts[2] == "tendermint":
            return self._block(parts[-1])
        at = int(asked.headers["x-cosmos-block-height"])
        state = self.states[max(each for each in self.states if each <= at)]
        if parts[1] == "bank":
            return self._balances(state, parts, asked)
        if parts[1] == "distribution":
            return self._rewards(state, parts[4])
        return self._stakes(state, parts, asked)

    def _block(self, name: str) -> object:
        last = self.height + 2
        height = last if name == "latest" else int(name)
        if height < self.first:
            return None
        time = NOW // 1000 - 6 * (last - height) - self.behind
        header = {"chain_id": self.network, "height": str(height), "time": _written(time)}
        return {"block": {"header": header}}

    def _search(self, query: dict[str, str]) -> object:
        found = re.fullmatch(r"(\w+)\.(\w+)='(\w+)' AND tx\.height<=(\d+)", query["query"])
        assert found is not None
        kind, key, owner, top = found.groups()
        rows = [
            row
            for row in reversed(self.transactions)
            if int(row["height"]) <= int(top)
            and any(
                event["type"] == kind
                and {"key": key, "value": owner, "index": True} in event["attributes"]
                for event in row["events"]
            )
        ]
        return {"tx_responses": rows[: int(query["limit"])], "pagination": None}

    def _trace(self, form: str, digits: str) -> object:
        known = f"ibc/{digits}" == JUNO
        if form == "denom_traces" and known and self.traces_as == "old":
            return {"denom_trace": {"path": PATH, "base_denom": BASE}}
        if form == "denom_traces" and known and self.traces_as == "false":
            return {"denom_trace": {"path": "transfer/channel-0", "base_denom": "uatom"}}
        if form == "denoms" and known and self.traces_as == "new":
            channels = [{"port_id": "transfer", "channel_id": f"channel-{n}"} for n in (9, 1)]
            return {"denom": {"base": BASE, "trace": channels}}
        return None

    def _balances(self, state: State, parts: list[str], asked: Asked) -> object:
        if parts[-1] == "by_denom":
            denom = asked.query["denom"]
            amount = state.balances.get(parts[-2], {}).get(denom, 0)
            return {"balance": {"denom": denom, "amount": str(amount)}}
        return _listed("balances", _coins(state.balances.get(parts[-1], {})), asked)

    def _rewards(self, state: State, owner: str) -> object:
        rows = [
            {"validator_address": validator, "reward": _coins(coins)}
            for (whose, validator), coins in state.rewards.items()
            if whose == owner
        ]
        return {"rewards": rows, "total": []}

    def _stakes(self, state: State, parts: list[str], asked: Asked) -> object:
        if parts[-1] == "unbonding_delegations":
            rows = [
                {"entries": [{"balance": str(amount)}]}
                for (whose, _), amount in state.leaving.items()
                if whose == parts[-2]
            ]
            return _listed("unbonding_responses", rows, asked)
        rows = [
            {"balance": {"denom": ATOM, "amount": str(amount)}}
            for (whose, _), amount in state.staked.items()
            if whose == parts[-1] and amount
        ]
        return _listed("delegation_responses", rows, asked)


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def _coins(has: dict[str, Any]) -> list[Any]:
    return [{"denom": denom, "amount": str(amount)} for denom, amount in has.items() if amount]


def _listed(name: str, rows: list[Any], asked: Asked) -> object:
    """Return a page of two rows and the key of the next."""
    start = int(base64.b64decode(asked.query.get("pagination.key", "MA==")))
    more = base64.b64encode(str(start + 2).encode()).decode() if len(rows) > start + 2 else None
    return {name: rows[start : start + 2], "pagination": {"next_key": more, "total": "0"}}


def atom(micro: int) -> Decimal:
    return Decimal(micro) / M


@pytest.fixture
def chain() -> MadeUpChain:
    return MadeUpChain()


@pytest.fixture
async def wallets(chain: MadeUpChain) -> AsyncIterator[Wallets]:
    async with wallets_of("cosmos_wallet", chain) as found:
        yield found


async def test_a_paid_wallet_holds_its_coins_and_tells_who_paid_and_when(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    came = chain.pay(THEM, ME, {ATOM: 10 * M})
    went = chain.pay(ME, THEM, {ATOM: 3 * M})
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "ATOM"): atom(7 * M - FEE)}
    assert told(reading) == {(came, "in", "ATOM"): Decimal(10), (went, "out", "ATOM"): Decimal(3)}
    assert {flow.txid: flow.fee for flow in reading.flows} == {came: 0, went: atom(FEE)}
    assert net(reading, "ATOM") == held(reading)["native", "ATOM"]
    assert reading.is_complete
    assert reading.flows_known
    assert reading.wallets == {"native", "tokens", "spam", "staked", "rewards"}


async def test_a_fee_is_told_apart_where_only_its_payment_tells_of_it(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.has_feemarket = True
    came = chain.pay(THEM, ME, {ATOM: 10 * M})
    went = chain.pay(ME, THEM, {ATOM: 3 * M})
    chain.stake(ME, "one", 2 * M)
    failed = chain.seal(ME, code=5)
    reading = await wallets.read(ME)
    assert held(reading)["native", "ATOM"] == atom(5 * M - 3 * FEE)
    assert told(reading) == {(came, "in", "ATOM"): Decimal(10), (went, "out", "ATOM"): Decimal(3)}
    assert {flow.txid: flow.fee for flow in reading.flows} == {came: 0, went: atom(FEE)}
    assert failed
    assert reading.flows_known


async def test_an_address_that_nobody_ever_paid_holds_nothing(wallets: Wallets) -> None:
    reading = await wallets.read(ME)
    assert (reading.positions, reading.is_complete, reading.flows_known) == ((), True, True)


async def test_all_parts_are_of_one_height(chain: MadeUpChain, wallets: Wallets) -> None:
    chain.pay(THEM, ME, {ATOM: 10 * M})
    await wallets.read(ME)
    heights = {each.headers.get("x-cosmos-block-height") for each in chain.asked}
    assert heights == {None, str(chain.height)}


async def test_listed_tokens_count_and_others_are_listed_apart_in_their_smallest_unit(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    came = chain.pay(THEM, ME, {ATOM: M, USDC: 5 * M, JUNO: 77, FACTORY: 88})
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("native", "ATOM"): Decimal(1),
        ("tokens", "USDC"): Decimal(5),
        ("spam", f"cosmos:{JUNO}"): Decimal(77),
        ("spam", f"cosmos:{FACTORY}"): Decimal(88),
    }
    names = {one.asset: one.venue_code for one in reading.positions}
    assert names[f"cosmos:{JUNO}"] == "ujuno"
    assert told(reading)[came, "in", "USDC"] == 5
    assert {flow.asset for flow in reading.flows} == {"ATOM", "USDC"}
    asked = chain.count("/ibc")
    assert asked == 1
    await wallets.read(ME, memory=reading.memory)
    assert chain.count("/ibc") == asked


async def test_however_many_tokens_somebody_sends_those_that_count_are_read(
    chain: MadeUpChain, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_PAGES", 1)
    chain.pay(THEM, ME, {JUNO: 77, FACTORY: 88})
    chain.pay(THEM, ME, {ATOM: M, USDC: 5 * M})
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("native", "ATOM"): Decimal(1),
        ("tokens", "USDC"): Decimal(5),
        ("spam", f"cosmos:{JUNO}"): Decimal(77),
        ("spam", f"cosmos:{FACTORY}"): Decimal(88),
    }
    assert reading.is_complete


@pytest.mark.parametrize(("form", "name"), [("new", "ujuno"), ("none", ""), ("false", "")])
async def test_an_origin_is_believed_only_where_it_fits_the_hash(
    chain: MadeUpChain, wallets: Wallets, form: str, name: str
) -> None:
    chain.traces_as = form
    chain.pay(THEM, ME, {JUNO: 77})
    (apart,) = (await wallets.read(ME)).positions
    digits = JUNO.removeprefix("ibc/")
    assert apart.venue_code == (name or f"{digits[:4]}…{digits[-4:]}")


async def test_staking_and_claiming_move_coins_within_the_wallet(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.pay(THEM, ME, {ATOM: 100 * M})
    first = await wallets.read(ME)
    chain.stake(ME, "one", 40 * M)
    chain.stake(ME, "two", 20 * M)
    for validator in "one", "two":
        amount = {ATOM: "1500000.999999999999999999", USDC: "0.5", JUNO: "9.1"}
        chain.state.rewards[ME, validator] = amount
    chain.states[chain.height] = deepcopy(chain.state)
    second = await wallets.read(ME, memory=first.memory, known_flows=known(first))
    assert second.flows == ()
    assert held(second) == {
        ("native", "ATOM"): atom(40 * M - 2 * FEE),
        ("staked", "ATOM"): Decimal(60),
        ("rewards", "ATOM"): Decimal(3),
    }
    chain.claim(ME, "one")
    chain.unstake(ME, "two", 15 * M)
    third = await wallets.read(ME, memory=second.memory, known_flows=known(first))
    assert third.flows == ()
    assert held(third)["native", "ATOM"] == atom(43 * M - 4 * FEE)
    assert held(third)["staked", "ATOM"] == 60
    chain.release(ME, "two")
    chain.claim(ME, "one")
    last = await wallets.read(ME, memory=third.memory, known_flows=known(first))
    assert last.flows == ()
    assert held(last)["native", "ATOM"] == atom(58 * M - 5 * FEE)
    assert held(last)["staked", "ATOM"] == 45


async def test_rewards_that_are_paid_to_somebody_else_have_left(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.pay(THEM, ME, {ATOM: 10 * M})
    chain.state.rewards[ME, "one"] = {ATOM: "2000000.5"}
    went = chain.claim(ME, "one", THEM)
    assert told(await wallets.read(ME))[went, "out", "ATOM"] == 2


async def test_a_failed_transaction_and_a_payment_to_oneself_are_no_flows(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.pay(THEM, ME, {ATOM: 10 * M})
    first = await wallets.read(ME)
    chain.seal(ME, code=5)
    chain.pay(ME, ME, {ATOM: M})
    second = await wallets.read(ME, memory=first.memory, known_flows=known(first))
    assert second.flows == ()
    assert second.flows_known
    assert held(second) == {("native", "ATOM"): atom(10 * M - 2 * FEE)}


async def test_a_history_is_looked_through_once_and_over_several_readings(
    chain: MadeUpChain, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ROWS", 3)
    monkeypatch.setattr(searching, "OVERLAP", 10)
    monkeypatch.setattr(searching, "ROWS", 3)
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    sent = {chain.pay(THEM, ME, {ATOM: M}) for _ in range(7)}
    sent |= {chain.pay(ME, THEM, {ATOM: 1}) for _ in range(4)}
    found, memory = set[str](), None
    for _ in range(12):
        reading = await wallets.read(ME, memory=memory)
        memory = reading.memory
        found |= {flow.txid or "" for flow in reading.flows}
        if reading.flows_known:
            break
    assert reading.flows_known
    assert found == sent
    chain.height += searching.OVERLAP + 10
    chain.states[chain.height] = deepcopy(chain.state)
    memory = (await wallets.read(ME, memory=memory)).memory
    assert (await wallets.read(ME, memory=memory)).flows == ()


async def test_a_deposit_that_a_node_finds_late_is_told_by_a_later_reading(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    late = chain.pay(THEM, ME, {ATOM: M})
    row = chain.transactions.pop()
    came = chain.pay(THEM, ME, {ATOM: M})
    first = await wallets.read(ME)
    assert {flow.txid for flow in first.flows} == {came}
    assert not first.flows_asked_before
    chain.transactions.insert(0, row)
    second = await wallets.read(ME, memory=first.memory, known_flows=known(first))
    assert {flow.txid for flow in second.flows} == {late}
    # The balances before had it already.
    assert second.flows_asked_before == {("in", second.flows[0].external_id): None}


async def test_a_node_without_the_old_blocks_cannot_tell_all_flows(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.pay(THEM, ME, {ATOM: M})
    chain.first = chain.height - 1500
    assert (await wallets.read(ME)).flows_known is False
    chain.first = 1
    first = await wallets.read(ME)
    assert first.flows_known
    chain.first = chain.height + 1
    chain.height += 100
    chain.states[chain.height] = deepcopy(chain.state)
    assert (await wallets.read(ME, memory=first.memory)).flows_known is False


async def test_a_node_that_does_not_search_leaves_only_the_flows_unknown(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.pay(THEM, ME, {ATOM: M})
    for status in 400, 404, 500, 501:
        chain.statuses["/cosmos/tx"] = status
        reading = await wallets.read(ME)
        assert (reading.flows, reading.flows_known) == ((), False)
        assert held(reading) == {("native", "ATOM"): Decimal(1)}


@pytest.mark.parametrize("answer", [*JUNK, {"tx_responses": [{"txhash": "x"}]}])
async def test_a_broken_history_leaves_the_flows_unknown(
    chain: MadeUpChain, wallets: Wallets, answer: object
) -> None:
    chain.pay(THEM, ME, {ATOM: M})
    chain.answers["/cosmos/tx"] = answer
    assert (await wallets.read(ME)).flows_known is False


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"receiver": ME},
        {"receiver": ME, "amount": "5"},
        {"receiver": ME, "amount": "5uatom;6uosmo"},
        {"cmVjZWl2ZXI=": "", "YW1vdW50": ""},
    ],
)
async def test_events_that_do_not_tell_leave_the_flows_unknown(
    chain: MadeUpChain, wallets: Wallets, attributes: dict[str, str]
) -> None:
    chain.move(THEM, ME, {ATOM: M})
    chain.event("coin_received", **attributes)
    chain.seal(THEM)
    assert (await wallets.read(ME)).flows_known is False


@pytest.mark.parametrize("path", ["/cosmos/base", "/cosmos/bank"])
@pytest.mark.parametrize(
    "answer",
    [
        *JUNK,
        {"balances": []},
        {"balances": None, "pagination": {}},
        {"balances": [{"denom": ATOM, "amount": -5}], "pagination": {}},
        {"balances": [{"denom": ATOM, "amount": "1.5"}], "pagination": {}},
    ],
)
async def test_a_broken_answer_is_no_empty_wallet(
    chain: MadeUpChain, wallets: Wallets, path: str, answer: object
) -> None:
    chain.answers[path] = answer
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize(
    ("path", "part"), [("/cosmos/staking", "staked"), ("/cosmos/distribution", "rewards")]
)
@pytest.mark.parametrize("answer", JUNK)
async def test_a_broken_part_is_missing_and_not_zero(
    chain: MadeUpChain, wallets: Wallets, path: str, part: str, answer: object
) -> None:
    chain.pay(THEM, ME, {ATOM: M})
    chain.answers[path] = answer
    reading = await wallets.read(ME)
    assert set(reading.missing) == {part}
    assert part not in reading.wallets
    assert held(reading) == {("native", "ATOM"): Decimal(1)}


async def test_a_stake_in_another_coin_is_not_counted_as_the_own_one(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    row = {"balance": {"denom": "uosmo", "amount": "5"}}
    answer = {"delegation_responses": [row], "pagination": {"next_key": None}}
    chain.answers["/cosmos/staking/v1beta1/delegations"] = answer
    assert set((await wallets.read(ME)).missing) == {"staked"}


async def test_a_list_without_end_is_given_up(chain: MadeUpChain, wallets: Wallets) -> None:
    endless = {"delegation_responses": [], "pagination": {"next_key": "AA=="}}
    chain.answers["/cosmos/staking/v1beta1/delegations"] = endless
    assert "too many" in (await wallets.read(ME)).missing["staked"]
    chain.answers["/cosmos/bank"] = {"balances": [], "pagination": {"next_key": "AA=="}}
    with pytest.raises(ConnectorFailure):
        await wallets.read(ME)


async def test_a_node_of_another_network_is_not_believed(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.network = "theta-testnet-001"
    with pytest.raises(ConnectorFailure, match="main network"):
        await wallets.read(ME)


async def test_a_node_that_is_behind_is_not_believed(chain: MadeUpChain, wallets: Wallets) -> None:
    chain.behind = 3600
    with pytest.raises(ConnectorFailure, match="behind"):
        await wallets.read(ME)


async def test_memory_that_cannot_be_read_is_begun_anew(
    chain: MadeUpChain, wallets: Wallets
) -> None:
    chain.pay(THEM, ME, {ATOM: M})
    for memory in "", "[]", '{"spent": 5}', "\ud800":
        assert len((await wallets.read(ME, memory=memory)).flows) == 1
