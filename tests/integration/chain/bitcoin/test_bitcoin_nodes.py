"""Nodes that fail, answer oddly or know another chain, and the kindred chains."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bitcoin_chain import BASE, MadeUpChain
from bitcoin_nodes import ElectrumServer, EsploraNode
from bitcoin_world import (
    ADDRESS,
    SINCE,
    ZPUB,
    World,
    entered,
    held,
    own_certificate,
)
from coffers.clock import ManualClock, Millis
from coffers.connectors.chain.bitcoin.electrum_link import opened
from coffers.connectors.chain.bitcoin.reader import reader
from coffers.connectors.chain.bitcoin.wallet import wallet_of
from coffers.connectors.chain.nodes import Nodes, new_client
from coffers.connectors.chain.reader import Surroundings
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.chains import shipped_chains
from coffers.secret import Secret
from factories import NOW
from wallets import wallets_of


async def test_an_electrum_server_of_another_chain_is_not_believed(
    over_tcp: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = over_tcp.reader._electrum  # type: ignore[attr-defined]
    elsewhere = replace(servers._network, landmark=(BASE, "00" * 32))
    monkeypatch.setattr(servers, "_network", elsewhere)

    with pytest.raises(ConnectorFailure, match="is not one of Bitcoin") as caught:
        await over_tcp.read(ZPUB)
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("answer", [(200, "text/plain", b"00"), (404, "text/plain", b"no block")])
async def test_no_esplora_of_several_is_believed_that_knows_another_chain(
    chain: MadeUpChain, answer: tuple[int, str, bytes]
) -> None:
    first, second = EsploraNode(chain), EsploraNode(chain)
    second.answers[f"/block-height/{BASE}"] = answer
    async with wallets_of("bitcoin_wallet", first, second) as wallets:
        await wallets.read(ADDRESS)
        first.answers["/blocks/tip/hash"] = (500, "text/plain", b"sync")
        with pytest.raises(ConnectorFailure, match="chain") as caught:
            await wallets.read(ADDRESS)
    assert set(second.asked) == {f"/block-height/{BASE}"}
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize("is_mined", [True, False])
async def test_more_coins_than_there_can_be_are_not_believed(world: World, is_mined: bool) -> None:
    script = world.scripts(ZPUB)
    world.chain.receive(script(0), 20_999_999 * 10**8)
    if is_mined:
        world.chain.mine()
    assert (await world.read(ZPUB)).positions
    world.chain.receive(script(1), 10**8 + 1)
    if is_mined:
        world.chain.mine()
    with pytest.raises(ConnectorFailure, match="not usable") as caught:
        await world.read(ZPUB)
    assert caught.value.kind is FailureKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize(
    "answer",
    [
        (200, "application/json", b"{}"),
        (200, "application/json", b"[]"),
        (200, "text/html", b"<html>maintenance</html>"),
        (200, "application/json", b'{"chain_stats":{"funded_txo_sum":-1}}'),
        (400, "text/plain", b"Invalid Bitcoin address"),
        (500, "text/plain", b"sync"),
    ],
)
async def test_an_odd_answer_is_no_empty_wallet(
    over_http: World, answer: tuple[int, str, bytes]
) -> None:
    over_http.esplora.answers[f"/address/{ADDRESS}"] = answer

    with pytest.raises(ConnectorFailure):
        await over_http.read(ADDRESS)


async def test_a_mempool_without_its_own_electrs_fails_with_the_status_of_its_page(
    over_http: World,
) -> None:
    over_http.chain.receive(over_http.scripts(ADDRESS)(0), 1_000)
    over_http.chain.mine()
    page = b"<pre>Cannot GET</pre>"
    over_http.esplora.answers[f"/address/{ADDRESS}/txs/chain"] = (404, "text/html", page)
    with pytest.raises(ConnectorFailure, match="no JSON, with status 404"):
        await over_http.read(ADDRESS)


@pytest.mark.parametrize(
    "line", [b"{}\n", b"no json\n", b"", b'{"id":7,"result":5}\n', b"[" * 100_000 + b"\n"]
)
async def test_an_odd_electrum_server_is_no_empty_wallet(
    over_tcp: World, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coffers.connectors.chain.bitcoin.electrum_link.CALL_TIMEOUT", 0.3)

    def odd(request: dict[str, Any]) -> bytes | None:
        if not request["method"].endswith("get_history"):
            return None
        return line.replace(b"7", str(request["id"]).encode())

    over_tcp.electrum.raw = odd

    with pytest.raises(ConnectorFailure):
        await over_tcp.read(ZPUB)


async def test_another_electrum_server_stands_in_for_one_that_fails(over_tcp: World) -> None:
    over_tcp.chain.receive(over_tcp.scripts(ZPUB)(0), 1_000)
    over_tcp.chain.mine()
    servers = over_tcp.reader._electrum  # type: ignore[attr-defined]
    servers._rests = {Secret("tcp://127.0.0.1:1"): Millis(0), **servers._rests}

    assert held(await over_tcp.read(ZPUB)) == Decimal("0.00001")
    assert list(servers._rests.values()) == [NOW + 60_000, 0]


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    chain: MadeUpChain, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    served = ElectrumServer(chain)
    async with await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=context) as listener:
        url = Secret(f"ssl://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        with pytest.raises(ConnectorFailure, match="a certificate that this machine does not"):
            async with opened(url):
                pass
    assert not served.asked


async def test_without_a_node_the_failure_says_what_to_configure(chain: MadeUpChain) -> None:
    shipped = shipped_chains().get("dogecoin_wallet")
    assert shipped is not None
    async with new_client(5.0) as client:
        clock = ManualClock(NOW)
        made = reader(Surroundings(shipped, lambda _: Nodes(shipped, (), client, clock), clock))

        with pytest.raises(ConnectorFailure, match=r"\(electrum\) under \[dogecoin\]"):
            await made.read(made.checked("DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD"), SINCE)


@pytest.mark.parametrize(
    ("market", "address", "asset"),
    [
        ("litecoin_wallet", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", "LTC"),
        ("dogecoin_wallet", "DBXu2kgc3xtvCUWFcxFE3r9hEYgmuaaCyD", "DOGE"),
        ("bitcoin_cash_wallet", "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "BCH"),
    ],
)
@pytest.mark.parametrize("kind", ["esplora", "electrum"])
async def test_the_kindred_chains_are_read_alike(
    chain: MadeUpChain, market: str, address: str, asset: str, kind: str
) -> None:
    async with AsyncExitStack() as stack:
        world = await entered(stack, chain, kind, market)
        network = world.reader._network  # type: ignore[attr-defined]
        script = wallet_of(world.reader.checked(address), network).branches[0].script(0)
        chain.receive(script, 250_000_000)
        chain.mine()

        reading = await world.read(address)

    assert held(reading) == Decimal("2.5")
    assert reading.positions[0].asset == asset
