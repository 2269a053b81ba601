# pragma version 0.4.3
# A token that answers a text where a balance is asked for.


@external
@view
def balanceOf(owner: address) -> String[64]:
    return "one million"
