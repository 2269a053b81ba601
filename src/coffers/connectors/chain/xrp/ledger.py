"""Asks servers of the XRP Ledger about one validated ledger.

Source: https://xrpl.org/docs/references/http-websocket-apis. `rippled` and Clio answer alike.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from coffers.clock import MINUTE, SECOND, Clock, Millis
from coffers.connectors.chain.answers import odd_answer, taken
from coffers.connectors.chain.nodes import NodeRefused, Nodes
from coffers.connectors.reading import ConnectorFailure, FailureKind

STALE = Millis(10 * MINUTE)
"""A server whose last validated ledger is older than this is behind."""

LINES = 400
MOST_PAGES = 100
"""Pages of trust lines or of other objects that are asked for: 40,000 of them."""

TRANSACTIONS = 200

NOT_FOUND = "actNotFound"
_UNFIT = frozenset(
    {
        "amendmentBlocked",
        "forbidden",
        "internal",
        "lgrIdxMalformed",
        "lgrIdxsInvalid",
        "lgrNotFound",
        "noClosed",
        "noCurrent",
        "noNetwork",
        "noPermission",
        "notReady",
        "notSynced",
        "slowDown",
        "tooBusy",
        "unknownCmd",
    }
)
_EPOCH = 946_684_800

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{64}$")]


class _Header(msgspec.Struct):
    close_time: _Count


class _Ledger(msgspec.Struct):
    ledger_hash: _Hash
    ledger_index: _Count
    ledger: _Header
    validated: bool = False


class Line(msgspec.Struct):
    """A trust line: what the peer owes the account, negative where the account owes it."""

    account: str
    balance: str
    currency: str


class ToldTransaction(msgspec.Struct):
    """A transaction with what it changed; `tx` and `meta` as the server tells them."""

    tx: dict[str, Any]
    meta: dict[str, Any]
    validated: bool = False


class History(msgspec.Struct):
    """A page of an account's transactions, and which ledgers the server looked through."""

    account: str
    ledger_index_min: int
    ledger_index_max: int
    transactions: list[ToldTransaction]
    marker: Any = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A validated ledger."""

    hash: str
    index: int
    at: Millis


class Server:
    """Asks the servers of the main network."""

    def __init__(self, nodes: Nodes, clock: Clock) -> None:
        self._nodes = nodes
        self._clock = clock
        nodes.admit_only("server_info", [{}], _is_main)

    async def last(self) -> Closed:
        """Return the last validated ledger.

        Raises:
            ConnectorFailure: also when it is not of these minutes.
        """
        closed = await self._closed("validated")
        if self._clock.now() - closed.at > STALE:
            raise ConnectorFailure(
                FailureKind.VENUE_DOWN,
                "The server of the XRP Ledger is behind its ledger.",
                code="stale",
            )
        return closed

    async def closed_at(self, index: int) -> Millis:
        """Return when a ledger was closed."""
        return (await self._closed(index)).at

    async def account(self, address: str, ledger: Closed) -> dict[str, Any] | None:
        """Return an account's own data, None where nobody has funded it."""
        answer = await self._ask("account_info", {"account": address, "ledger_hash": ledger.hash})
        if answer.get("error") == NOT_FOUND:
            return None
        data = _believed(answer, ledger, "an account").get("account_data")
        if not isinstance(data, dict) or data.get("Account") != address:
            raise odd_answer("an account")
        return data

    async def lines(self, address: str, ledger: Closed) -> list[Line]:
        """Return the trust lines of an account.

        All of them: what servers leave out as being in their first state are those that the account
        keeps no reserve for, and it may hold or owe something on such a one.
        """
        given = {"account": address, "ledger_hash": ledger.hash}
        pages = self._pages("account_lines", given, ledger, "lines")
        return [line async for page in pages for line in taken(list[Line], page, "trust lines")]

    async def escrows(self, address: str, ledger: Closed) -> list[dict[str, Any]]:
        """Return the escrows that an account made or that are made for it."""
        given = {"account": address, "ledger_hash": ledger.hash, "type": "escrow"}
        pages = self._pages("account_objects", given, ledger, "account_objects")
        kind = list[dict[str, Any]]
        return [object_ async for page in pages for object_ in taken(kind, page, "escrows")]

    async def history(self, address: str, top: int, marker: object) -> History:
        """Return transactions of an account up to a ledger, the newest first."""
        given = {
            "account": address,
            "ledger_index_min": -1,
            "ledger_index_max": top,
            "limit": TRANSACTIONS,
            "api_version": 1,
        }
        if marker is not None:
            given["marker"] = marker
        answer = _believed(await self._ask("account_tx", given), None, "a history")
        history = taken(History, answer, "a history")
        if history.account != address or history.ledger_index_max < top:
            raise odd_answer("a history")
        return history

    async def _closed(self, index: int | str) -> Closed:
        answer = _believed(await self._ask("ledger", {"ledger_index": index}), None, "a ledger")
        told = taken(_Ledger, answer, "a ledger")
        if not told.validated:
            raise odd_answer("a ledger")
        return Closed(told.ledger_hash, told.ledger_index, moment(told.ledger.close_time))

    async def _pages(
        self, method: str, given: dict[str, Any], ledger: Closed, name: str
    ) -> AsyncGenerator[object, None]:
        marker: object = None
        for _ in range(MOST_PAGES):
            asked = {**given, "limit": LINES}
            if marker is not None:
                asked["marker"] = marker
            answer = await self._ask(method, asked)
            if answer.get("error") == NOT_FOUND:
                return
            _believed(answer, ledger, "an account")
            if answer.get("account") != given["account"]:
                raise odd_answer("an account")
            yield answer.get(name)
            marker = answer.get("marker")
            if marker is None:
                return
        raise ConnectorFailure(
            FailureKind.UNSUPPORTED,
            f"The account has more than {LINES * MOST_PAGES} trust lines or objects.",
            code="too_many",
        )

    async def _ask(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a call, which may be an error of the protocol."""
        try:
            result = await self._nodes.call(method, [given], _doubt)
        except NodeRefused:
            raise odd_answer(method) from None
        return taken(dict[str, Any], result, method)


def moment(seconds: int) -> Millis:
    """Return the instant of a ledger's seconds, which count from the year 2000."""
    return Millis((seconds + _EPOCH) * SECOND)


def _doubt(result: object) -> str | None:
    if not isinstance(result, dict) or result.get("status") not in {"success", "error"}:
        return "it answered nothing of the XRP Ledger"
    error = result.get("error")
    return f"it cannot tell ({error})" if error in _UNFIT else None


def _believed(answer: dict[str, Any], ledger: Closed | None, what: str) -> dict[str, Any]:
    """Return an answer that is no error, and about the ledger that was asked for."""
    if "error" in answer or answer.get("status") != "success":
        raise odd_answer(what)
    if ledger is not None and answer.get("ledger_hash", ledger.hash) != ledger.hash:
        raise odd_answer(what)
    return answer


def _is_main(result: object) -> bool:
    info = result.get("info") if isinstance(result, dict) else None
    return isinstance(info, dict) and info.get("network_id", 0) == 0
