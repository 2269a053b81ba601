"""While a wallet is read, payments and blocks come in and blocks are lost, at any moment.

A reading shows what the wallet had at one moment during it, or says that it could not tell; and
flows and fees explain the balance.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from unittest import mock

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from bitcoin_chain import BASE, FOREIGN, MadeUpChain
from bitcoin_nodes import EsploraNode
from coffers.clock import DAY, ManualClock, Millis
from coffers.connectors.chain.bitcoin.backend import Paid, Spent, Transaction
from coffers.connectors.chain.bitcoin.netting import settled_amounts
from coffers.connectors.chain.bitcoin.networks import NETWORKS, Network
from coffers.connectors.chain.bitcoin.reader import reader
from coffers.connectors.chain.bitcoin.wallet import Wallet, wallet_of
from coffers.connectors.chain.nodes import Nodes
from coffers.connectors.chain.reader import Surroundings
from coffers.connectors.reading import ConnectorFailure, Reading, ReadRequest
from coffers.markets.chains import shipped_chains
from coffers.secret import Secret
from factories import NOW

ZPUB = (
    "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31"
    "mGDtKsAYz2oz2AGutZYs"
)


@dataclass
class Commotion:
    """Lets things happen on a chain, and notes what the wallet had after each."""

    chain: MadeUpChain
    wallet: Wallet
    random: Random
    truths: list[tuple[int, int]] = field(default_factory=list)

    def happen(self, *among: Callable[[], None]) -> None:
        self.random.choice(among or (self.receive, self.send, self.mine, self.lose))()
        self.truths.append(self.truth())

    def receive(self) -> None:
        self.chain.receive(self._script(), self.random.randint(1_000, 9_000))

    def send(self) -> None:
        coins = [coin for coin, script in self._unspent().items() if script in self.own()]
        if not coins:
            return
        chosen = self.random.sample(coins, min(len(coins), self.random.randint(1, 3)))
        total = sum(self.chain.output(*coin)[1] for coin in chosen)
        sent = self.random.randint(0, total - 100) if total > 100 else 0
        outputs = [(FOREIGN, sent), (self._script(), max(total - sent - 100, 0))]
        self.chain.send(chosen, [output for output in outputs if output[1]] or [(FOREIGN, total)])

    def mine(self) -> None:
        self.chain.mine()

    def lose(self) -> None:
        if len(self.chain.blocks) > 3:
            self.chain.reorganise(self.random.randint(1, 2))

    def own(self) -> set[bytes]:
        return {branch.script(place) for branch in self.wallet.branches for place in range(8)}

    def truth(self) -> tuple[int, int]:
        """Return what is owned and what is pending, from all that the chain knows."""
        own = self.own()
        confirmed, waiting = 0, {}
        for made, block in self.chain.placed():
            outputs = [self.chain.output(*source) for source in made.inputs]
            if block is not None:
                confirmed += sum(amount for script, amount in made.outputs if script in own)
                confirmed -= sum(amount for script, amount in outputs if script in own)
                continue
            spent = [
                Spent(*source, *output) for source, output in zip(made.inputs, outputs, strict=True)
            ]
            paid = tuple(Paid(*output) for output in made.outputs)
            waiting[made.txid] = Transaction(made.txid, tuple(spent), paid, None, None)
        found = settled_amounts(confirmed, waiting, own.__contains__)
        return found.owned, found.pending

    def _script(self) -> bytes:
        return self.random.choice(self.wallet.branches).script(self.random.randrange(8))

    def _unspent(self) -> dict[tuple[str, int], bytes]:
        placed = [made for made, _ in self.chain.placed()]
        spent = {source for made in placed for source in made.inputs}
        return {
            (made.txid, place): script
            for made in placed
            for place, (script, _) in enumerate(made.outputs)
            if (made.txid, place) not in spent
        }


def amounts(reading: Reading) -> tuple[Decimal, Decimal]:
    held = {position.wallet: position.owned for position in reading.positions}
    return held.get("confirmed", Decimal(0)), held.get("pending", Decimal(0))


async def read(
    commotion: Commotion, before: Callable[[str], None], memory: str | None = None
) -> Reading:
    shipped = shipped_chains().get("bitcoin_wallet")
    assert shipped is not None
    node, clock = EsploraNode(commotion.chain), ManualClock(NOW)
    node.before = before
    urls = (Secret("http://node.test"),)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(node)) as client:
        made = reader(Surroundings(shipped, lambda _: Nodes(shipped, urls, client, clock), clock))
        return await made.read(ZPUB, ReadRequest(Millis(NOW - 14 * DAY), memory=memory))


def nothing(_: str) -> None:
    """Leave the chain as it is."""


def prepared(seed: int) -> tuple[Commotion, Network]:
    chain = MadeUpChain(NOW // 1000 - 86_400)
    network = replace(NETWORKS["bitcoin"], landmark=(BASE, chain.blocks[0].hash))
    chain.mine()
    return Commotion(chain, wallet_of(ZPUB, network), Random(seed)), network  # noqa: S311  # a made-up chain


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(0, 70), st.lists(st.integers(0, 120), max_size=5))
def test_a_reading_shows_one_moment_or_says_that_it_cannot(
    seed: int, payment: int, blocks: list[int]
) -> None:
    """One payment in or out, and any blocks: of two payments one may be seen without the other."""
    commotion, network = prepared(seed)
    for _ in range(12):
        commotion.happen()
    del commotion.truths[:-1]
    calls = iter(range(10**6))

    def interfere(_: str) -> None:
        call = next(calls)
        if call == payment:
            commotion.happen(commotion.receive, commotion.send)
        for _ in range(blocks.count(call)):
            commotion.happen(commotion.mine, commotion.lose)

    with mock.patch.dict(NETWORKS, {"bitcoin": network}):
        try:
            reading = asyncio.run(read(commotion, interfere))
        except ConnectorFailure:
            return

    truths = {(Decimal(o).scaleb(-8), Decimal(p).scaleb(-8)) for o, p in commotion.truths}
    assert reading.missing or amounts(reading) in truths


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_readings_after_one_another_tell_every_flow_once_it_is_confirmed(seed: int) -> None:
    commotion, network = prepared(seed)
    told: set[str] = set()

    with mock.patch.dict(NETWORKS, {"bitcoin": network}):
        memory: str | None = None
        for _ in range(4):
            for _ in range(5):
                commotion.random.choice([commotion.receive, commotion.send, commotion.mine])()
            commotion.mine()
            reading = asyncio.run(read(commotion, nothing, memory))
            memory = reading.memory
            told |= {flow.external_id for flow in reading.flows}
            owned, pending = commotion.truth()
            assert amounts(reading) == (Decimal(owned).scaleb(-8), Decimal(pending).scaleb(-8))

        whole = asyncio.run(read(commotion, nothing))
    assert told == {flow.external_id for flow in whole.flows}
    assert explained(commotion, whole) == sum(amounts(whole))


def explained(commotion: Commotion, reading: Reading) -> Decimal:
    """Return the balance that flows and fees make up, with those of moves within the wallet."""
    own, flows = commotion.own(), {flow.external_id for flow in reading.flows}
    balance = Decimal(0)
    for flow in reading.flows:
        balance += (flow.amount if flow.direction == "in" else -flow.amount) - flow.fee
    for made, _ in commotion.chain.placed():
        outputs = [commotion.chain.output(*source) for source in made.inputs]
        if made.txid not in flows and all(script in own for script, _ in outputs):
            fee = sum(amount for _, amount in outputs) - sum(amount for _, amount in made.outputs)
            balance -= Decimal(fee).scaleb(-8)
    return balance
