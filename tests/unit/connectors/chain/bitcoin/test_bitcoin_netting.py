"""What unconfirmed and confirmed transactions mean for a wallet as a whole."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from coffers.clock import Millis
from coffers.connectors.chain.bitcoin.backend import Paid, Spent, Transaction
from coffers.connectors.chain.bitcoin.netting import Coin, flow_of, settled_amounts
from factories import NOW

OWN, OTHER = b"own", b"other"
COIN = Coin("BTC", 8, 21_000_000 * 10**8)
Outputs = dict[tuple[str, int], tuple[bytes, int]]


def is_own(script: bytes) -> bool:
    return script == OWN


def transaction(
    txid: str, spent: list[Spent], paid: list[tuple[bytes, int]], at: int | None = None
) -> Transaction:
    outputs = tuple(Paid(*one) for one in paid)
    return Transaction(txid, tuple(spent), outputs, None, None if at is None else Millis(at))


def amounts(confirmed: int, *unconfirmed: Transaction) -> tuple[int, int]:
    found = settled_amounts(confirmed, {one.txid: one for one in unconfirmed}, is_own)
    return found.owned, found.pending


def test_the_change_of_pending_money_is_pending() -> None:
    received = transaction("a", [Spent("x", 0, OTHER, 110)], [(OWN, 100)])
    sent = transaction("b", [Spent("a", 0, OWN, 100)], [(OTHER, 60), (OWN, 30)])

    assert amounts(1_000, received) == (1_000, 100)
    assert amounts(1_000, received, sent) == (1_000, 30)
    assert amounts(1_000, sent, received) == (1_000, 30)


def test_the_change_of_change_is_owned() -> None:
    first = transaction("a", [Spent("x", 0, OWN, 100)], [(OTHER, 10), (OWN, 80)])
    second = transaction("b", [Spent("a", 1, OWN, 80)], [(OTHER, 5), (OWN, 70)])

    assert amounts(100, second, first) == (70, 0)


def test_of_trusted_and_pending_money_taken_together_the_trusted_part_counts() -> None:
    change = transaction("a", [Spent("x", 0, OWN, 100)], [(OTHER, 10), (OWN, 80)])
    received = transaction("b", [Spent("y", 0, OTHER, 110)], [(OWN, 50)])
    both = [Spent("a", 1, OWN, 80), Spent("b", 0, OWN, 50)]
    together = transaction("c", both, [(OWN, 125)])

    assert amounts(100, change, received, together) == (80, 45)


def test_a_flow_out_tells_the_fee_apart() -> None:
    sent = transaction("a", [Spent("x", 0, OWN, 100)], [(OTHER, 60), (OWN, 30)], at=NOW - 5)
    flow = flow_of(sent, is_own, COIN, NOW)

    assert flow is not None
    assert (flow.direction, flow.amount, flow.fee) == ("out", Decimal("6E-7"), Decimal("1E-7"))
    assert (flow.external_id, flow.txid, flow.at, flow.fee_asset) == ("a", "a", NOW - 5, "BTC")


def test_with_inputs_of_others_nobody_can_tell_whose_fee_it_was() -> None:
    spent = [Spent("x", 0, OWN, 100), Spent("y", 0, OTHER, 100)]
    flow = flow_of(transaction("a", spent, [(OTHER, 150), (OWN, 40)], at=NOW), is_own, COIN, NOW)

    assert flow is not None
    assert (flow.direction, flow.amount, flow.fee) == ("out", Decimal("6E-7"), 0)


def test_an_even_exchange_is_no_flow() -> None:
    spent = [Spent("x", 0, OWN, 100), Spent("y", 0, OTHER, 110)]
    swapped = transaction("a", spent, [(OTHER, 105), (OWN, 100)], at=NOW)

    assert flow_of(swapped, is_own, COIN, NOW) is None


@st.composite
def histories(draw: st.DrawFn) -> tuple[Outputs, list[Transaction]]:
    """Draw confirmed outputs, and transactions that spend them and one another's."""
    unspent: Outputs = {
        (f"c{number}", 0): (draw(st.sampled_from([OWN, OTHER])), draw(st.integers(1, 50)))
        for number in range(6)
    }
    confirmed, made = dict(unspent), []
    for number in range(draw(st.integers(0, 6))):
        if not unspent:
            break
        chosen = draw(st.lists(st.sampled_from(sorted(unspent)), min_size=1, unique=True))
        spent = [Spent(*key, *unspent.pop(key)) for key in chosen]
        left, paid = sum(one.amount for one in spent), []
        for _ in range(draw(st.integers(1, 3))):
            amount = draw(st.integers(0, left))
            paid.append((draw(st.sampled_from([OWN, OTHER])), amount))
            left -= amount
        made.append(transaction(f"u{number}", spent, paid))
        unspent |= {(f"u{number}", place): output for place, output in enumerate(paid)}
    return confirmed, made


def own_sum(outputs: Outputs) -> int:
    return sum(amount for script, amount in outputs.values() if script == OWN)


def unspent_after(confirmed: Outputs, made: list[Transaction]) -> Outputs:
    left = dict(confirmed)
    for one in made:
        for spent in one.inputs:
            del left[spent.txid, spent.place]
        left |= {(one.txid, n): (paid.script, paid.amount) for n, paid in enumerate(one.outputs)}
    return left


def trusted(made: list[Transaction]) -> dict[str, bool]:
    """Return which transactions a node trusts: no input of others, all the way back."""
    found: dict[str, bool] = {}
    for one in made:
        found[one.txid] = all(
            spent.script == OWN and found.get(spent.txid, True) for spent in one.inputs
        )
    return found


def trusted_sum(confirmed: Outputs, made: list[Transaction]) -> int:
    """Return what a node's own wallet calls trusted."""
    are_trusted, left = trusted(made), unspent_after(confirmed, made)
    return own_sum({key: output for key, output in left.items() if are_trusted.get(key[0], True)})


@given(histories(), st.randoms())
def test_what_counts_and_what_is_pending_are_all_that_is_unspent(
    history: tuple[Outputs, list[Transaction]], random: object
) -> None:
    confirmed, made = history
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    owned, pending = amounts(own_sum(confirmed), *shuffled)

    assert owned + pending == own_sum(unspent_after(confirmed, made))
    assert owned >= trusted_sum(confirmed, made)
    assert pending >= 0
    assert owned <= own_sum(confirmed)


@given(histories())
def test_where_nothing_is_mixed_what_counts_is_what_nodes_trust(
    history: tuple[Outputs, list[Transaction]],
) -> None:
    confirmed, made = history
    are_trusted = trusted(made)
    kinds = [{(spent.script, are_trusted.get(spent.txid)) for spent in one.inputs} for one in made]
    if all(len(kind) == 1 for kind in kinds):
        owned, _ = amounts(own_sum(confirmed), *made)
        assert owned == trusted_sum(confirmed, made)


@given(histories())
def test_flows_and_fees_explain_every_balance(
    history: tuple[Outputs, list[Transaction]],
) -> None:
    confirmed, made = history
    balance = own_sum(confirmed) * Decimal("1E-8")
    for one in made:
        flow = flow_of(one, is_own, COIN, NOW)
        if flow is not None:
            sign = 1 if flow.direction == "in" else -1
            balance += sign * flow.amount - flow.fee
        elif all(spent.script == OWN for spent in one.inputs):
            ins = sum(spent.amount for spent in one.inputs)
            balance -= COIN.amount(ins - sum(paid.amount for paid in one.outputs))
    assert balance == own_sum(unspent_after(confirmed, made)) * Decimal("1E-8")


@given(histories())
def test_what_is_told_as_left_is_what_the_balance_lost(
    history: tuple[Outputs, list[Transaction]],
) -> None:
    confirmed, made = history
    found = settled_amounts(own_sum(confirmed), {one.txid: one for one in made}, is_own)
    spending = {one.txid for one in made if any(is_own(spent.script) for spent in one.inputs)}
    assert found.left <= spending
    if spending <= found.left:
        net = 0
        for one in (one for one in made if one.txid in spending):
            net += sum(paid.amount for paid in one.outputs if is_own(paid.script))
            net -= sum(spent.amount for spent in one.inputs if is_own(spent.script))
        assert found.owned == own_sum(confirmed) + net
