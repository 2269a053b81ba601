# pragma version 0.4.3
# A registry of names that is its own resolver.

addresses: HashMap[bytes32, address]


@external
def setup(node: bytes32, owner: address):
    self.addresses[node] = owner


@external
@view
def resolver(node: bytes32) -> address:
    if self.addresses[node] == empty(address):
        return empty(address)
    return self


@external
@view
def addr(node: bytes32) -> address:
    return self.addresses[node]
