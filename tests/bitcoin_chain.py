"""A made-up chain of Bitcoin's kind: real transactions in blocks whose hashes follow one another.

It keeps no rules but those that balances depend on: an output is spent once, blocks name the one
before. It can lose its last blocks to others.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from embit.script import Script
from embit.transaction import Transaction, TransactionInput, TransactionOutput

BASE = 800_000
FOREIGN = bytes.fromhex("0014") + bytes(20)
BLOCK_TIME = 600


@dataclass(frozen=True)
class Made:
    """A transaction, with the outputs that it spends."""

    txid: str
    raw: bytes
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[bytes, int], ...]


@dataclass(frozen=True)
class Block:
    """A block; its hash is that of its header."""

    height: int
    header: bytes
    time: int
    transactions: tuple[Made, ...]

    @property
    def hash(self) -> str:
        return hashlib.sha256(hashlib.sha256(self.header).digest()).digest()[::-1].hex()


@dataclass
class MadeUpChain:
    """Blocks from `BASE` on, and what waits for the next one."""

    now: int
    blocks: list[Block] = field(default_factory=list)
    waiting: list[Made] = field(default_factory=list)
    known: dict[str, Made] = field(default_factory=dict)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.mine()

    @property
    def tip(self) -> Block:
        return self.blocks[-1]

    def send(self, inputs: Sequence[tuple[str, int]], outputs: Sequence[tuple[bytes, int]]) -> Made:
        """Put a transaction where the next block takes it from."""
        made = self._made(inputs, outputs)
        self.waiting.append(made)
        return made

    def receive(self, script: bytes, amount: int, fee: int = 500) -> Made:
        """Let somebody pay an amount to a script."""
        return self.send([self.foreign_coin(amount + fee)], [(script, amount)])

    def foreign_coin(self, amount: int) -> tuple[str, int]:
        """Return an output of somebody's, which has always been there."""
        made = self._made([("0" * 64, 0xFFFFFFFF)], [(FOREIGN, amount)])
        return made.txid, 0

    def mine(self, *transactions: Made, after: int = BLOCK_TIME, only: bool = False) -> Block:
        """Add a block with what waits (or only what is given), `after` seconds after the last."""
        taken = transactions if only else (*transactions, *self.waiting)
        self.waiting = [made for made in self.waiting if made not in taken]
        time = self.blocks[-1].time + after if self.blocks else self.now
        self._serial += 1
        before = bytes.fromhex(self.tip.hash)[::-1] if self.blocks else bytes(32)
        header = (
            (4).to_bytes(4, "little")
            + before
            + bytes(32)
            + time.to_bytes(4, "little")
            + bytes(4)
            + self._serial.to_bytes(4, "little")
        )
        block = Block(BASE + len(self.blocks), header, time, tuple(taken))
        self.blocks.append(block)
        return block

    def reorganise(self, depth: int, *, forget: Sequence[Made] = ()) -> None:
        """Replace the last blocks by one more empty ones; what was in them waits again."""
        lost = [made for block in self.blocks[-depth:] for made in block.transactions]
        del self.blocks[-depth:]
        self.waiting = [made for made in [*lost, *self.waiting] if made not in forget]
        for _ in range(depth + 1):
            self.mine(only=True)

    def output(self, txid: str, place: int) -> tuple[bytes, int]:
        if txid == "0" * 64:
            return b"", 0
        return self.known[txid].outputs[place]

    def placed(self) -> Iterator[tuple[Made, Block | None]]:
        """Yield every transaction, the newest first: those that wait, then the blocks'."""
        for made in reversed(self.waiting):
            yield made, None
        for block in reversed(self.blocks):
            for made in reversed(block.transactions):
                yield made, block

    def history(self, script: bytes) -> list[tuple[Made, Block | None]]:
        return [(made, block) for made, block in self.placed() if script in self.scripts(made)]

    def scripts(self, made: Made) -> set[bytes]:
        spent = {self.output(*source)[0] for source in made.inputs}
        return spent | {script for script, _ in made.outputs}

    def balance(self, script: bytes, *, confirmed: bool) -> tuple[int, int, int]:
        """Return received, spent and the count of transactions of a script."""
        received = spent = count = 0
        for made, block in self.history(script):
            if (block is not None) == confirmed:
                received += sum(amount for paid, amount in made.outputs if paid == script)
                outputs = [self.output(*source) for source in made.inputs]
                spent += sum(amount for paid, amount in outputs if paid == script)
                count += 1
        return received, spent, count

    def _made(
        self, inputs: Sequence[tuple[str, int]], outputs: Sequence[tuple[bytes, int]]
    ) -> Made:
        self._serial += 1
        transaction = Transaction(
            version=2,
            vin=[TransactionInput(bytes.fromhex(txid), place) for txid, place in inputs],
            vout=[TransactionOutput(amount, Script(script)) for script, amount in outputs],
            locktime=self._serial,
        )
        txid = transaction.txid().hex()
        made = Made(txid, transaction.serialize(), tuple(inputs), tuple(outputs))
        self.known[txid] = made
        return made
