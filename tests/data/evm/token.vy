# pragma version 0.4.3
# A token of ERC-20, set up after it was put in place.

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

balanceOf: public(HashMap[address, uint256])
symbol: public(String[64])
name: public(String[64])
decimals: public(uint8)


@external
def setup(symbol: String[64], name: String[64], decimals: uint8):
    self.symbol = symbol
    self.name = name
    self.decimals = decimals


@external
def mint(receiver: address, amount: uint256):
    self.balanceOf[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)


@external
def transfer(receiver: address, amount: uint256) -> bool:
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=msg.sender, receiver=receiver, amount=amount)
    return True
