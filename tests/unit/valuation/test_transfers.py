"""Own transfers are found whatever the order, and cancel to the last digit in the summary."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers import money
from coffers.clock import DAY, HOUR, MINUTE, SECOND, Millis
from coffers.valuation import transfers
from coffers.valuation.amounts import in_usd
from coffers.valuation.figures import DisplayCurrency, Figures, summary_of
from coffers.valuation.history import MONTH, History
from coffers.valuation.model import NOTHING, Flow, Snapshot, Value
from coffers.valuation.transfers import Leg, Together, Transfer, may_be_halves, own_transfers
from factories import NOW, figures_of

TXID = "0x" + "ab" * 32


def leg(account_id: int, direction: Any, name: str, **changes: Any) -> Leg:
    mode = changes.pop("mode", "real")
    made = Flow(name, direction, "BTC", "BTC", Decimal(1), Decimal(0), "BTC", NOW)
    return Leg(account_id, mode, replace(made, **changes))


def out(account_id: int = 1, name: str = "w", **changes: Any) -> Leg:
    return leg(account_id, "out", name, **changes)


def into(account_id: int = 2, name: str = "d", **changes: Any) -> Leg:
    return leg(account_id, "in", name, **changes)


PAIRED = frozenset({Transfer(1, "w", 2, "d")})


def after(span: int) -> Millis:
    return Millis(NOW + span)


@pytest.mark.parametrize(
    "legs",
    [
        (out(), into(at=after(HOUR))),
        (out(), into(at=after(2 * DAY))),
        (out(), into(at=after(-HOUR))),
        # Less by no more than the fee, where the venue takes it out of the amount.
        (out(fee=Decimal("0.01")), into(amount=Decimal("0.99"))),
        (out(txid=TXID), into(at=after(HOUR))),
        # With the same transaction no time and no amount is odd.
        (out(txid=TXID), into(txid=TXID, at=after(9 * DAY))),
        (out(txid=TXID), into(txid=TXID, amount=Decimal("0.9"))),
        (out(txid=TXID.upper().replace("0X", "0x")), into(txid=TXID.removeprefix("0x"))),
        (out(txid=TXID), into(txid=f"{TXID}:1")),
        (out(txid="5Kt" * 20), into(txid="5Kt" * 20)),
    ],
)
def test_a_withdrawal_and_a_deposit_are_one_transfer(legs: Sequence[Leg]) -> None:
    assert own_transfers(legs) == PAIRED


@pytest.mark.parametrize(
    "legs",
    [
        (out(), into(asset="ETH")),
        (out(), into(account_id=1)),
        (out(), into(mode="paper")),
        (out(), into(at=after(2 * DAY + 1))),
        (out(), into(at=after(-HOUR - 1))),
        (out(), into(amount=Decimal("0.99"))),
        (out(), into(amount=Decimal("1.01"))),
        (out(fee=Decimal("0.01")), into(amount=Decimal("0.98"))),
        (out(fee=Decimal("0.01"), fee_asset="BNB"), into(amount=Decimal("0.99"))),
        (out(txid=TXID), into(txid="0x" + "cd" * 32)),
        (out(txid="5Kt" * 20), into(txid="5kt" * 20)),
        (out(txid=TXID), into(txid=TXID, amount=Decimal(2))),
        # Which of the two it is nobody can tell.
        (out(), into(), into(3, "e")),
        (out(), out(3, "v"), into()),
        (out(),),
        (into(),),
        (),
    ],
)
def test_what_may_be_something_else_is_no_own_transfer(legs: Sequence[Leg]) -> None:
    assert own_transfers(legs) == frozenset()


def test_what_a_transaction_ties_leaves_the_rest_without_a_doubt() -> None:
    legs = [out(txid=TXID), into(txid=TXID), out(1, "v"), into(3, "e")]
    assert own_transfers(legs) == PAIRED | {Transfer(1, "v", 3, "e")}


def test_two_payments_of_one_transaction_are_told_apart_by_account_alone() -> None:
    legs = [out(txid=TXID), into(txid=TXID), into(3, "e", txid=TXID)]
    assert own_transfers(legs) == frozenset()


@st.composite
def many_legs(draw: st.DrawFn) -> list[Leg]:
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(1, 3),
                st.sampled_from(["in", "out"]),
                st.integers(1, 3),
                st.integers(0, 96),
                st.sampled_from([None, TXID, "0x" + "cd" * 32]),
            ),
            max_size=12,
        )
    )
    return [
        leg(account, way, str(n), amount=Decimal(units), at=after(hours * HOUR), txid=txid)
        for n, (account, way, units, hours, txid) in enumerate(drawn)
    ]


@given(legs=many_legs(), data=st.data())
def test_the_order_does_not_matter_and_nothing_is_in_two_transfers(
    legs: list[Leg], data: st.DataObject
) -> None:
    found = own_transfers(legs)
    assert own_transfers(data.draw(st.permutations(legs))) == found
    assert len({(one.out_account_id, one.out_external_id) for one in found}) == len(found)
    assert len({(one.in_account_id, one.in_external_id) for one in found}) == len(found)


@pytest.mark.parametrize("is_same_amount", [True, False])
def test_thousands_of_flows_are_paired_without_comparing_each_with_each(
    is_same_amount: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = 0
    may_be_one = transfers._may_be_one

    def counted(gone: Leg, came: Leg) -> bool:
        nonlocal compared
        compared += 1
        return may_be_one(gone, came)

    monkeypatch.setattr(transfers, "_may_be_one", counted)
    several, step = 1_000, 3 * DAY if is_same_amount else SECOND
    legs = [
        leg
        for number in range(several)
        for amount in (Decimal(1 if is_same_amount else number + 1),)
        for leg in (
            out(1, f"{number}", amount=amount, at=after(number * step)),
            into(2, f"{number}", amount=amount, at=after(number * step + HOUR)),
        )
    ]
    assert len(own_transfers(legs)) == several
    assert compared == several


@given(legs=many_legs(), others=many_legs())
def test_only_what_may_be_a_half_by_amount_and_time_is_told(
    legs: list[Leg], others: list[Leg]
) -> None:
    found = may_be_halves(legs, others)
    pairs = [[own_transfers([one, other]) for one in legs] for other in others]
    untied = [replace(other, flow=replace(other.flow, txid=None)) for other in others]
    alone = [[own_transfers([one, other]) for one in legs] for other in untied]
    for other, as_told, by_amount in zip(others, pairs, alone, strict=True):
        assert (other in found) <= any(by_amount)
        if other.flow.txid is None:
            assert (other in found) == any(as_told)


@dataclass
class Moved:
    """A transfer of the simulated world, or money from outside (`source` or `target` 0)."""

    source: int
    target: int
    sent: Decimal
    arrived: Decimal
    left_at: Millis
    landed_at: Millis


HOURS = 24 * 35
"""How long the simulated accounts are: longer than the longest window."""


def price_at(steps: Sequence[int], at: int) -> Decimal:
    return Decimal(steps[(at - NOW) // HOUR % len(steps)])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[int], list[Moved]]:
    prices = draw(st.lists(st.integers(1, 9), min_size=1, max_size=7))
    moves = []
    for _ in range(draw(st.integers(0, 6))):
        source, target = draw(st.sampled_from([(1, 2), (2, 1), (1, 3), (0, 1), (2, 0)]))
        left = draw(st.integers(1, HOURS - 30)) * HOUR + 30 * MINUTE
        landed = left + draw(st.integers(0, 29)) * HOUR
        sent = Decimal(draw(st.integers(1, 50))) / 7
        fee = Decimal(draw(st.sampled_from(["0", "0.01"])))
        moves.append(
            Moved(source, target, sent, sent - fee, Millis(NOW + left), Millis(NOW + landed))
        )
    return prices, moves


def worth(amount: Decimal, usd: Decimal) -> Value:
    return Value(money.multiply(amount, Decimal("0.5")), money.multiply(amount, usd))


def held(account: int, moves: Sequence[Moved], at: int) -> Decimal:
    total = Decimal(1000)
    for move in moves:
        if move.source == account and move.left_at <= at:
            total -= move.sent
        if move.target == account and move.landed_at <= at:
            total += move.arrived
    return total


def past_of(account: int, moves: Sequence[Moved], prices: Sequence[int]) -> History:
    snapshots = tuple(
        Snapshot(Millis(at), worth(held(account, moves, at), price_at(prices, at)))
        for at in range(NOW, NOW + HOURS * HOUR, HOUR)
    )
    flows = []
    for n, move in enumerate(moves):
        for way, whose, amount, at in (
            ("out", move.source, move.sent, move.left_at),
            ("in", move.target, move.arrived, move.landed_at),
        ):
            if whose == account:
                value = worth(amount, price_at(prices, at))
                made = leg(account, way, str(n), amount=amount, at=at, value=value)
                flows.append(made.flow)
    return History(snapshots[0], snapshots, tuple(sorted(flows, key=lambda flow: flow.at)))


def wealth(moves: Sequence[Moved], prices: Sequence[int], at: int) -> Decimal:
    """USD of all accounts, with what is on its way at the worth with which it left."""
    total = sum((held(n, moves, at) for n in (1, 2, 3)), Decimal(0)) * price_at(prices, at)
    for move in moves:
        if move.source and move.target and move.left_at <= at < move.landed_at:
            total += move.sent * price_at(prices, move.left_at)
    return total


def from_outside(moves: Sequence[Moved], prices: Sequence[int], since: int, until: int) -> Decimal:
    total = Decimal(0)
    for move in moves:
        if not move.source and since < move.landed_at <= until:
            total += move.arrived * price_at(prices, move.landed_at)
        if not move.target and since < move.left_at <= until:
            total -= move.sent * price_at(prices, move.left_at)
    return total


def summary(pasts: dict[int, History], as_of: Millis, usd: Decimal, amounts: Any) -> Figures:
    display = DisplayCurrency("EUR", lambda at: Decimal(2 + at % 3))
    return summary_of(
        (figures_of(as_of, worth(amounts(n), usd), past, display) for n, past in pasts.items()),
        "EUR",
    )


def as_one(pasts: Mapping[int, History], transfers: Iterable[Transfer]) -> dict[int, History]:
    together = Together(pasts, in_usd, lambda _account_id, _flow: True)
    together.take_known(transfers)
    return together.pasts()


@given(world=worlds())
def test_the_summary_gains_what_is_gained_and_nothing_from_a_transfer(
    world: tuple[list[int], list[Moved]],
) -> None:
    prices, moves = world
    transfers = {
        Transfer(move.source, str(n), move.target, str(n))
        for n, move in enumerate(moves)
        if move.source and move.target
    }
    pasts = as_one({n: past_of(n, moves, prices) for n in (1, 2, 3)}, transfers)
    as_of = Millis(NOW + (HOURS - 1) * HOUR)
    shown = summary(pasts, as_of, price_at(prices, as_of), lambda n: held(n, moves, as_of))
    for span, gain in ((DAY, shown.usd.day), (MONTH, shown.usd.month)):
        before = as_of - span
        expected = wealth(moves, prices, as_of) - wealth(moves, prices, before)
        expected -= from_outside(moves, prices, before, as_of)
        assert gain is not None
        assert abs(gain.profit - expected) < Decimal("1e-15")
    expected = wealth(moves, prices, as_of) - wealth(moves, prices, NOW)
    assert shown.usd.total is not None
    assert abs(shown.usd.total - expected + from_outside(moves, prices, NOW, as_of)) < Decimal(
        "1e-15"
    )


def paired(out_value: Value | None, in_value: Value | None) -> dict[int, History]:
    opening = Snapshot(NOW, Value(Decimal(5), Decimal(500)))
    gone = out(at=after(HOUR), value=out_value).flow
    come = into(at=after(2 * HOUR), value=in_value).flow
    pasts = {1: History(opening, (opening,), (gone,)), 2: History(opening, (opening,), (come,))}
    return as_one(pasts, PAIRED)


THIRD = Value(Decimal(1) / Decimal(3), Decimal(100) / Decimal(7))


@pytest.mark.parametrize(
    ("out_value", "in_value"),
    [(THIRD, Value(Decimal(2), Decimal(1))), (THIRD, None), (None, THIRD), (None, None)],
)
def test_both_halves_cancel_in_every_currency_whatever_is_known_of_their_worth(
    out_value: Value | None, in_value: Value | None
) -> None:
    pasts = paired(out_value, in_value)
    shown = summary(pasts, after(DAY), Decimal(100), lambda _n: Decimal(5))
    # 2.5 BTC and 500 USD each, as at the openings but for the BTC.
    assert shown.usd.total == 0
    assert shown.btc.total == -5
    rate = {at: Decimal(2 + at % 3) for at in (NOW, after(DAY))}
    assert shown.display.total == 1000 * (rate[after(DAY)] - rate[NOW])


def test_a_half_whose_other_one_is_not_among_them_stays_a_flow() -> None:
    opening = Snapshot(NOW, NOTHING)
    alone = {1: History(opening, (opening,), (out(value=THIRD).flow,))}
    assert as_one(alone, PAIRED) == alone
    assert as_one({}, PAIRED) == {}
