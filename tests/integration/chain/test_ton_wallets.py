"""Wallets of TON read over real HTTP from made-up accounts behind TON Center's interface."""

import base64
import hashlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from coffers.connectors.chain.ton import center as asking
from coffers.connectors.chain.ton import flows as searching
from coffers.connectors.chain.ton import holdings as holding
from coffers.connectors.chain.ton import reader as reading_wallets
from coffers.connectors.chain.ton.address import checked, in_raw
from coffers.connectors.reading import ConnectorFailure, FailureKind
from factories import NOW
from rest_node import JUNK, Asked, RestNode
from wallets import Wallets, held, net, told, wallets_of

USDT = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"
TSTON = in_raw(checked("EQC98_qAmNEptUtPc7W6xdHh_ZHrBUFpw5Ft_IzNU20QAJav"))
FAKE, SILENT = "0:" + "fa" * 32, "0:" + "51" * 32
PLAIN = "0:" + "fb" * 32
TON = 10**9
ME = "0:" + "01" * 32
THEM = "0:" + "02" * 32
FORWARD, KEPT = 266_669, 1_000_000


def ton(nano: int) -> Decimal:
    return Decimal(nano) / TON


class Index(RestNode):
    """Accounts, their transactions and what they have of tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.time = NOW // 1000 - 86400
        self.network = -239
        self.behind = 0
        self.balances = {THEM: 10**6 * TON}
        self.tokens: dict[tuple[str, str], int] = {}
        self.transactions: list[dict[str, Any]] = []
        self.transfers: list[dict[str, Any]] = []
        self.count_of_acts = 0

    # What happens on the chain.

    def act(self, pause: int = 300) -> str:
        """Begin an act after a while; returns its id."""
        self.time += pause
        self.count_of_acts += 1
        return hashlib.sha256(str(self.count_of_acts).encode()).hexdigest()

    def message(self, act: str, source: str, to: str, value: int, *, is_first: bool = True) -> None:
        """Send coins as a part of an act: the sender's transaction, and the receiver's."""
        cost = KEPT if is_first else 0
        outs = [{"source": source, "destination": to, "value": str(value), "fwd_fee": str(FORWARD)}]
        if is_first:
            outs.append({"source": source, "destination": None, "value": None, "fwd_fee": None})
        external = {"source": None, "destination": source, "value": None}
        self._transact(act, source, external, outs, cost)
        self.time += 5
        message = {"source": source, "destination": to, "value": str(value)}
        self._transact(act, to, message, [], 0)

    def _transact(
        self, act: str, account: str, came: dict[str, Any], went: list[dict[str, Any]], cost: int
    ) -> None:
        taken = sum(int(each["value"] or 0) + int(each["fwd_fee"] or 0) for each in went)
        change = int(came["value"] or 0) - taken - cost
        self.balances[account] = self.balances.get(account, 0) + change
        assert self.balances[account] >= 0
        self.transactions.append(
            {
                "account": account.upper(),
                "hash": "x",
                "now": self.time,
                "total_fees": str(cost),
                "in_msg": came,
                "out_msgs": went,
                "trace_id": base64.b64encode(bytes.fromhex(act)).decode(),
            }
        )

    def pay(self, source: str, to: str, value: int) -> str:
        act = self.act()
        self.message(act, source, to, value)
        return act

    def send_tokens(self, master: str, source: str, to: str, amount: int, **odd: Any) -> str:
        """Send tokens with some coins for gas, of which the rest comes back."""
        act = self.act()
        wallet = "0:" + hashlib.sha256((source + master).encode()).hexdigest()
        self.message(act, source, wallet, TON // 20)
        self.time += 5
        self.message(act, wallet, source, TON // 50, is_first=False)
        if not odd.get("transaction_aborted"):
            for owner, change in (source, -amount), (to, amount):
                self.tokens[owner, master] = self.tokens.get((owner, master), 0) + change
        self.transfers.append(
            {
                "source": source.upper(),
                "destination": to.upper(),
                "amount": str(amount),
                "jetton_master": master.upper(),
                "transaction_now": self.time,
                "transaction_aborted": False,
                "trace_id": base64.b64encode(bytes.fromhex(act)).decode(),
                **odd,
            }
        )
        return act

    # What the index tells.

    def answer(self, asked: Asked) -> object:
        return {
            "/v3/masterchainInfo": self.head,
            "/v3/accountStates": self.account,
            "/v3/jetton/wallets": self.jettons,
            "/v3/transactions": self.history,
            "/v3/jetton/transfers": self.moves,
        }[asked.path](asked.query)

    def head(self, query: dict[str, str]) -> object:
        at = str(NOW // 1000 - self.behind)
        return {"last": {"seqno": 5, "gen_utime": at, "global_id": self.network}, "first": {}}

    def account(self, query: dict[str, str]) -> object:
        address = query["address"]
        status = "active" if address in self.balances else "nonexist"
        balance = str(self.balances.get(address, 0))
        return {"accounts": [{"address": address.upper(), "balance": balance, "status": status}]}

    def jettons(self, query: dict[str, str]) -> object:
        owner = query["owner_address"]
        found = [
            {"balance": str(amount), "jetton": master.upper(), "owner": owner.upper()}
            for (whose, master), amount in self.tokens.items()
            if whose == owner and amount
        ]
        says = {
            USDT: {"type": "jetton_masters", "symbol": "USDT", "extra": {"decimals": "9"}},
            PLAIN: {"type": "jetton_masters", "symbol": "PLAIN", "extra": {"decimals": "6"}},
            FAKE: {"type": "jetton_masters", "symbol": "US DT\u200b", "extra": {"decimals": "6"}},
            SILENT: {"type": "jetton_masters", "symbol": "X", "extra": {}},
        }
        metadata = {key.upper(): {"is_indexed": True, "token_info": [says[key]]} for key in says}
        start, limit = int(query["offset"]), int(query["limit"])
        return {"jetton_wallets": found[start : start + limit], "metadata": metadata}

    def history(self, query: dict[str, str]) -> object:
        rows = [row for row in self.transactions if row["account"].lower() == query["account"]]
        return {"transactions": self._page(rows, "now", query)}

    def moves(self, query: dict[str, str]) -> object:
        own = query["owner_address"]
        rows = [
            row
            for row in self.transfers
            if own in {row["source"].lower(), row["destination"].lower()}
        ]
        return {"jetton_transfers": self._page(rows, "transaction_now", query)}

    def _page(self, rows: list[dict[str, Any]], time: str, query: dict[str, str]) -> list[Any]:
        assert (query["sort"], query["offset"]) == ("desc", "0")
        found = [row for row in reversed(rows) if row[time] <= int(query["end_utime"])]
        return found[: int(query["limit"])]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0)


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
async def wallets(index: Index) -> AsyncIterator[Wallets]:
    async with wallets_of("ton_wallet", index) as found:
        yield found


async def test_a_paid_wallet_holds_its_coins_and_tells_who_paid_and_when(
    index: Index, wallets: Wallets
) -> None:
    came = index.pay(THEM, ME, 10 * TON)
    went = index.pay(ME, THEM, 3 * TON)
    reading = await wallets.read(ME)
    assert held(reading) == {("native", "TON"): ton(7 * TON - FORWARD - KEPT)}
    assert told(reading) == {(came, "in", "TON"): Decimal(10), (went, "out", "TON"): Decimal(3)}
    fees = {flow.txid: flow.fee for flow in reading.flows}
    assert fees == {came: 0, went: ton(FORWARD + KEPT)}
    assert net(reading, "TON") == held(reading)["native", "TON"]
    assert reading.is_complete
    assert reading.flows_known


async def test_an_account_that_does_not_exist_holds_nothing(wallets: Wallets) -> None:
    reading = await wallets.read(ME)
    assert (reading.positions, reading.is_complete, reading.flows_known) == ((), True, True)
    assert reading.wallets == {"native", "tokens", "unlisted", "spam"}


@pytest.mark.parametrize("absurd", [2**256 - 1, 10**90, -5])
async def test_a_token_that_tells_an_absurd_balance_spoils_nothing(
    index: Index, wallets: Wallets, absurd: int
) -> None:
    index.tokens[ME, USDT] = 5_500_000
    index.tokens[ME, FAKE] = absurd
    reading = await wallets.read(ME)
    assert reading.is_complete
    assert held(reading)["tokens", "USDT"] == Decimal("5.5")
    index.tokens[ME, USDT] = -5
    assert "tokens" in (await wallets.read(ME)).missing


async def test_false_tokens_take_no_room_from_those_that_may_count(
    index: Index, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST_UNLISTED", 1)
    index.tokens[ME, FAKE] = 7_000_000
    index.tokens[ME, PLAIN] = 3_000_000
    reading = await wallets.read(ME)
    assert held(reading)["unlisted", f"ton:{PLAIN}"] == 3
    assert held(reading)["spam", f"ton:{FAKE}"] == 7


async def test_listed_tokens_count_by_their_contract_and_others_are_listed_apart(
    index: Index, wallets: Wallets
) -> None:
    for master, amount in (USDT, 5_500_000), (TSTON, TON), (FAKE, 7_000_000), (SILENT, 1):
        index.tokens[ME, master] = amount
    reading = await wallets.read(ME)
    assert held(reading) == {
        ("tokens", "USDT"): Decimal("5.5"),
        ("tokens", f"ton:{TSTON}"): Decimal(1),
        ("spam", f"ton:{FAKE}"): Decimal(7),
    }
    (apart,) = [one for one in reading.positions if one.wallet == "spam"]
    assert apart.venue_code == "0:fafa…fafa"


async def test_what_goes_along_with_a_token_and_comes_back_is_one_act(
    index: Index, wallets: Wallets
) -> None:
    index.tokens[THEM, USDT] = 100_000_000
    index.pay(THEM, ME, 2 * TON)
    came = index.send_tokens(USDT, THEM, ME, 40_000_000)
    went = index.send_tokens(USDT, ME, THEM, 15_000_000)
    reading = await wallets.read(ME)
    flows = told(reading)
    assert flows[came, "in", "USDT"] == 40
    assert flows[went, "out", "USDT"] == 15
    assert flows[went, "out", "TON"] == Decimal("0.03")
    assert net(reading, "TON") == held(reading)["native", "TON"]
    assert net(reading, "USDT") == held(reading)["tokens", "USDT"] == 25


async def test_a_transfer_that_failed_and_unlisted_tokens_are_no_flows(
    index: Index, wallets: Wallets
) -> None:
    index.tokens[THEM, USDT] = index.tokens[THEM, FAKE] = 100
    index.send_tokens(USDT, THEM, ME, 40, transaction_aborted=True)
    index.send_tokens(FAKE, THEM, ME, 40)
    assert (await wallets.read(ME)).flows == ()


async def test_a_payment_to_oneself_is_no_flow(index: Index, wallets: Wallets) -> None:
    came = index.pay(THEM, ME, 2 * TON)
    index.pay(ME, ME, TON)
    assert set(told(await wallets.read(ME))) == {(came, "in", "TON")}


async def test_an_act_that_goes_on_waits_until_it_has_ended(index: Index, wallets: Wallets) -> None:
    early = index.pay(THEM, ME, TON)
    index.time = NOW // 1000 - 330
    late = index.pay(THEM, ME, 2 * TON)
    assert index.time > NOW // 1000 - searching.QUIET
    first = await wallets.read(ME)
    assert told(first) == {(early, "in", "TON"): Decimal(1)}
    index.behind = -120
    second = await wallets.read(ME, memory=first.memory)
    assert told(second) == {(late, "in", "TON"): Decimal(2)}


async def test_a_history_is_looked_through_once_and_over_several_readings(
    index: Index, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ROWS", 5)
    monkeypatch.setattr(searching, "ROWS", 5)
    monkeypatch.setattr(reading_wallets, "PATIENCE", 0)
    index.tokens[THEM, USDT] = 100
    index.pay(THEM, ME, 5 * TON)
    sent = {index.send_tokens(USDT, THEM, ME, 2) for _ in range(7)}
    back = {index.send_tokens(USDT, ME, THEM, 1) for _ in range(7)}
    found: dict[str, Any] = {}
    memory = None
    for _ in range(12):
        reading = await wallets.read(ME, memory=memory)
        memory = reading.memory
        found |= {flow.external_id: flow for flow in reading.flows}
        if reading.flows_known:
            break
    assert reading.flows_known
    assert {flow.txid for flow in found.values() if flow.asset == "USDT"} == sent | back
    coins = [flow for flow in found.values() if flow.asset == "TON"]
    assert sum(flow.amount for flow in coins if flow.direction == "out") == 7 * Decimal("0.03")
    assert (await wallets.read(ME, memory=memory)).flows == ()


async def test_an_address_that_never_rests_has_unknown_flows(
    index: Index, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "ROWS", 5)
    monkeypatch.setattr(asking, "ROWS", 5)
    index.time = NOW // 1000 - 300
    for _ in range(20):
        index.message(index.act(pause=8), THEM, ME, TON)
    reading = await wallets.read(ME)
    assert reading.flows_known is False
    assert held(reading) == {("native", "TON"): Decimal(20)}


@pytest.mark.parametrize("path", ["/v3/masterchainInfo", "/v3/accountStates"])
@pytest.mark.parametrize(
    "answer",
    [
        *JUNK,
        {"accounts": []},
        {"accounts": [{"address": ME, "balance": "", "status": "active"}]},
        {"accounts": [{"address": ME, "balance": 5, "status": "active"}]},
        {"accounts": [{"address": ME, "balance": "5", "status": "nonexist"}]},
        {"accounts": [{"address": ME, "balance": "5", "status": "odd"}]},
        {"accounts": [{"address": THEM, "balance": "5", "status": "active"}]},
    ],
)
async def test_a_broken_answer_is_no_empty_wallet(
    index: Index, wallets: Wallets, path: str, answer: object
) -> None:
    index.answers[path] = answer
    with pytest.raises(ConnectorFailure) as failure:
        await wallets.read(ME)
    assert failure.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("answer", JUNK)
async def test_broken_tokens_are_missing_and_not_zero(
    index: Index, wallets: Wallets, answer: object
) -> None:
    index.pay(THEM, ME, TON)
    index.answers["/v3/jetton/wallets"] = answer
    reading = await wallets.read(ME)
    assert set(reading.missing) == {"tokens", "unlisted", "spam"}
    assert reading.wallets == {"native"}
    assert held(reading) == {("native", "TON"): Decimal(1)}


@pytest.mark.parametrize("path", ["/v3/transactions", "/v3/jetton/transfers"])
@pytest.mark.parametrize("answer", JUNK)
async def test_a_broken_history_leaves_the_flows_unknown(
    index: Index, wallets: Wallets, path: str, answer: object
) -> None:
    index.pay(THEM, ME, TON)
    index.answers[path] = answer
    reading = await wallets.read(ME)
    assert reading.flows_known is False
    assert held(reading) == {("native", "TON"): Decimal(1)}


async def test_a_transaction_without_its_act_leaves_the_flows_unknown(
    index: Index, wallets: Wallets
) -> None:
    index.pay(THEM, ME, TON)
    for odd in None, "", "AAAA", "é":
        index.transactions[-1]["trace_id"] = odd
        assert (await wallets.read(ME)).flows_known is False


@pytest.mark.parametrize("status", [400, 404, 422, 500])
async def test_a_service_that_refuses_gives_no_reading(
    index: Index, wallets: Wallets, status: int
) -> None:
    index.statuses["/v3/accountStates"] = status
    with pytest.raises(ConnectorFailure):
        await wallets.read(ME)


async def test_a_service_of_a_test_network_is_not_believed(index: Index, wallets: Wallets) -> None:
    index.network = -3
    with pytest.raises(ConnectorFailure, match="main network"):
        await wallets.read(ME)


async def test_a_service_that_is_behind_is_not_believed(index: Index, wallets: Wallets) -> None:
    index.behind = 3600
    with pytest.raises(ConnectorFailure, match="behind"):
        await wallets.read(ME)


async def test_a_key_in_the_address_goes_into_a_header(index: Index) -> None:
    async with wallets_of("ton_wallet", index, before=":key-abc@") as wallets:
        await wallets.read(ME)
    assert {each.headers.get("x-api-key") for each in index.asked} == {"key-abc"}


async def test_a_public_service_is_asked_slowly(
    index: Index, wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asking, "PAUSE", 9)
    monkeypatch.setattr(asking, "sleep", wait)
    await wallets.read(ME)
    assert len(waited) == len(index.asked)
    assert waited[0] == 0
    assert all(seconds > 8 for seconds in waited[1:])


async def test_memory_that_cannot_be_read_is_begun_anew(index: Index, wallets: Wallets) -> None:
    index.pay(THEM, ME, TON)
    for memory in "", "[]", '{"coins": 5}', "\ud800":
        assert len((await wallets.read(ME, memory=memory)).flows) == 1
