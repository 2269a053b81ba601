"""A wallet from its address to the figures: a made-up chain over HTTP, both databases."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from bitcoin_chain import BASE, MadeUpChain
from bitcoin_nodes import EsploraNode
from bitcoin_world import BEGIN, ROOT
from coffers.clock import HOUR, MINUTE, ManualClock, Millis
from coffers.connectors.chain.bitcoin.addresses import address_of
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.wallet import wallet_of
from coffers.connectors.chain.connector import ChainConnector
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.dispatch import Connectors
from coffers.connectors.reading import ConnectorFailure, Credentials, FailureKind, Reading
from coffers.errors import InvalidRecord
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Catalogue, load_catalogue
from coffers.markets.chains import Chains, Endpoints, joined, shipped_chains
from coffers.portfolio.listing import Listing
from coffers.portfolio.view import AccountView
from coffers.portfolio.wallets import ConnectingWallets, Wallet
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account
from coffers.sync.flows import FlowValuer
from coffers.sync.policy import Pace
from coffers.sync.syncer import Outcome, Result, Syncer
from coffers.valuation.model import Price
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW, position
from fakes import FakeConnector, FakePast
from served import listening

ZPUB = ROOT.derive("m/84h/0h/0h").to_public().to_base58(bytes.fromhex("04b24746"))
BITCOIN = Decimal(60_000)
SCRIPT = wallet_of(ZPUB, NETWORKS["bitcoin"]).branches[0].script
PHRASE = "abandon " * 11 + "about"


def prices(at: Millis) -> dict[str, Price]:
    return {"BTC": Price(Decimal(1), BITCOIN, ("BTC/USD",), ("binance",), at)}


@dataclass
class Desk:
    """What connects and reads wallets, and the chain that they lie on."""

    store: Store
    chain: MadeUpChain
    clock: ManualClock
    catalogue: Catalogue
    connecting: ConnectingWallets
    syncer: Syncer
    user_id: int

    async def connect(self, address: str, market: str = "bitcoin_wallet") -> Account:
        return await self.connecting.connect(Wallet(self.user_id, market, "Cold", address))

    async def read(self, account: Account) -> Result:
        return await self.syncer.sync(account.user_id, account.id)

    async def view(self, account: Account) -> AccountView:
        async with self.store.reading() as tx:
            found = await tx.accounts.get(account.user_id, account.id)
            book = await tx.prices.newest()
        assert found is not None
        (shown,) = await Listing(self.store, self.clock).views(
            account.user_id, [found], book, "USD"
        )
        return shown


def _syncer(store: Store, vault: Vault, desk_clock: ManualClock, connector: object) -> Syncer:
    return Syncer(
        store,
        vault,
        joined(load_catalogue(), shipped_chains()),
        connector,  # type: ignore[arg-type]  # a connector of either kind
        FlowValuer(store, FakePast(), ("binance",)),
        desk_clock,
        Pace(Millis(5 * MINUTE), lambda: 0.5),
    )


@pytest.fixture
async def desk(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        chain = MadeUpChain(BEGIN)
        # The made-up chain is taken for Bitcoin's.
        known = replace(NETWORKS["bitcoin"], landmark=(BASE, chain.blocks[0].hash))
        monkeypatch.setitem(NETWORKS, "bitcoin", known)  # type: ignore[misc]
        url = Secret(await stack.enter_async_context(listening(EsploraNode(chain))))
        bitcoin = shipped_chains().get("bitcoin_wallet")
        assert bitcoin is not None
        own = {chain.code: replace(chain, endpoints=Endpoints()) for chain in shipped_chains()}
        own["bitcoin_wallet"] = replace(bitcoin, endpoints=Endpoints({"urls": (url,)}))
        clock, key = ManualClock(NOW), new_key()
        vault = Vault(lambda: KeyRing([key]))
        chains = ChainConnector(Chains(own), None, 5.0, clock)
        stack.push_async_callback(chains.close)
        catalogue = joined(load_catalogue(), Chains(own))
        connectors = Connectors(FakeConnector(Reading(NOW, frozenset(), ())), chains)
        async with store.transaction() as tx:
            user = await tx.users.add("ann", clock.now())
            await tx.prices.save_book(prices(clock.now()), clock.now())
        connecting = ConnectingWallets(store, vault, catalogue, chains, clock)
        syncer = _syncer(store, vault, clock, connectors)
        yield Desk(store, chain, clock, catalogue, connecting, syncer, user.id)


async def test_a_wallet_is_worth_what_lies_on_its_chain(desk: Desk) -> None:
    chain = desk.chain
    chain.receive(SCRIPT(3), 150_000_000)
    chain.mine()
    account = await desk.connect(ZPUB)
    result = await desk.read(account)
    assert result.outcome is Outcome.COMPLETE, result.failure
    shown = await desk.view(account)
    assert shown.figures.usd.amount == 90_000
    assert shown.figures.btc.total == 0
    assert shown.account.address == account.address
    assert shown.account.rights == KeyRights(read=True, trade=False, withdraw=False)


async def test_a_payment_that_comes_later_is_a_deposit_and_no_profit(desk: Desk) -> None:
    chain = desk.chain
    account = await desk.connect(ZPUB)
    assert (await desk.read(account)).failure is None
    desk.clock.advance(HOUR)
    chain.receive(SCRIPT(0), 50_000_000)
    late = (desk.clock.now() // 1000) - chain.tip.time - 60
    chain.mine(after=late)
    async with desk.store.transaction() as tx:
        await tx.prices.save_book(prices(desk.clock.now()), desk.clock.now())
    assert (await desk.read(account)).failure is None
    shown = await desk.view(account)
    assert shown.figures.btc.amount == Decimal("0.5")
    assert shown.figures.btc.total == 0


async def test_the_same_wallet_twice_is_one_account(desk: Desk) -> None:
    account = await desk.connect(ZPUB)
    with pytest.raises(AlreadyConnected) as told:
        await desk.connect(f"  {ZPUB} ")
    assert told.value.account_id == account.id


def _forms() -> list[str]:
    xpub = ROOT.derive("m/84h/0h/0h").to_public().to_base58()
    origin = f"[{ROOT.my_fingerprint.hex()}/84h/0h/0h]"
    network = NETWORKS["bitcoin"]
    at = [address_of(SCRIPT(place), network) or "" for place in (0, 7)]
    return [
        ZPUB,
        xpub,
        f"wpkh({xpub}/<0;1>/*)",
        f"wpkh({xpub}/0/*)",
        f"wpkh({origin}{xpub}/<0;1>/*)",
        *at,
    ]


FORMS = _forms()


@pytest.mark.parametrize("first", FORMS[:5])
async def test_the_same_money_written_in_another_way_is_connected_already(
    desk: Desk, first: str
) -> None:
    account = await desk.connect(first)
    for form in FORMS:
        with pytest.raises(AlreadyConnected) as told:
            await desk.connect(form)
        assert told.value.account_id == account.id


async def test_a_key_is_refused_while_one_of_its_addresses_is_connected(desk: Desk) -> None:
    account = await desk.connect(FORMS[-1])
    with pytest.raises(AlreadyConnected) as told:
        await desk.connect(ZPUB)
    assert told.value.account_id == account.id
    await desk.connect(FORMS[-2])
    await desk.connect(ROOT.derive("m/86h/0h/0h").to_public().to_base58())


async def test_a_seed_phrase_is_refused_and_stored_nowhere(desk: Desk) -> None:
    with pytest.raises(AddressRefused) as told:
        await desk.connect(PHRASE)
    assert told.value.fault is AddressFault.SECRET
    assert "abandon" not in str(told.value)
    async with desk.store.reading() as tx:
        assert await tx.accounts.of_user(desk.user_id) == []


async def test_an_address_of_another_chain_is_refused_with_its_market(desk: Desk) -> None:
    with pytest.raises(AddressRefused) as told:
        await desk.connect("0x742d35Cc6634C0532925a3b844Bc454e4438f44e")
    assert told.value.fault is AddressFault.OTHER_CHAIN
    assert "ethereumwallet" in str(told.value)


@pytest.mark.parametrize(
    ("market", "name", "address", "field"),
    [
        ("binance", "Cold", ZPUB, "market_code"),
        ("bitcoin_walet", "Cold", ZPUB, "market_code"),
        ("bitcoin_wallet", "C", ZPUB, "name"),
        ("bitcoin_wallet", "Cold", " ", "address"),
        ("bitcoin_wallet", "Cold", "x" * 5_000, "address"),
    ],
)
async def test_a_field_that_cannot_be_accepted_is_named(
    desk: Desk, market: str, name: str, address: str, field: str
) -> None:
    with pytest.raises(InvalidRecord) as told:
        await desk.connecting.connect(Wallet(desk.user_id, market, name, address))
    assert field in told.value.attributes


async def test_a_chain_without_a_node_says_which_setting_names_one(desk: Desk) -> None:
    account = await desk.connect("DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD", "dogecoin_wallet")
    result = await desk.read(account)
    assert result.failure is not None
    assert "COFFERS_CHAINS_FILE" in str(result.failure)
    assert (await desk.view(account)).figures.usd.amount is None


class Searching:
    """A connector whose first reading is a search that is not through yet."""

    def __init__(self) -> None:
        self.remembered: list[str | None] = []

    async def read(self, market: object, credentials: Credentials, request: object) -> Reading:
        self.remembered.append(request.memory)  # type: ignore[attr-defined]
        if len(self.remembered) == 1:
            searching = {"confirmed": "searching: 40 addresses so far"}
            return Reading(NOW, frozenset(), (), searching, flows_known=False, memory="forty")
        held = (position("BTC", "1", wallet="confirmed"),)
        return Reading(NOW, frozenset({"confirmed"}), held, memory="all")


async def test_a_search_that_is_not_through_is_unknown_and_goes_on_where_it_was(
    store: Store, desk: Desk
) -> None:
    account = await desk.connect(ZPUB)
    searching = Searching()
    syncer = _syncer(store, desk.connecting._vault, desk.clock, searching)
    assert (await syncer.sync(account.user_id, account.id)).outcome is Outcome.PARTIAL
    shown = await desk.view(account)
    assert shown.figures.usd.amount is None
    assert not shown.quality.is_complete
    assert (await syncer.sync(account.user_id, account.id)).outcome is Outcome.COMPLETE
    assert searching.remembered == [None, "forty"]
    assert (await desk.view(account)).figures.usd.amount == 60_000


async def test_a_market_that_nobody_reads_is_a_failure_of_its_own(desk: Desk) -> None:
    market = desk.catalogue.get("binance_tr")
    assert market is not None
    connectors = Connectors(
        FakeConnector(Reading(NOW, frozenset(), ())), FakeConnector(Reading(NOW, frozenset(), ()))
    )
    with pytest.raises(ConnectorFailure) as told:
        await connectors.rights(market, Credentials("", Secret("")))
    assert told.value.kind is FailureKind.UNSUPPORTED
