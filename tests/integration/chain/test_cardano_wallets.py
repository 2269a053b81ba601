"""Wallets of Cardano read over real HTTP from a made-up ledger behind Koios."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from coffers.clock import MINUTE
from coffers.connectors.chain import bech32
from coffers.connectors.chain.cardano import flows as searching
from coffers.connectors.chain.cardano import holdings as holding
from coffers.connectors.chain.cardano import koios as asking
from coffers.connectors.chain.cardano import reader as reading_wallets
from coffers.connectors.chain.cardano.koios import KNOWN_ACCOUNT, KNOWN_ADDRESS
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from rest_node import JUNK, Asked, RestNode
from wallets import Wallets, held, net, told, wallets_of

MIN = "29d222ce763455e3d7a09a665ce554f00ac89d2e99a1a83d267170c6.4d494e"
SNEK = "279c909f348e533da5808898f87f9a14bb2c3dfbbacccd631d927a3f.534e454b"
PLACED = f"{'fe' * 28}.504c43"
FAKE = f"{'ab' * 28}.4d494e"
ADA = 1_000_000
ME = bech32.encode("stake", b"\xe1" + bytes(range(28)))
OTHER = bech32.encode("stake", b"\xe1" + bytes(range(1, 29)))
SINGLE = bech32.encode("addr", b"\x61" + bytes(range(28)))
FEE = 170_000


def address_of(stake: str | None, number: int) -> str:
    """Return one of an owner's addresses."""
    key = hashlib.sha224(bytes([number])).digest()
    if stake is None:
        return bech32.encode("addr", b"\x61" + key)
    named = bech32.decode(stake)
    assert named is not None
    assert named.payload is not None
    return bech32.encode("addr", b"\x01" + key + named.payload[1:])


@dataclass
class Coin:
    """An output of a transaction; `tokens` by id."""

    address: str
    stake: str | None
    value: int
    tokens: dict[str, int] = field(default_factory=dict)
    tx: str = ""
    index: int = 0

    def told(self, place: str = "") -> dict[str, Any]:
        assets = [
            {
                "policy_id": id_.partition(".")[0],
                "asset_name": id_.partition(".")[2] or None,
                "decimals": 6 if id_ in {MIN, PLACED} else 0,
                "quantity": str(amount),
            }
            for id_, amount in self.tokens.items()
        ]
        one = {"value": str(self.value), "tx_hash": self.tx, "tx_index": self.index}
        if place:
            one |= {"payment_addr": {"bech32": self.address}, "stake_addr": self.stake}
        return {**one, "asset_list": assets}


class Ledger(RestNode):
    """A ledger that only allows transactions whose sides are equal."""

    def __init__(self) -> None:
        super().__init__()
        self.height, self.time = 1000, NOW // 1000 - 86400
        self.unspent: dict[tuple[str, int], Coin] = {}
        self.transactions: dict[str, dict[str, Any]] = {}
        self.rewards = {ME: 0, KNOWN_ACCOUNT: 5, OTHER: 0}
        self.deposits = {ME: 0}
        self.seen = {KNOWN_ACCOUNT}
        self.behind = 0
        self.before: Any = None
        self.bank = self.mint(OTHER, 1_000_000 * ADA, {MIN: 10**12, SNEK: 10**9, FAKE: 10**6})

    def mint(self, stake: str | None, value: int, tokens: dict[str, int]) -> Coin:
        coin = Coin(address_of(stake, 0), stake, value, tokens, "00" * 32)
        self.unspent[coin.tx, coin.index] = coin
        return coin

    def owned(self, own: str) -> list[Coin]:
        return [coin for coin in self.unspent.values() if own in {coin.stake, coin.address}]

    def send(
        self,
        sender: str,
        to: list[Coin],
        *,
        withdraw: int = 0,
        deposit: int = 0,
        certificates: list[dict[str, Any]] | None = None,
        change: str | None = None,
    ) -> str:
        """Spend all of a sender's coins; what is left goes back to another address of theirs."""
        self.height, self.time = self.height + 1, self.time + 20
        ins = self.owned(sender)
        rest = sum(coin.value for coin in ins) + withdraw - FEE - deposit
        tokens: dict[str, int] = {}
        for coin in ins:
            for id_, amount in coin.tokens.items():
                tokens[id_] = tokens.get(id_, 0) + amount
        for coin in to:
            rest -= coin.value
            for id_, amount in coin.tokens.items():
                tokens[id_] -= amount
        assert rest >= 0
        assert all(amount >= 0 for amount in tokens.values())
        is_stake = sender.startswith("stake")
        back = change or (address_of(sender, self.height % 200) if is_stake else sender)
        kept = {id_: amount for id_, amount in tokens.items() if amount}
        outs = [*to, Coin(back, sender if is_stake else None, rest, kept)]
        if withdraw:
            self.rewards[sender] -= withdraw
        if certificates is None:
            self.deposits[sender] = self.deposits.get(sender, 0) + deposit
            certificates = [_of_key(sender, deposit)] if deposit else []
        hash_ = self._record(ins, outs, [(sender, withdraw)] if withdraw else [], deposit)
        self.transactions[hash_]["certificates"] = certificates
        return hash_

    def _record(
        self, ins: list[Coin], outs: list[Coin], withdrawn: list[tuple[str, int]], deposit: int
    ) -> str:
        hash_ = hashlib.sha256(str(self.height).encode()).hexdigest()
        for coin in ins:
            del self.unspent[coin.tx, coin.index]
        for index, coin in enumerate(outs):
            coin.tx, coin.index = hash_, index
            self.unspent[hash_, index] = coin
        self.transactions[hash_] = {
            "tx_hash": hash_,
            "block_height": self.height,
            "tx_timestamp": self.time,
            "fee": str(FEE),
            "deposit": str(deposit),
            "inputs": [coin.told("in") for coin in ins],
            "outputs": [coin.told("out") for coin in outs],
            "withdrawals": [
                {"amount": str(amount), "stake_addr": stake} for stake, amount in withdrawn
            ],
            "owners": {each for coin in [*ins, *outs] for each in (coin.stake, coin.address)},
        }
        self.seen |= self.transactions[hash_]["owners"] - {None}
        return hash_

    def pay(self, to: str, value: int, tokens: dict[str, int] | None = None) -> str:
        """Pay somebody from the bank."""
        is_stake = to.startswith("stake")
        address = address_of(to, 7) if is_stake else to
        coin = Coin(address, to if is_stake else None, value, tokens or {})
        return self.send(OTHER, [coin])

    def answer(self, asked: Asked) -> object:
        if self.before is not None:
            self.before(asked.path)
        name = asked.path.strip("/")
        return getattr(self, f"on_{name}")(asked) if hasattr(self, f"on_{name}") else None

    def on_tip(self, asked: Asked) -> object:
        now = NOW // 1000 - self.behind
        return [{"block_height": self.height + 10, "block_time": now, "hash": "00"}]

    def on_account_info(self, asked: Asked) -> object:
        return [
            {
                "stake_address": stake,
                "status": "registered",
                "utxo": str(sum(coin.value for coin in self.owned(stake))),
                "rewards_available": str(self.rewards[stake]),
                "deposit": str(self.deposits.get(stake, 0)),
            }
            for stake in asked.body["_stake_addresses"]
            if stake in self.seen
        ]

    def on_account_utxos(self, asked: Asked) -> object:
        coins = self.owned(asked.body["_stake_addresses"][0])
        rows = sorted((coin.told() for coin in coins), key=lambda row: row["tx_hash"])
        return _page(rows, asked)

    def on_address_info(self, asked: Asked) -> object:
        told = [{"address": KNOWN_ADDRESS, "balance": "0", "utxo_set": []}]
        for address in asked.body["_addresses"]:
            if address in self.seen:
                coins = self.owned(address)
                balance = str(sum(coin.value for coin in coins))
                utxos = [coin.told() for coin in coins]
                told.append({"address": address, "balance": balance, "utxo_set": utxos})
        return told

    def on_account_txs(self, asked: Asked) -> object:
        return self._history(asked.query["_stake_address"], asked)

    def on_address_txs(self, asked: Asked) -> object:
        return self._history(asked.body["_addresses"][0], asked)

    def _history(self, own: str, asked: Asked) -> object:
        top = int(asked.query["block_height"].removeprefix("lte."))
        assert asked.query["order"].startswith("block_height.desc")
        rows = [
            {
                "tx_hash": each["tx_hash"],
                "block_height": each["block_height"],
                "block_time": each["tx_timestamp"],
            }
            for each in self.transactions.values()
            if own in each["owners"] and each["block_height"] <= top
        ]
        return _page(sorted(rows, key=lambda row: -row["block_height"]), asked)

    def on_tx_info(self, asked: Asked) -> object:
        assert asked.body["_inputs"]
        assert asked.body["_certs"]
        rows = [self.transactions[hash_] for hash_ in asked.body["_tx_hashes"]]
        return [{key: row[key] for key in row if key != "owners"} for row in rows]


def _of_key(stake: str, deposit: int) -> dict[str, Any]:
    """Return the certificate of a key whose deposit is paid, or comes back."""
    kind = "stake_registration" if deposit > 0 else "stake_deregistration"
    return {"index": 0, "type": kind, "info": {"stake_address": stake}}


def _page(rows: list[Any], asked: Asked) -> list[Any]:
    start, limit = int(asked.query["offset"]), int(asked.query["limit"])
    return rows[start : start + limit]


def ada(lovelace: int) -> Decimal:
    return Decimal(lovelace) / ADA


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def wallets(ledger: Ledger) -> AsyncIterator[Wallets]:
    async with wallets_of("cardano_wallet", ledger) as found:
        yield found


async def test_all_addresses_of_a_stake_are_one_wallet_with_its_flows(
    ledger: Ledger, wallets: Wallets
) -> None:
    came = ledger.pay(ME, 100 * ADA)
    went = ledger.send(ME, [Coin(address_of(OTHER, 3), OTHER, 30 * ADA)])
    reading = await wallets.read(address_of(ME, 9))
    assert held(reading) == {("native", "ADA"): ada(70 * ADA - FEE)}
    assert told(reading) == {(came, "in", "ADA"): Decimal(100), (went, "out", "ADA"): Decimal(30)}
    assert {flow.txid: flow.fee for flow in reading.flows} == {came: 0, went: ada(FEE)}
    assert net(reading, "ADA") == held(reading)["native", "ADA"]
    assert reading.is_complete
    assert reading.flows_known
    assert reading.wallets == {"native", "tokens", "unlisted", "spam", "rewards", "deposit"}


async def test_a_wallet_that_the_chain_never_saw_holds_nothing(wallets: Wallets) -> None:
    for address in ME, SINGLE:
        reading = await wallets.read(address)
        assert (reading.positions, reading.is_complete, reading.flows_known) == ((), True, True)


async def test_an_address_without_a_stake_is_a_wallet_of_its_own(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(SINGLE, 10 * ADA, {MIN: 5_000_000})
    went = ledger.send(SINGLE, [Coin(address_of(OTHER, 3), OTHER, 2 * ADA, {MIN: 1})])
    reading = await wallets.read(SINGLE)
    assert held(reading) == {
        ("native", "ADA"): ada(8 * ADA - FEE),
        ("tokens", f"cardano:{MIN}"): Decimal("4.999999"),
    }
    assert told(reading)[went, "out", "ADA"] == 2
    assert told(reading)[went, "out", f"cardano:{MIN}"] == Decimal("0.000001")
    assert reading.wallets == {"native", "tokens", "unlisted", "spam"}


async def test_withdrawing_rewards_and_the_deposit_of_a_key_are_no_flows(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 100 * ADA)
    ledger.rewards[ME] = 7 * ADA
    before = await wallets.read(ME)
    assert held(before)["rewards", "ADA"] == 7
    ledger.send(ME, [], withdraw=7 * ADA, deposit=2 * ADA)
    after = await wallets.read(ME, memory=before.memory)
    assert after.flows == ()
    assert held(after) == {
        ("native", "ADA"): ada(105 * ADA - FEE),
        ("deposit", "ADA"): Decimal(2),
    }
    ledger.send(ME, [], deposit=-2 * ADA)
    last = await wallets.read(ME, memory=after.memory)
    assert last.flows == ()
    assert held(last) == {("native", "ADA"): ada(107 * ADA - 2 * FEE)}


@pytest.mark.parametrize(
    ("paid", "returned"),
    [
        (
            {"index": 0, "type": "drep_registration", "info": {"drep_id": "d", "deposit": "5"}},
            {"index": 0, "type": "drep_retire", "info": {"drep_id": "d"}},
        ),
        (_of_key(OTHER, 500), _of_key(OTHER, -500)),
    ],
)
async def test_the_deposit_of_a_representative_or_of_another_key_leaves_the_wallet(
    ledger: Ledger, wallets: Wallets, paid: dict[str, Any], returned: dict[str, Any]
) -> None:
    ledger.pay(ME, 600 * ADA)
    went = ledger.send(ME, [], deposit=500 * ADA, certificates=[paid])
    back = ledger.send(ME, [], deposit=-500 * ADA, certificates=[returned])
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "ADA"): ada(600 * ADA - 2 * FEE)}
    assert told(reading)[went, "out", "ADA"] == 500
    assert told(reading)[back, "in", "ADA"] == 500
    assert reading.flows_known


async def test_a_deposit_that_comes_back_as_a_reward_is_no_flow(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 600 * ADA)
    pool = {"index": 0, "type": "pool_update", "info": {"pool_id_hex": "x"}}
    ledger.send(ME, [], deposit=500 * ADA, certificates=[pool])
    reading = await wallets.read(ME)
    assert [flow.direction for flow in reading.flows] == ["in"]
    assert reading.flows_known


async def test_deposits_of_several_kinds_in_one_transaction_leave_the_flows_unknown(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 600 * ADA)
    both = [_of_key(ME, 2), {"index": 1, "type": "drep_registration", "info": {"drep_id": "x"}}]
    ledger.send(ME, [], deposit=502 * ADA, certificates=both)
    reading = await wallets.read(ME)
    assert [flow.direction for flow in reading.flows] == ["in"]
    assert reading.flows_known is False


async def test_rewards_that_are_sent_on_at_once_leave_the_wallet(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 10 * ADA)
    ledger.rewards[ME] = 7 * ADA
    to = Coin(address_of(OTHER, 3), OTHER, 12 * ADA)
    went = ledger.send(ME, [to], withdraw=7 * ADA)
    assert told(await wallets.read(ME))[went, "out", "ADA"] == 12


async def test_listed_tokens_count_and_others_are_listed_apart(
    ledger: Ledger, wallets: Wallets
) -> None:
    came = ledger.pay(ME, 5 * ADA, {MIN: 2_500_000, SNEK: 42, FAKE: 9})
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("native", "ADA"): Decimal(5),
        ("tokens", f"cardano:{MIN}"): Decimal("2.5"),
        ("tokens", "SNEK"): Decimal(42),
        ("spam", f"cardano:{FAKE}"): Decimal(9),
    }
    assert told(reading)[came, "in", "SNEK"] == 42
    assert not any(FAKE in flow.asset for flow in reading.flows)


async def test_collectibles_take_no_room_from_tokens_that_may_count(
    ledger: Ledger, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST_UNLISTED", 2)
    collectibles = {f"{number:056x}.{number:02x}": 1 for number in range(3)}
    ledger.mint(ME, 5 * ADA, {**collectibles, PLACED: 7_000_000})
    ledger.seen.add(ME)
    reading = await wallets.read(ME)
    assert held(reading)["unlisted", f"cardano:{PLACED}"] == 7
    assert sum(one.wallet == "spam" for one in reading.positions) == 2


async def test_a_payment_to_oneself_is_no_flow(ledger: Ledger, wallets: Wallets) -> None:
    ledger.pay(ME, 10 * ADA, {SNEK: 3})
    first = await wallets.read(ME)
    ledger.send(ME, [Coin(address_of(ME, 99), ME, 4 * ADA, {SNEK: 1})])
    assert (await wallets.read(ME, memory=first.memory)).flows == ()


async def test_a_transaction_whose_sides_differ_leaves_the_flows_unknown(
    ledger: Ledger, wallets: Wallets
) -> None:
    came = ledger.pay(ME, 10 * ADA)
    ledger.transactions[came]["fee"] = "1"
    reading = await wallets.read(ME)
    assert (reading.flows, reading.flows_known) == ((), False)
    again = await wallets.read(ME, memory=reading.memory)
    assert again.flows_known is False
    assert held(again) == {("native", "ADA"): Decimal(10)}


async def test_the_last_blocks_wait_until_they_are_settled(
    ledger: Ledger, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SETTLED", 11)
    came = ledger.pay(ME, 10 * ADA)
    first = await wallets.read(ME)
    assert first.flows == ()
    ledger.pay(SINGLE, ADA)
    second = await wallets.read(ME, memory=first.memory)
    assert told(second) == {(came, "in", "ADA"): Decimal(10)}


async def test_a_history_is_looked_through_once_and_over_several_readings(
    ledger: Ledger, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ROWS", 3)
    monkeypatch.setattr(searching, "ROWS", 3)
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    sent = {ledger.pay(ME, ADA + index) for index in range(8)}
    found, memory = set[str](), None
    for _ in range(8):
        reading = await wallets.read(ME, memory=memory)
        memory = reading.memory
        found |= {flow.txid or "" for flow in reading.flows}
        if reading.flows_known:
            break
    assert reading.flows_known
    assert found == sent
    assert held(reading)["native", "ADA"] == ada(8 * ADA + 28)
    assert (await wallets.read(ME, memory=memory)).flows == ()


async def test_a_wallet_that_changes_while_it_is_read_is_read_again(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 10 * ADA)

    def pay_meanwhile(path: str) -> None:
        if path == "/account_utxos":
            ledger.before = None
            ledger.pay(ME, 5 * ADA)

    ledger.before = pay_meanwhile
    assert held(await wallets.read(ME)) == {("native", "ADA"): Decimal(15)}


async def test_a_wallet_that_never_stands_still_is_unknown_for_now(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 10 * ADA)

    def pay_meanwhile(path: str) -> None:
        if path == "/account_utxos":
            ledger.pay(ME, ADA)

    ledger.before = pay_meanwhile
    reading = await wallets.read(ME)
    assert (reading.positions, reading.flows_known) == ((), False)
    assert "native" in reading.missing


@pytest.mark.parametrize("path", ["/tip", "/account_info", "/account_utxos", "/address_info"])
@pytest.mark.parametrize("answer", [each for each in JUNK if each != []])
async def test_a_broken_answer_is_no_empty_wallet(
    ledger: Ledger, wallets: Wallets, path: str, answer: object
) -> None:
    own = SINGLE if path == "/address_info" else ME
    ledger.pay(own, 10 * ADA)
    ledger.answers[path] = answer
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(own)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("path", ["/tip", "/account_info", "/address_info"])
async def test_an_answer_without_rows_is_no_empty_wallet(
    ledger: Ledger, wallets: Wallets, path: str
) -> None:
    ledger.answers[path] = []
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(SINGLE if path == "/address_info" else ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


async def test_outputs_that_do_not_add_up_to_the_balance_are_no_empty_wallet(
    ledger: Ledger, wallets: Wallets
) -> None:
    ledger.pay(ME, 10 * ADA)
    ledger.answers["/account_utxos"] = []
    reading = await wallets.read(ME)
    assert (reading.wallets, "native" in reading.missing) == (frozenset(), True)


@pytest.mark.parametrize("path", ["/account_txs", "/tx_info"])
@pytest.mark.parametrize("answer", [each for each in JUNK if each != []])
async def test_a_broken_history_leaves_the_flows_unknown(
    ledger: Ledger, wallets: Wallets, path: str, answer: object
) -> None:
    ledger.pay(ME, 10 * ADA)
    ledger.answers[path] = answer
    reading = await wallets.read(ME)
    assert reading.flows_known is False
    assert held(reading) == {("native", "ADA"): Decimal(10)}


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_a_service_that_refuses_gives_no_reading(
    ledger: Ledger, wallets: Wallets, status: int
) -> None:
    ledger.statuses["/account_info"] = status
    with pytest.raises(ConnectorFailure):
        await wallets.read(ME)


async def test_a_service_that_is_behind_is_not_believed(ledger: Ledger, wallets: Wallets) -> None:
    ledger.behind = 60 * MINUTE // 1000
    with pytest.raises(ConnectorFailure, match="behind"):
        await wallets.read(ME)


async def test_memory_that_cannot_be_read_is_begun_anew(ledger: Ledger, wallets: Wallets) -> None:
    ledger.pay(ME, ADA)
    for memory in "", "[]", '{"trail": 5}', "\ud800":
        assert len((await wallets.read(ME, memory=memory)).flows) == 1
