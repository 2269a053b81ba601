"""Electrum servers (ElectrumX, electrs, Fulcrum), which know addresses by their scripts' hashes.

Source: https://electrumx-spesmilo.readthedocs.io/en/latest/protocol-methods.html
"""

import functools
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, TypeVar

import msgspec

from coffers.clock import SECOND, Clock, Millis
from coffers.connectors.chain.bitcoin.backend import (
    Backend,
    Spent,
    Summary,
    Tip,
    Transaction,
    ask_all,
    odd_answer,
)
from coffers.connectors.chain.bitcoin.electrum_link import ElectrumRefused, Link, opened
from coffers.connectors.chain.bitcoin.networks import Network
from coffers.connectors.chain.bitcoin.raw import RawTransaction, parsed
from coffers.connectors.chain.nodes import REST
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.logs import seldom
from coffers.secret import Secret

PAGE = 25
"""Confirmed transactions that are fetched together."""

_OLDEST, _NEWEST = "1.4", "1.4.5"
_HEADER = 80
_TIME = slice(68, 72)
_log = seldom("coffers.connectors")
_Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_T = TypeVar("_T")


class _Entry(msgspec.Struct):
    tx_hash: _Id
    height: int


class _Balance(msgspec.Struct):
    confirmed: Annotated[int, msgspec.Meta(ge=0)]


class _Head(msgspec.Struct):
    height: Annotated[int, msgspec.Meta(ge=0)]
    hex: str


class ElectrumServers:
    """The servers of a network that the operator named; one is asked for a whole reading."""

    def __init__(self, urls: Sequence[Secret], network: Network, clock: Clock) -> None:
        self._network = network
        self._clock = clock
        self._rests = dict.fromkeys(urls, Millis(0))

    def ways(self) -> Iterator[Callable[[], AbstractAsyncContextManager[Backend]]]:
        """Yield how to open each server; one that failed a while ago comes last."""
        now = self._clock.now()
        for url in sorted(self._rests, key=lambda url: self._rests[url] > now):
            yield functools.partial(self._opened, url)

    @asynccontextmanager
    async def _opened(self, url: Secret) -> AsyncIterator[Backend]:
        try:
            async with opened(url) as link:
                await link.call("server.version", "coffers", [_OLDEST, _NEWEST])
                electrum = Electrum(link, self._network)
                await electrum.admit()
                yield electrum
        except ConnectorFailure as failure:
            self._rests[url] = Millis(self._clock.now() + REST)
            _log.info("node failed", chain=self._network.id, reason=str(failure))
            raise


class Electrum:
    """Asks one Electrum server; what it answers about blocks and transactions is asked once."""

    is_one_server = True

    def __init__(self, link: Link, network: Network) -> None:
        self._link = link
        self._network = network
        self._histories: dict[bytes, list[_Entry]] = {}
        self._raw: dict[str, RawTransaction] = {}
        self._times: dict[int, Millis] = {}

    async def admit(self) -> None:
        """Raise the failure where the server knows another chain."""
        height, hash_ = self._network.landmark
        try:
            header = await self._header(height)
        except ElectrumRefused:
            raise _other_chain(self._network) from None
        if _hash(header) != hash_:
            raise _other_chain(self._network)

    async def tip(self) -> Tip:
        """Return the last block."""
        head = _as(_Head, await self._link.call("blockchain.headers.subscribe"), "the last block")
        return Tip(_hash(_bytes(head.hex, "the last block")[:_HEADER]), head.height)

    async def summary(self, script: bytes) -> Summary:
        """Return what is known of a script's address."""
        key = hashlib.sha256(script).digest()[::-1].hex()
        answer = await self._link.call("blockchain.scripthash.get_history", key)
        history = _as(list[_Entry], answer, "an address")
        self._histories[script] = history
        count = sum(entry.height > 0 for entry in history)
        if not history:
            return Summary(0, 0, 0)
        answer = await self._link.call("blockchain.scripthash.get_balance", key)
        return Summary(count, _as(_Balance, answer, "an address").confirmed, len(history) - count)

    async def unconfirmed(self, script: bytes) -> list[Transaction]:
        """Return the transactions of an address that are in no block yet, as last summed up."""
        entries = [entry for entry in self._histories.get(script, ()) if entry.height <= 0]
        return await ask_all(self._transaction, entries)

    async def confirmed(self, script: bytes) -> AsyncGenerator[list[Transaction], None]:
        """Yield the transactions of an address that are in blocks, the newest first, in pages."""
        entries = [entry for entry in self._histories.get(script, ()) if entry.height > 0]
        entries.sort(key=lambda entry: entry.height, reverse=True)
        for begin in range(0, len(entries), PAGE):
            yield await ask_all(self._transaction, entries[begin : begin + PAGE])

    async def _transaction(self, entry: _Entry) -> Transaction:
        raw = await self._fetched(entry.tx_hash)
        is_confirmed = entry.height > 0
        return Transaction(
            entry.tx_hash,
            tuple(await self._spent(raw)),
            raw.outputs,
            entry.height if is_confirmed else None,
            await self._time(entry.height) if is_confirmed else None,
        )

    async def _spent(self, raw: RawTransaction) -> list[Spent]:
        """Return the outputs that a transaction spends, from the transactions that made them."""
        if raw.is_minted:
            return [Spent(*raw.sources[0], b"", 0)]
        txids = list(dict.fromkeys(txid for txid, _ in raw.sources))
        made = dict(zip(txids, await ask_all(self._fetched, txids), strict=True))
        spent = []
        for txid, place in raw.sources:
            if place >= len(made[txid].outputs):
                raise odd_answer("a transaction")
            before = made[txid].outputs[place]
            spent.append(Spent(txid, place, before.script, before.amount))
        return spent

    async def _fetched(self, txid: str) -> RawTransaction:
        if txid not in self._raw:
            answer = await self._link.call("blockchain.transaction.get", txid)
            try:
                self._raw[txid] = parsed(_bytes(answer, "a transaction"))
            except ValueError:
                raise odd_answer("a transaction") from None
        return self._raw[txid]

    async def _time(self, height: int) -> Millis:
        if height not in self._times:
            time = int.from_bytes((await self._header(height))[_TIME], "little")
            self._times[height] = Millis(time * SECOND)
        return self._times[height]

    async def _header(self, height: int) -> bytes:
        answer = await self._link.call("blockchain.block.header", height)
        # A Dogecoin header that was mined elsewhere goes on after these bytes.
        return _bytes(answer, "a block")[:_HEADER]


def _other_chain(network: Network) -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER,
        f"The configured node is not one of {network.name}.",
        code="other_chain",
    )


def _hash(header: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()[::-1].hex()


def _bytes(answer: object, what: str) -> bytes:
    try:
        return bytes.fromhex(answer if isinstance(answer, str) else "-")
    except ValueError:
        raise odd_answer(what) from None


def _as(kind: type[_T], answer: object, what: str) -> _T:
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        raise odd_answer(what) from None
