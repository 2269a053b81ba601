"""A made-up chain, nodes that know it over real HTTP and real TCP, and a reader that asks them."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from embit import bip32

from bitcoin_chain import Made, MadeUpChain
from bitcoin_nodes import ElectrumServer, EsploraNode, electrum_listening
from coffers.clock import DAY, ManualClock, Millis
from coffers.connectors.chain.bitcoin.networks import NETWORKS
from coffers.connectors.chain.bitcoin.reader import reader
from coffers.connectors.chain.bitcoin.wallet import wallet_of
from coffers.connectors.chain.nodes import Nodes, new_client
from coffers.connectors.chain.reader import ChainReader, Surroundings
from coffers.connectors.reading import Reading, ReadRequest
from coffers.markets.chains import Endpoints, shipped_chains
from coffers.secret import Secret
from factories import NOW
from served import listening

ROOT = bip32.HDKey.from_seed(bytes(range(32)))
ZPUB = ROOT.derive("m/84h/0h/0h").to_public().to_base58(bytes.fromhex("04b24746"))
XPUB = ROOT.derive("m/86h/0h/0h").to_public().to_base58()
ADDRESS = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"
BEGIN = NOW // 1000 - 3 * 86_400
SINCE = ReadRequest(Millis(NOW - 14 * DAY))


@dataclass
class World:
    """A chain, the nodes that know it, and a reader that asks one of them."""

    chain: MadeUpChain
    esplora: EsploraNode
    electrum: ElectrumServer
    reader: ChainReader
    clock: ManualClock
    kind: str

    @property
    def asked(self) -> int:
        return (self.esplora if self.kind == "esplora" else self.electrum).asked.total()

    def before(self, hook: Any) -> None:
        self.esplora.before = self.electrum.before = hook

    def scripts(self, text: str, branch: int = 0) -> Any:
        return wallet_of(text, NETWORKS["bitcoin"]).branches[branch].script

    async def read(self, text: str, memory: str | None = None, **changes: Any) -> Reading:
        request = replace(SINCE, memory=memory, **changes)
        return await self.reader.read(self.reader.checked(text), request)


async def entered(
    stack: AsyncExitStack, chain: MadeUpChain, kind: str, market: str = "bitcoin_wallet"
) -> World:
    shipped = shipped_chains().get(market)
    assert shipped is not None
    esplora, electrum = EsploraNode(chain, shipped.id), ElectrumServer(chain)
    urls = {"urls": await stack.enter_async_context(listening(esplora))}
    if kind == "electrum":
        urls = {"electrum": await stack.enter_async_context(electrum_listening(electrum))}
    services = {name: (Secret(url),) for name, url in urls.items()}
    configured = replace(shipped, endpoints=Endpoints(services))
    client = await stack.enter_async_context(new_client(5.0))
    clock = ManualClock(NOW)

    def nodes(service: str) -> Nodes:
        return Nodes(configured, configured.endpoints.of(service), client, clock)

    made = reader(Surroundings(configured, nodes, clock))
    return World(chain, esplora, electrum, made, clock, kind)


def own_certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.IPAddress(ip_address("127.0.0.1"))
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, form, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(pem))
    return path


def held(reading: Reading, part: str = "confirmed") -> Decimal:
    assert reading.is_complete, reading.missing
    assert reading.wallets == {"confirmed", "pending"}
    return sum((one.owned for one in reading.positions if one.wallet == part), Decimal(0))


def coin(made: Made, place: int = 0) -> tuple[str, int]:
    return made.txid, place


def flow_amounts(reading: Reading) -> dict[str, tuple[str, Decimal, Decimal]]:
    return {flow.external_id: (flow.direction, flow.amount, flow.fee) for flow in reading.flows}
