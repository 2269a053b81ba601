"""A node of an EVM with a thousand tokens and a thousand owners: `python -m bench.chain_node PORT`.

The EVM is a real one (py-evm), and so are its contracts; both sides of the comparison wait for it.
"""

import sys

import uvicorn
from bench.processes import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from evm_chain import MULTICALL3, EvmChain, EvmNode  # found by the line above

COUNT = 1000
TOKENS = [f"0x{number:040x}" for number in range(0xA0000000, 0xA0000000 + COUNT)]
OWNERS = [f"0x{number:040x}" for number in range(0xB0000000, 0xB0000000 + COUNT)]
AMOUNT = 1_234_567
"""What each owner has of the first token, and the first owner of each token."""


def made() -> EvmNode:
    """Return the node."""
    held = {token: {OWNERS[0]: AMOUNT} for token in TOKENS}
    held[TOKENS[0]] = dict.fromkeys(OWNERS, AMOUNT)
    contracts = {MULTICALL3: "multicall", **dict.fromkeys(TOKENS, "token")}
    node = EvmNode(EvmChain(contracts, held))
    node.chain.settle()
    return node


if __name__ == "__main__":
    uvicorn.run(made(), port=int(sys.argv[1]), log_level="error", lifespan="off")
