"""Validators over HTTP, from a beacon node that knows some."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from coffers.clock import ManualClock
from coffers.connectors.chain.evm.reader import reader
from coffers.connectors.chain.nodes import Nodes, new_client
from coffers.connectors.chain.reader import ChainReader, SharingReader, Surroundings
from coffers.connectors.chain.refusals import AddressFault, AddressRefused
from coffers.connectors.reading import ConnectorFailure, ReadRequest
from coffers.markets.chains import shipped_chains
from coffers.secret import Secret
from coffers.valuation.model import Position
from factories import NOW
from served import listening

KEYS = ["0x" + f"{number:02x}" * 48 for number in range(1, 70)]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Beacon:
    """A beacon node that knows the validators 1 to 69, with 32 ether and a bit each."""

    def __init__(self) -> None:
        self.chain_id = "1"
        self.more: dict[str, object] = {"execution_optimistic": False}
        self.balance = "32000000001"
        self.slot: object = str((NOW // 1000 - 1_606_824_023) // 12)
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        self.asked += 1
        body: object = {"data": {"chain_id": self.chain_id, "address": "0x0"}}
        if scope["path"] == "/eth/v1/beacon/headers/head":
            body = {"data": {"header": {"message": {"slot": self.slot}}}}
        if scope["path"] == "/eth/v1/beacon/states/head/validators":
            wanted = parse_qs(scope["query_string"].decode())["id"][0].split(",")
            body = {**self.more, "data": [self._row(name) for name in wanted if self._knows(name)]}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def _knows(self, name: str) -> bool:
        return name in KEYS or (name.isdecimal() and 1 <= int(name) <= len(KEYS))

    def _row(self, name: str) -> dict[str, object]:
        index = int(name) if name.isdecimal() else KEYS.index(name) + 1
        return {
            "index": str(index),
            "balance": self.balance,
            "status": "active_ongoing",
            "validator": {"pubkey": KEYS[index - 1]},
        }


@pytest.fixture
def beacon() -> Beacon:
    return Beacon()


@pytest.fixture
async def validators(beacon: Beacon) -> AsyncIterator[ChainReader]:
    shipped = shipped_chains().get("ethereumwallet")
    assert shipped is not None
    chain = replace(shipped, parameters={"chain_id": 1, "kind": "validators"})
    client: httpx.AsyncClient = new_client(5.0)
    async with listening(beacon) as url, client:
        clock = ManualClock(NOW)

        def nodes(service: str) -> Nodes:
            return Nodes(chain, [Secret(url)] if service == "beacon" else [], client, clock)

        yield reader(Surroundings(chain, nodes, clock))


async def test_what_validators_hold_is_staked(validators: ChainReader) -> None:
    address = await validators.resolved("2 1, 1")
    reading = await validators.read(address, ReadRequest(None))
    assert reading.positions == (Position("staked", "ETH", "ETH", Decimal("64.000000002")),)
    assert reading.wallets == {"staked"}
    assert (reading.flows_known, reading.flows_until) == (False, reading.at)


async def test_a_validator_that_is_named_twice_counts_once(validators: ChainReader) -> None:
    address = validators.checked(f"3,{KEYS[2].upper().replace('0X', '0x')}")
    assert address == f"3,{KEYS[2]}"
    reading = await validators.read(address, ReadRequest(None))
    assert reading.positions[0].free == Decimal("32.000000001")


async def test_two_lists_overlap_where_they_name_one_alike(validators: ChainReader) -> None:
    assert isinstance(validators, SharingReader)
    assert validators.overlaps("1,2", "2,3")
    assert validators.overlaps(f"3,{KEYS[2]}", KEYS[2])
    assert not validators.overlaps("1,2", "12")


async def test_many_validators_are_asked_in_parts(validators: ChainReader, beacon: Beacon) -> None:
    address = validators.checked(",".join(map(str, range(1, 61))))
    reading = await validators.read(address, ReadRequest(None))
    assert reading.positions[0].free == 60 * Decimal("32.000000001")
    assert beacon.asked == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"chain_id": "17000"}, "is one of another chain"),
        ({"more": {"execution_optimistic": True}}, "has not checked its newest blocks"),
        ({"more": {"data": None}}, "does not know|answered no"),
        ({"balance": None}, "tells no balance"),
        ({"balance": "-5"}, "tells no balance"),
        ({"slot": "1"}, "minutes behind"),
        ({"slot": None}, "tells no newest block"),
    ],
)
async def test_a_beacon_node_that_cannot_be_believed_gives_no_reading(
    change: dict[str, Any], sentence: str, validators: ChainReader, beacon: Beacon
) -> None:
    for name, value in change.items():
        setattr(beacon, name, value)
    address = "1" if "data" not in str(change) else "99"
    with pytest.raises(ConnectorFailure, match=sentence):
        await validators.read(address, ReadRequest(None))


async def test_an_unknown_validator_is_no_empty_one(validators: ChainReader) -> None:
    with pytest.raises(ConnectorFailure, match="does not know 1 of the validators"):
        await validators.read("1,99", ReadRequest(None))


@pytest.mark.parametrize(
    "text", ["", ",", "x", "-1", "1.5", "0x12", "1234567890", ",".join(map(str, range(201)))]
)
def test_what_names_no_validators_is_refused(text: str, validators: ChainReader) -> None:
    with pytest.raises(AddressRefused) as refusal:
        validators.checked(text)
    assert refusal.value.fault is AddressFault.MALFORMED
