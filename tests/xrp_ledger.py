"""An XRP Ledger for tests: accounts, trust lines and escrows, with a server that tells of them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from coffers.connectors.chain import base58

EPOCH = 946_684_800
XRP = 1_000_000
FEE = 12
NEUTRAL = "rrrrrrrrrrrrrrrrrrrrBZbvji"


def address(number: int) -> str:
    """Return an account's address that is the same in every run."""
    payload = b"\0" + hashlib.sha256(number.to_bytes(4, "big")).digest()[:20]
    checksum = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return base58.encode(payload + checksum, base58.RIPPLE)


def _id(account: str) -> bytes:
    return base58.decode(account, base58.RIPPLE) or b""


@dataclass
class MadeUpLedger:
    """What is on the ledger, its transactions, and what a test wants to go wrong."""

    time: int
    index: int = 90_000_000
    first: int = 32_570
    accounts: dict[str, int] = field(default_factory=dict)
    lines: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    no_reserve: set[tuple[str, str]] = field(default_factory=set)
    escrows: dict[str, dict[str, Any]] = field(default_factory=dict)
    recorded: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    before: Callable[[str], None] | None = None
    network: int | None = None
    page: int = 200
    first_time: int = 0

    # What happens on the ledger.

    def fund(self, to: str, drops: int, source: str | None = None) -> str:
        """Pay an account, which is made where there is none."""
        payer = source or address(1)
        self.accounts.setdefault(payer, 10**15)
        nodes = [self._coins(payer, -drops - FEE), self._coins(to, drops)]
        return self._close("Payment", payer, nodes, Amount=str(drops), Destination=to)

    def pay_for(self, source: str, delegate: str, to: str, drops: int) -> str:
        """Let an account that another one allowed it pay in its name, and the fee itself."""
        nodes = [self._coins(delegate, -FEE), self._coins(source, -drops), self._coins(to, drops)]
        return self._close("Payment", source, nodes, Delegate=delegate, Destination=to)

    def issue(
        self, issuer: str, holder: str, currency: str, value: str, said: str | None = None
    ) -> str:
        """Let an issuer pay its token; `said` is what a partial payment claims to pay."""
        self.accounts.setdefault(issuer, 10**12)
        self.accounts.setdefault(holder, 10**9)
        nodes = [self._coins(issuer, -FEE), self._line(holder, issuer, currency, Decimal(value))]
        amount = {"currency": currency, "issuer": issuer, "value": said or value}
        more = {} if said is None else {"Flags": 0x00020000}
        return self._close("Payment", issuer, nodes, Amount=amount, Destination=holder, **more)

    def pay_back(self, issuer: str, holder: str, currency: str, value: str) -> str:
        nodes = [self._coins(holder, -FEE), self._line(holder, issuer, currency, -Decimal(value))]
        return self._close("Payment", holder, nodes, Destination=issuer)

    def trade(self, who: str, issuer: str, currency: str, value: str, drops: int) -> str:
        """Let an offer of another account's give coins for a token or the other way round."""
        nodes = [self._coins(who, drops - FEE), self._line(who, issuer, currency, Decimal(value))]
        return self._close("OfferCreate", who, nodes)

    def set_aside(self, source: str, to: str, amount: int | dict[str, str]) -> str:
        """Make an escrow; one of a token takes it from a trust line."""
        id_ = f"{len(self.recorded):064X}"
        told = str(amount) if isinstance(amount, int) else amount
        entry = {"Account": source, "Destination": to, "Amount": told}
        self.escrows[id_] = {**entry, "LedgerEntryType": "Escrow", "index": id_}
        node = {
            "CreatedNode": {"LedgerEntryType": "Escrow", "LedgerIndex": id_, "NewFields": entry}
        }
        if isinstance(amount, int):
            nodes = [self._coins(source, -amount - FEE)]
        else:
            value = -Decimal(amount["value"])
            line = self._line(source, amount["issuer"], amount["currency"], value)
            nodes = [self._coins(source, -FEE), line]
        self._close("EscrowCreate", source, [*nodes, node])
        return id_

    def give_back(self, id_: str) -> str:
        """Finish an escrow of coins."""
        entry = self.escrows.pop(id_)
        fields = {name: entry[name] for name in ("Account", "Destination", "Amount")}
        node = {
            "DeletedNode": {"LedgerEntryType": "Escrow", "LedgerIndex": id_, "FinalFields": fields}
        }
        source, to, drops = entry["Account"], entry["Destination"], int(entry["Amount"])
        if source == to:
            nodes = [self._coins(to, drops - FEE)]
        else:
            nodes = [self._coins(source, -FEE), self._coins(to, drops)]
        return self._close("EscrowFinish", source, [*nodes, node])

    def delete(self, who: str, to: str) -> str:
        """Remove an account, whose coins go to another one."""
        left = self.accounts.pop(who)
        paid = left - 2 * XRP
        node = {
            "DeletedNode": {
                "LedgerEntryType": "AccountRoot",
                "FinalFields": {"Account": who, "Balance": "0"},
                "PreviousFields": {"Balance": str(left)},
            }
        }
        return self._close(
            "AccountDelete", who, [node, self._coins(to, paid)], fee=2 * XRP, Destination=to
        )

    def _coins(self, who: str, drops: int) -> dict[str, Any]:
        if who not in self.accounts:
            self.accounts[who] = drops
            new = {"Account": who, "Balance": str(drops)}
            return {"CreatedNode": {"LedgerEntryType": "AccountRoot", "NewFields": new}}
        was = self.accounts[who]
        self.accounts[who] = was + drops
        return {
            "ModifiedNode": {
                "LedgerEntryType": "AccountRoot",
                "FinalFields": {"Account": who, "Balance": str(was + drops), "OwnerCount": 0},
                "PreviousFields": {"Balance": str(was), "Sequence": 1},
            }
        }

    def _line(self, who: str, peer: str, currency: str, value: Decimal) -> dict[str, Any]:
        low, high = sorted((who, peer), key=_id)
        key = low, high, currency
        was = self.lines.get(key)
        change = value if who == low else -value
        now = (was or Decimal(0)) + change
        self.lines[key] = now
        fields = {
            "Balance": _amount(currency, now, NEUTRAL),
            "LowLimit": _amount(currency, Decimal(0), low),
            "HighLimit": _amount(currency, Decimal(10**9), high),
        }
        if was is None:
            return {"CreatedNode": {"LedgerEntryType": "RippleState", "NewFields": fields}}
        before = {"Balance": _amount(currency, was, NEUTRAL)}
        told = {"LedgerEntryType": "RippleState", "FinalFields": fields, "PreviousFields": before}
        return {"ModifiedNode": told}

    def _close(
        self, kind: str, who: str, nodes: list[dict[str, Any]], fee: int = FEE, **fields: Any
    ) -> str:
        """Close a ledger a minute later with one transaction in it."""
        self.index += 1
        self.time += 60
        hash_ = hashlib.sha256(str(self.index).encode()).hexdigest().upper()
        # Entries that are only threaded carry no fields.
        threaded = {"ModifiedNode": {"LedgerEntryType": "RippleState", "LedgerIndex": "0"}}
        tx = {
            "TransactionType": kind,
            "Account": who,
            "Fee": str(fee),
            "hash": hash_,
            "date": self.time - EPOCH,
            "ledger_index": self.index,
            **fields,
        }
        meta = {"TransactionResult": "tesSUCCESS", "AffectedNodes": [*nodes, threaded]}
        self.recorded.append({"tx": tx, "meta": meta, "validated": True})
        return hash_

    # What a server answers.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        asked = json.loads(message["body"])
        method, given = asked["method"], asked["params"][0]
        self.asked.append((method, given))
        if self.before is not None:
            self.before(method)
        if method in self.errors:
            result: object = {"status": "error", "error": self.errors[method]}
        elif method in self.answers:
            result = self.answers[method]
        else:
            result = {"status": "success", **getattr(self, f"_tell_{method}")(given)}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"result": result}).encode()})

    @property
    def hash(self) -> str:
        return f"{self.index:064X}"

    def _tell_server_info(self, given: Any) -> dict[str, Any]:
        return {"info": {} if self.network is None else {"network_id": self.network}}

    def _tell_ledger(self, given: dict[str, Any]) -> dict[str, Any]:
        is_last = given["ledger_index"] == "validated"
        time = self.time - EPOCH if is_last else self.first_time
        return {
            "ledger_hash": self.hash,
            "ledger_index": self.index if is_last else given["ledger_index"],
            "ledger": {"close_time": time},
            "validated": True,
        }

    def _tell_account_info(self, given: dict[str, Any]) -> dict[str, Any]:
        who = given["account"]
        if who not in self.accounts:
            return {"status": "error", "error": "actNotFound"}
        data = {"Account": who, "Balance": str(self.accounts[who]), "OwnerCount": 3}
        return {"account_data": data, "ledger_hash": given["ledger_hash"]}

    def _tell_account_lines(self, given: dict[str, Any]) -> dict[str, Any]:
        who = given["account"]
        rows = []
        for (low, high, currency), balance in self.lines.items():
            if who in {low, high}:
                peer, value = (high, balance) if who == low else (low, -balance)
                # What a server leaves out goes by the reserve for the line, not by its balance.
                is_default = value < 0 or (who, peer) in self.no_reserve
                if given.get("ignore_default") and is_default:
                    continue
                rows.append({"account": peer, "balance": f"{value:f}", "currency": currency})
        return self._paged(given, "lines", rows)

    def _tell_account_objects(self, given: dict[str, Any]) -> dict[str, Any]:
        who = given["account"]
        rows = [one for one in self.escrows.values() if who in {one["Account"], one["Destination"]}]
        return self._paged(given, "account_objects", rows)

    def _tell_account_tx(self, given: dict[str, Any]) -> dict[str, Any]:
        who = given["account"]
        rows = [
            one
            for one in reversed(self.recorded)
            if self.first <= one["tx"]["ledger_index"] <= given["ledger_index_max"]
            and f'"{who}"' in json.dumps(one)
        ]
        told = self._paged(given, "transactions", rows)
        limits = {"ledger_index_min": self.first, "ledger_index_max": given["ledger_index_max"]}
        return {**told, **limits}

    def _paged(self, given: dict[str, Any], name: str, rows: list[Any]) -> dict[str, Any]:
        begin = given.get("marker", {"seq": 0})["seq"]
        told = {"account": given["account"], name: rows[begin : begin + self.page]}
        if begin + self.page < len(rows):
            told["marker"] = {"ledger": self.index, "seq": begin + self.page}
        return told


def _amount(currency: str, value: Decimal, issuer: str) -> dict[str, str]:
    return {"currency": currency, "value": f"{value:f}", "issuer": issuer}
