"""A cluster of Solana for tests: its virtual machine in this process, behind JSON-RPC."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    TransferParams,
    create_account,
    transfer,
)
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata

from coffers.connectors.chain.solana.cluster import GENESIS
from coffers.connectors.chain.solana.layout import STAKE, TOKEN, TOKEN_2022

ATA = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM = Pubkey.from_string("11111111111111111111111111111111")
RENT = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
HISTORY = Pubkey.from_string("SysvarStakeHistory1111111111111111111111111")
SOL = 1_000_000_000
DEPOSIT = 2_039_280
"""The rent of a token account of the old form."""


def key(number: int) -> Keypair:
    """Return a key that is the same in every run."""
    return Keypair.from_seed(number.to_bytes(32, "big"))


def meta(address: Pubkey, *, signs: bool = False, writes: bool = True) -> AccountMeta:
    return AccountMeta(address, signs, writes)


@dataclass
class Recorded:
    """A transaction as a node tells it."""

    signature: str
    slot: int
    time: int
    keys: list[str]
    told: dict[str, Any]


@dataclass
class MadeUpCluster:
    """The virtual machine, the transactions so far, and what a test wants to go wrong."""

    time: int
    now: int
    svm: LiteSVM = field(default_factory=LiteSVM)
    slot: int = 1000
    first: int = 0
    recorded: list[Recorded] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    before: Callable[[str], None] | None = None
    genesis: str = GENESIS
    bank: Keypair = field(default_factory=lambda: key(1))

    def __post_init__(self) -> None:
        self.svm.airdrop(self.bank.pubkey(), 100_000 * SOL)
        self.svm.warp_to_slot(self.slot)

    # What happens on the chain.

    def send(self, payer: Keypair, instructions: Sequence[Instruction], *more: Keypair) -> str:
        """Run a transaction a minute later, record it, and return its signature."""
        self.slot += 300
        self.time += 60
        self.svm.warp_to_slot(self.slot)
        self.svm.expire_blockhash()
        message = Message.new_with_blockhash(
            instructions, payer.pubkey(), self.svm.latest_blockhash()
        )
        transaction = Transaction([payer, *more], message, self.svm.latest_blockhash())
        keys = list(message.account_keys)
        before = self._balances(keys)
        result = self.svm.send_transaction(transaction)
        after = self._balances(keys)
        failed = isinstance(result, FailedTransactionMetadata)
        told = {
            "slot": self.slot,
            "blockTime": self.time,
            "meta": {
                "err": {"InstructionError": [0, "Custom"]} if failed else None,
                "fee": 5000 * len(transaction.signatures),
                "preBalances": before[0],
                "postBalances": after[0],
                "preTokenBalances": before[1],
                "postTokenBalances": after[1],
                "loadedAddresses": {"writable": [], "readonly": []},
            },
            "transaction": {
                "message": {"accountKeys": [str(one) for one in keys]},
                "signatures": [str(one) for one in transaction.signatures],
            },
            "version": "legacy",
        }
        signature = str(transaction.signatures[0])
        names = [str(one) for one in keys]
        self.recorded.append(Recorded(signature, self.slot, self.time, names, told))
        return signature

    def pay(self, source: Keypair, to: Pubkey, lamports: int) -> str:
        params = TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=lamports)
        return self.send(source, [transfer(params)])

    def put_mint(
        self,
        address: str,
        decimals: int,
        supply: int = 0,
        program: str = TOKEN,
        *,
        tail: bytes = b"",
    ) -> Pubkey:
        """Put a mint of the bank's where the main network has it."""
        authority = (1).to_bytes(4, "little") + bytes(self.bank.pubkey())
        data = authority + supply.to_bytes(8, "little") + bytes([decimals, 1]) + authority + tail
        owner = Pubkey.from_string(program)
        self.svm.set_account(Pubkey.from_string(address), Account(10 * SOL, data, owner))
        return Pubkey.from_string(address)

    def token_account(self, owner: Pubkey, mint: Pubkey, program: str = TOKEN) -> Pubkey:
        seeds = [bytes(owner), bytes(Pubkey.from_string(program)), bytes(mint)]
        return Pubkey.find_program_address(seeds, ATA)[0]

    def open_account(
        self, payer: Keypair, owner: Pubkey, mint: Pubkey, program: str = TOKEN
    ) -> Pubkey:
        account = self.token_account(owner, mint, program)
        accounts = [
            meta(payer.pubkey(), signs=True),
            meta(account),
            meta(owner, writes=False),
            meta(mint, writes=False),
            meta(SYSTEM, writes=False),
            meta(Pubkey.from_string(program), writes=False),
        ]
        self.send(payer, [Instruction(ATA, b"\1", accounts)])
        return account

    def second_account(self, owner: Pubkey, mint: Pubkey, number: int) -> Pubkey:
        """Make one more token account of an owner, paid by the bank."""
        made = key(number)
        params = CreateAccountParams(
            from_pubkey=self.bank.pubkey(),
            to_pubkey=made.pubkey(),
            lamports=DEPOSIT,
            space=165,
            owner=Pubkey.from_string(TOKEN),
        )
        start = Instruction(
            Pubkey.from_string(TOKEN),
            bytes([18]) + bytes(owner),
            [meta(made.pubkey()), meta(mint, writes=False)],
        )
        self.send(self.bank, [create_account(params), start], made)
        return made.pubkey()

    def mint_to(self, account: Pubkey, mint: Pubkey, raw: int, program: str = TOKEN) -> str:
        accounts = [meta(mint), meta(account), meta(self.bank.pubkey(), signs=True)]
        data = bytes([7]) + raw.to_bytes(8, "little")
        return self.send(self.bank, [Instruction(Pubkey.from_string(program), data, accounts)])

    def move(self, owner: Keypair, source: Pubkey, to: Pubkey, raw: int) -> str:
        """Transfer tokens between accounts of one mint of the old program."""
        accounts = [meta(source), meta(to), meta(owner.pubkey(), signs=True)]
        data = bytes([3]) + raw.to_bytes(8, "little")
        return self.send(owner, [Instruction(Pubkey.from_string(TOKEN), data, accounts)])

    def freeze(self, account: Pubkey, mint: Pubkey) -> str:
        accounts = [meta(account), meta(mint), meta(self.bank.pubkey(), signs=True)]
        return self.send(self.bank, [Instruction(Pubkey.from_string(TOKEN), bytes([10]), accounts)])

    def wrap(self, owner: Keypair, account: Pubkey, lamports: int) -> str:
        params = TransferParams(from_pubkey=owner.pubkey(), to_pubkey=account, lamports=lamports)
        sync = Instruction(Pubkey.from_string(TOKEN), bytes([17]), [meta(account)])
        return self.send(owner, [transfer(params), sync])

    def close_account(self, owner: Keypair, account: Pubkey) -> str:
        accounts = [meta(account), meta(owner.pubkey()), meta(owner.pubkey(), signs=True)]
        return self.send(owner, [Instruction(Pubkey.from_string(TOKEN), bytes([9]), accounts)])

    def stake(self, owner: Keypair, number: int, lamports: int, withdrawer: Pubkey) -> Pubkey:
        """Make a stake account whose staker is the owner."""
        made = key(number)
        params = CreateAccountParams(
            from_pubkey=owner.pubkey(),
            to_pubkey=made.pubkey(),
            lamports=lamports,
            space=200,
            owner=Pubkey.from_string(STAKE),
        )
        data = (0).to_bytes(4, "little") + bytes(owner.pubkey()) + bytes(withdrawer) + bytes(48)
        start = Instruction(
            Pubkey.from_string(STAKE), data, [meta(made.pubkey()), meta(RENT, writes=False)]
        )
        self.send(owner, [create_account(params), start], made)
        return made.pubkey()

    def unstake(self, owner: Keypair, account: Pubkey, lamports: int) -> str:
        data = (4).to_bytes(4, "little") + lamports.to_bytes(8, "little")
        accounts = [
            meta(account),
            meta(owner.pubkey()),
            meta(CLOCK, writes=False),
            meta(HISTORY, writes=False),
            meta(owner.pubkey(), signs=True),
        ]
        return self.send(owner, [Instruction(Pubkey.from_string(STAKE), data, accounts)])

    def _balances(self, keys: Sequence[Pubkey]) -> tuple[list[int], list[dict[str, Any]]]:
        lamports, tokens = [], []
        for index, one in enumerate(keys):
            account = self.svm.get_account(one)
            lamports.append(0 if account is None else account.lamports)
            if account is None or str(account.owner) not in {TOKEN, TOKEN_2022}:
                continue
            if len(account.data) == 165 or (len(account.data) > 165 and account.data[165] == 2):
                mint = Pubkey.from_bytes(account.data[:32])
                found = self.svm.get_account(mint)
                raw = int.from_bytes(account.data[64:72], "little")
                decimals = 9 if found is None else found.data[44]
                tokens.append(
                    {
                        "accountIndex": index,
                        "mint": str(mint),
                        "owner": str(Pubkey.from_bytes(account.data[32:64])),
                        "uiTokenAmount": {"amount": str(raw), "decimals": decimals},
                    }
                )
        return lamports, tokens

    # What a node answers.

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        asked = json.loads(body)
        answer = {"jsonrpc": "2.0", "id": asked["id"], **self._answer(asked)}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        method, params = asked["method"], asked["params"]
        self.asked.append((method, params))
        if self.before is not None:
            self.before(method)
        if method in self.refusals:
            return {"error": {"code": self.refusals[method], "message": "refused by the test"}}
        if method in self.answers:
            return {"result": self.answers[method]}
        options = params[-1] if params and isinstance(params[-1], dict) else {}
        if options.get("minContextSlot", 0) > self.slot:
            return {"error": {"code": -32016, "message": "Minimum context slot not reached"}}
        result = getattr(self, f"_{method}")(*params)
        if method == "getTransaction" and result is not None:
            version = 0 if result["version"] == "legacy" else result["version"]
            if version > options["maxSupportedTransactionVersion"]:
                return {"error": {"code": -32015, "message": "the version is not supported"}}
        return {"result": result}

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.asked)

    def _getGenesisHash(self) -> str:  # noqa: N802  # named as the method that is asked
        return self.genesis

    def _getFirstAvailableBlock(self) -> int:  # noqa: N802
        return self.first

    def _getBlockTime(self, slot: int) -> int:  # noqa: N802
        if slot == 0:
            return 1_584_368_940
        return self.now - (self.slot - slot) // 5

    def _getAccountInfo(self, address: str, options: dict[str, Any]) -> object:  # noqa: N802
        return self._with_context(self._told(Pubkey.from_string(address)))

    def _getMultipleAccounts(self, addresses: list[str], options: Any) -> object:  # noqa: N802
        return self._with_context([self._told(Pubkey.from_string(one)) for one in addresses])

    def _getTokenAccountsByOwner(self, owner: str, of: Any, options: Any) -> object:  # noqa: N802
        found = self.svm.get_program_accounts(Pubkey.from_string(of["programId"]))
        whose = bytes(Pubkey.from_string(owner))
        return self._keyed(
            [
                one
                for one, account in found
                if len(account.data) >= 165 and account.data[32:64] == whose
            ]
        )

    def _getProgramAccounts(self, program: str, options: dict[str, Any]) -> object:  # noqa: N802
        (filtered,) = options["filters"]
        at, wanted = filtered["memcmp"]["offset"], Pubkey.from_string(filtered["memcmp"]["bytes"])
        found = self.svm.get_program_accounts(Pubkey.from_string(program))
        return self._keyed(
            [one for one, account in found if account.data[at : at + 32] == bytes(wanted)]
        )

    def _getSignaturesForAddress(self, address: str, options: dict[str, Any]) -> object:  # noqa: N802
        kept = [one for one in reversed(self.recorded) if one.slot >= self.first]
        rows = [one for one in kept if address in one.keys]
        if "before" in options:
            names = [one.signature for one in rows]
            rows = rows[names.index(options["before"]) + 1 :] if options["before"] in names else []
        return [
            {"signature": one.signature, "slot": one.slot, "blockTime": one.time, "err": None}
            for one in rows[: options["limit"]]
        ]

    def _getTransaction(self, signature: str, options: dict[str, Any]) -> object:  # noqa: N802
        return next((one.told for one in self.recorded if one.signature == signature), None)

    def _keyed(self, addresses: Sequence[Pubkey]) -> object:
        return self._with_context(
            [{"pubkey": str(one), "account": self._told(one)} for one in addresses]
        )

    def _told(self, address: Pubkey) -> object:
        account = self.svm.get_account(address)
        if account is None or not account.lamports:
            return None
        data = [base64.b64encode(account.data).decode(), "base64"]
        return {"lamports": account.lamports, "owner": str(account.owner), "data": data}

    def _with_context(self, value: object) -> object:
        return {"context": {"slot": self.slot, "apiVersion": "2.0.0"}, "value": value}
