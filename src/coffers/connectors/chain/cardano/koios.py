"""Asks services that speak Koios, the REST interface to an index of Cardano.

Source: https://api.koios.rest. A service answers about what it never saw by leaving it out, and so
does much that is broken: it is asked at once about something that every index of the main network
knows, and believed only where it tells that.
"""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.answers import odd_answer, taken
from coffers.connectors.chain.cardano.address import is_stake
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

KNOWN_ACCOUNT = "stake1uyrx65wjqjgeeksd8hptmcgl5jfyrqkfq0xe8xlp367kphsckq250"
KNOWN_ADDRESS = (
    "addr1qy2jt0qpqz2z2z9zx5w4xemekkce7yderz53kjue53lpqv90lkfa9sgrfjuz6uvt4uqtrqhl2kj0a9lnr9ndzutx32"
    "gqleeckv"
)
"""What every index of the main network knows."""

STALE = Millis(15 * MINUTE)
"""A service whose last block is older than this is behind: blocks come every 20 seconds."""

ROWS = 500
"""Rows of a page."""

MOST_PAGES = 40
"""Pages of unspent outputs that are read of one wallet."""

BATCH_SIZE = 25
"""Transactions that are asked for in one call."""

_T = TypeVar("_T")
_Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
_Signed = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,20}$")]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Asset(msgspec.Struct, frozen=True):
    """An amount of a native token; the name is in hex. `decimals` is what the registry tells."""

    policy_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{56}$")]
    quantity: _Amount
    asset_name: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{2}){0,32}$")] | None = None
    decimals: int | None = None

    @property
    def id(self) -> str:
        """The token's name on its chain: the policy, a point, and the name in hex."""
        return f"{self.policy_id}.{self.asset_name or ''}"


class Output(msgspec.Struct, frozen=True):
    """An unspent output."""

    tx_hash: str
    tx_index: int
    value: _Amount
    asset_list: list[Asset] | None = None


class Account(msgspec.Struct, frozen=True):
    """A stake account: all addresses that share its key. Amounts are in lovelace."""

    stake_address: str
    utxo: _Amount
    rewards_available: _Amount
    deposit: _Amount = "0"


class _Address(msgspec.Struct, frozen=True):
    address: str
    balance: _Amount
    utxo_set: list[Output]


class _Tip(msgspec.Struct, frozen=True):
    block_time: _Count
    block_height: _Count | None = None
    block_no: _Count | None = None


class Row(msgspec.Struct, frozen=True):
    """A transaction in a history."""

    tx_hash: str
    block_height: _Count
    block_time: _Count


class _Payment(msgspec.Struct, frozen=True):
    bech32: str


class Part(msgspec.Struct, frozen=True):
    """An input or an output of a transaction."""

    value: _Amount
    payment_addr: _Payment
    stake_addr: str | None = None
    asset_list: list[Asset] | None = None

    def belongs_to(self, own: str) -> bool:
        """Whether it is of a canonical address."""
        return own in {self.stake_addr, self.payment_addr.bech32}


class Withdrawal(msgspec.Struct, frozen=True):
    """Rewards that a transaction took out of a stake account."""

    amount: _Amount
    stake_addr: str


class Certificate(msgspec.Struct, frozen=True):
    """Something that a transaction registered or changed; `info` tells of what."""

    type: str
    info: dict[str, Any] | None = None


class Transaction(msgspec.Struct, frozen=True):
    """A transaction with all that it moved. `deposit` is negative where one came back."""

    tx_hash: str
    fee: _Amount
    deposit: _Signed
    inputs: list[Part]
    outputs: list[Part]
    withdrawals: list[Withdrawal] | None = None
    certificates: list[Certificate] | None = None


@dataclass(frozen=True, slots=True)
class Tip:
    """The last block that a service knows."""

    height: int
    at: Millis


class Koios:
    """Asks the services of the main network."""

    def __init__(self, nodes: Nodes, clock: Clock) -> None:
        self._nodes = nodes
        self._clock = clock

    async def tip(self) -> Tip:
        """Return the last block.

        Raises:
            ConnectorFailure: also when that was not in these minutes.
        """
        try:
            answer = await self._nodes.get("/tip")
        except NodeRefused as refusal:
            raise _refused("/tip", refusal) from None
        rows = taken(list[_Tip], answer, "the last block")
        height = (rows[0].block_height or rows[0].block_no) if len(rows) == 1 else None
        if height is None:
            raise odd_answer("the last block")
        at = Millis(rows[0].block_time * SECOND)
        if self._clock.now() - at > STALE:
            raise ConnectorFailure(
                FailureKind.VENUE_DOWN, "The service of Cardano is behind its chain.", code="stale"
            )
        return Tip(height, at)

    async def account(self, stake: str) -> Account | None:
        """Return a stake account, None where the chain never saw it."""
        body = {"_stake_addresses": _with(KNOWN_ACCOUNT, stake)}
        rows = await self._rows(Account, "/account_info", body)
        return _picked({row.stake_address: row for row in rows}, KNOWN_ACCOUNT, stake)

    async def outputs_of(self, stake: str) -> list[Output]:
        """Return the unspent outputs of a stake account, in no order that means something."""
        found: dict[tuple[str, int], Output] = {}
        for page in range(MOST_PAGES):
            path = _paged("/account_utxos", "order=tx_hash.asc,tx_index.asc", page * ROWS)
            body = {"_stake_addresses": [stake], "_extended": True}
            rows = await self._rows(Output, path, body)
            found |= {(row.tx_hash, row.tx_index): row for row in rows}
            if len(rows) < ROWS:
                return list(found.values())
        raise ConnectorFailure(
            FailureKind.UNSUPPORTED,
            f"The wallet has more than {ROWS * MOST_PAGES} unspent outputs.",
            code="too_many",
        )

    async def outputs_at(self, address: str) -> list[Output] | None:
        """Return the unspent outputs of one address; None where its balance is another."""
        body = {"_addresses": _with(KNOWN_ADDRESS, address)}
        rows = await self._rows(_Address, "/address_info", body)
        info = _picked({row.address: row for row in rows}, KNOWN_ADDRESS, address)
        outputs = [] if info is None else info.utxo_set
        is_whole = info is None or int(info.balance) == sum(int(each.value) for each in outputs)
        return outputs if is_whole else None

    async def history(self, own: str, top: int) -> list[Row]:
        """Return transactions up to a block, the newest first, at most `ROWS`."""
        query = f"block_height=lte.{top}&order=block_height.desc,tx_hash.desc"
        if not is_stake(own):
            path = _paged("/address_txs", query, 0)
            return await self._rows(Row, path, {"_addresses": [own]})
        path = _paged("/account_txs", f"_stake_address={own}&{query}", 0)
        try:
            answer = await self._nodes.get(path)
        except NodeRefused as refusal:
            raise _refused("/account_txs", refusal) from None
        return taken(list[Row], answer, "/account_txs")

    async def transactions(self, hashes: list[str]) -> list[Transaction]:
        """Return transactions in the order of their hashes; raises where one is not told."""
        body = {
            "_tx_hashes": hashes,
            "_inputs": True,
            "_assets": True,
            "_withdrawals": True,
            "_metadata": False,
            "_certs": True,
            "_scripts": False,
            "_bytecode": False,
        }
        rows = await self._rows(Transaction, "/tx_info", body)
        told = {row.tx_hash: row for row in rows}
        if told.keys() != set(hashes):
            raise odd_answer("a transaction")
        return [told[each] for each in hashes]

    async def _rows(self, kind: type[_T], path: str, body: dict[str, Any]) -> list[_T]:
        try:
            answer = await self._nodes.post(path, body)
        except NodeRefused as refusal:
            raise _refused(path.partition("?")[0], refusal) from None
        rows: list[_T] = taken(list[kind], answer, path.partition("?")[0])  # type: ignore[valid-type]
        return rows


def _with(known: str, asked: str) -> list[str]:
    return [known] if asked == known else [known, asked]


def _picked(told: dict[str, _T], known: str, asked: str) -> _T | None:
    if known not in told or not told.keys() <= {known, asked}:
        raise odd_answer("the wallet")
    return told.get(asked)


def _paged(path: str, query: str, offset: int) -> str:
    return f"{path}?{query}&offset={offset}&limit={ROWS}"


def _refused(path: str, refusal: NodeRefused) -> ConnectorFailure:
    return ConnectorFailure(
        FailureKind.UNEXPECTED_ANSWER,
        f"The service of Cardano refused {path}: {refusal}.",
        code=str(refusal.status),
    )
