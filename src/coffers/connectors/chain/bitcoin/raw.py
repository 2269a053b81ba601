"""Transactions as nodes send them in bytes: what they spend and what they make.

Source: BIP-144. What follows the outputs (witnesses, Litecoin's MWEB part) is not read.
"""

from dataclasses import dataclass

from coffers.connectors.chain.bitcoin.backend import Paid

_VERSION = 4
_TXID = 32
_SEQUENCE = 4
_AMOUNT = 8
_LENGTHS = {0xFD: 2, 0xFE: 4, 0xFF: 8}


@dataclass(frozen=True, slots=True)
class RawTransaction:
    """The outputs that a transaction spends, by transaction and place, and those that it makes."""

    sources: tuple[tuple[str, int], ...]
    outputs: tuple[Paid, ...]

    @property
    def is_minted(self) -> bool:
        """Whether it makes new coins and spends none."""
        return len(self.sources) == 1 and self.sources[0][0] == "0" * 2 * _TXID


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ValueError("the transaction is cut short")
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self) -> int:
        first = self.number(1)
        return self.number(_LENGTHS[first]) if first in _LENGTHS else first


def parsed(data: bytes) -> RawTransaction:
    """Return what a transaction spends and makes.

    Raises:
        ValueError: when the bytes are no whole transaction.
    """
    rest = _Bytes(data)
    rest.take(_VERSION)
    inputs = rest.count()
    if inputs == 0:  # no transaction spends nothing: it is the mark of a witness, and a flag
        rest.take(1)
        inputs = rest.count()
    sources = tuple(_source(rest) for _ in range(inputs))
    outputs = tuple(_paid(rest) for _ in range(rest.count()))
    return RawTransaction(sources, outputs)


def _source(rest: _Bytes) -> tuple[str, int]:
    txid, place = rest.take(_TXID)[::-1].hex(), rest.number(4)
    rest.take(rest.count())
    rest.take(_SEQUENCE)
    return txid, place


def _paid(rest: _Bytes) -> Paid:
    amount = rest.number(_AMOUNT)
    return Paid(rest.take(rest.count()), amount)
