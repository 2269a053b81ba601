# pragma version 0.4.3
# A token that refuses to tell a balance.


@external
@view
def balanceOf(owner: address) -> uint256:
    raise "no"
