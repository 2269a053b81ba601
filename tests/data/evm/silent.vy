# pragma version 0.4.3
# A token that tells no decimals, and its symbol as 32 bytes.

balanceOf: public(HashMap[address, uint256])
symbol: public(bytes32)


@external
def setup(symbol: bytes32):
    self.symbol = symbol


@external
def mint(receiver: address, amount: uint256):
    self.balanceOf[receiver] += amount
