"""Asks services that speak the third version of TON Center.

Source: https://toncenter.com/api/v3. Numbers of coins are texts; addresses are raw.
"""

import asyncio
import base64
import binascii
from asyncio import sleep
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.answers import odd_answer, taken
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

MAIN = -239
"""How the main network calls itself."""

STALE = Millis(10 * MINUTE)
"""A service whose last block is older than this is behind."""

PAUSE = 1.1
"""Seconds between calls to a public service, which allows one a second without a key."""

ROWS = 200
"""Rows of a page of a history."""

JETTONS = 500
"""Rows of a page of token balances."""

MOST_PAGES = 10
"""Pages of token balances that are read."""

_HASH = 32

_Amount = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,40}$")]
_Raw = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,3}:[0-9a-fA-F]{64}$")]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Account(msgspec.Struct, frozen=True):
    """The state of an account."""

    address: _Raw
    balance: _Amount
    status: Literal["active", "uninit", "frozen", "nonexist"]


class _Accounts(msgspec.Struct, frozen=True):
    accounts: list[Account]


class Jetton(msgspec.Struct, frozen=True):
    """What an address has of one token; `jetton` is the token's master contract.

    The balance is what the token's contract tells, and anybody can send one that tells nonsense.
    """

    balance: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,200}$")]
    jetton: _Raw
    owner: _Raw


class _Info(msgspec.Struct, frozen=True):
    type: str = ""
    symbol: str | None = None
    extra: dict[str, Any] | None = None


class _Told(msgspec.Struct, frozen=True):
    token_info: list[_Info] | None = None


class _Jettons(msgspec.Struct, frozen=True):
    jetton_wallets: list[Jetton]
    metadata: dict[str, _Told] | None = None


class _Block(msgspec.Struct, frozen=True):
    gen_utime: str | int
    global_id: int


class _Chain(msgspec.Struct, frozen=True):
    last: _Block


class Message(msgspec.Struct, frozen=True):
    """A message with coins; what comes from outside or goes there has none."""

    value: _Amount | None = None
    fwd_fee: _Amount | None = None
    ihr_fee: _Amount | None = None


class Transaction(msgspec.Struct, frozen=True):
    """What one message did in an account."""

    account: _Raw
    now: _Count
    total_fees: _Amount
    out_msgs: list[Message]
    trace_id: str
    in_msg: Message | None = None


class Transfer(msgspec.Struct, frozen=True):
    """A transfer of a token between two owners."""

    source: _Raw | None
    destination: _Raw | None
    amount: _Amount
    jetton_master: _Raw
    transaction_now: _Count
    transaction_aborted: bool
    trace_id: str


class _Transactions(msgspec.Struct, frozen=True):
    transactions: list[Transaction]


class _Transfers(msgspec.Struct, frozen=True):
    jetton_transfers: list[Transfer]


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says of itself; `decimals` is None where it tells none."""

    symbol: str
    decimals: int | None


class Center:
    """Asks the services of the main network, a public one slowly; belongs to one event loop."""

    def __init__(self, nodes: Nodes, clock: Clock, *, is_public: bool) -> None:
        self._nodes = nodes
        self._clock = clock
        self._is_public = is_public
        self._turn = asyncio.Lock()
        self._next = 0.0

    async def head(self) -> Millis:
        """Return when the last block was made that the service has indexed.

        Raises:
            ConnectorFailure: also when that was not in these minutes, or on another network.
        """
        block = taken(_Chain, await self._ask("/v3/masterchainInfo", {}), "the last block").last
        if block.global_id != MAIN:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                "The configured service is not one of TON's main network.",
                code="other_chain",
            )
        time = str(block.gen_utime)
        if not time.isascii() or not time.isdigit():
            raise odd_answer("the last block")
        at = Millis(int(time) * SECOND)
        if self._clock.now() - at > STALE:
            raise ConnectorFailure(
                FailureKind.VENUE_DOWN, "The service of TON is behind its chain.", code="stale"
            )
        return at

    async def account(self, raw: str) -> Account:
        """Return the state of an account; one that does not exist has a status that says so."""
        params = {"address": raw, "include_boc": "false"}
        answer = await self._ask("/v3/accountStates", params)
        accounts = taken(_Accounts, answer, "an account").accounts
        if len(accounts) != 1 or accounts[0].address.lower() != raw:
            raise odd_answer("an account")
        if accounts[0].status == "nonexist" and int(accounts[0].balance):
            raise odd_answer("an account")
        return accounts[0]

    async def jettons(self, raw: str) -> tuple[list[Jetton], dict[str, Token]]:
        """Return the tokens of an address and what they say of themselves, by their masters."""
        found: list[Jetton] = []
        told: dict[str, Token] = {}
        for page in range(MOST_PAGES):
            params: dict[str, str | int] = {
                "owner_address": raw,
                "exclude_zero_balance": "true",
                "limit": JETTONS,
                "offset": page * JETTONS,
            }
            answer = await self._ask("/v3/jetton/wallets", params)
            rows = taken(_Jettons, answer, "tokens")
            if any(each.owner.lower() != raw for each in rows.jetton_wallets):
                raise odd_answer("tokens")
            found += rows.jetton_wallets
            told |= {key.lower(): _token(each) for key, each in (rows.metadata or {}).items()}
            if len(rows.jetton_wallets) < JETTONS:
                return found, told
        raise ConnectorFailure(
            FailureKind.UNSUPPORTED, "The wallet has too many tokens.", code="too_many"
        )

    async def transactions(self, raw: str, latest: int) -> list[Transaction]:
        """Return transactions of an account up to a second, the newest first, at most `ROWS`."""
        answer = await self._ask("/v3/transactions", {"account": raw, **_page(latest)})
        found = taken(_Transactions, answer, "a history").transactions
        if any(each.account.lower() != raw for each in found):
            raise odd_answer("a history")
        return found

    async def transfers(self, raw: str, latest: int) -> list[Transfer]:
        """Return transfers of tokens from or to an owner, as `transactions`."""
        answer = await self._ask("/v3/jetton/transfers", {"owner_address": raw, **_page(latest)})
        found = taken(_Transfers, answer, "a history").jetton_transfers
        if any(raw not in {_lower(each.source), _lower(each.destination)} for each in found):
            raise odd_answer("a history")
        return found

    async def _ask(self, path: str, params: dict[str, Any]) -> object:
        await self._wait()
        try:
            return await self._nodes.get(path, params)
        except NodeRefused as refusal:
            raise ConnectorFailure(
                FailureKind.UNEXPECTED_ANSWER,
                f"The service of TON refused {path}: {refusal}.",
                code=str(refusal.status),
            ) from None

    async def _wait(self) -> None:
        if not self._is_public:
            return
        async with self._turn:
            now = asyncio.get_running_loop().time()
            await sleep(max(self._next - now, 0))
            self._next = max(self._next, now) + PAUSE


def trace_of(text: str) -> str:
    """Return the id of a chain of transactions in hex, as explorers show it."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise odd_answer("a transaction") from None
    if len(data) != _HASH:
        raise odd_answer("a transaction")
    return data.hex()


def _page(latest: int) -> dict[str, str | int]:
    return {"end_utime": latest, "sort": "desc", "limit": ROWS, "offset": 0}


def _lower(raw: str | None) -> str | None:
    return None if raw is None else raw.lower()


def _token(told: _Told) -> Token:
    infos = [each for each in told.token_info or () if each.type == "jetton_masters"]
    if len(infos) != 1:
        return Token("", None)
    decimals = (infos[0].extra or {}).get("decimals")
    text = str(decimals) if isinstance(decimals, str | int) else ""
    is_number = text.isascii() and text.isdigit() and len(text) < len("100")
    return Token(infos[0].symbol or "", int(text) if is_number else None)
