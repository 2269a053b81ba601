from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from coffers.pricing.consensus import Verdict, Voice, median, verdict_of


def voice(venue: str, price: str, depth: int = 1) -> Voice:
    return Voice(venue, Decimal(price), Decimal(depth))


def agreeing(verdict: Verdict) -> list[str]:
    return [each.venue for each in verdict.agreeing]


def test_a_lone_venue_is_believed() -> None:
    verdict = verdict_of([voice("kraken", "5")])

    assert verdict.price == Decimal(5)
    assert agreeing(verdict) == ["kraken"]


def test_two_venues_close_together_meet_halfway() -> None:
    verdict = verdict_of([voice("kraken", "100"), voice("binance", "101", depth=9)])

    assert verdict.price == Decimal("100.5")
    assert [each.venue for each in verdict.spoken] == ["binance", "kraken"]
    assert agreeing(verdict) == ["binance", "kraken"]


def test_of_two_venues_that_contradict_each_other_the_deeper_one_holds_alone() -> None:
    verdict = verdict_of([voice("kraken", "100", depth=5), voice("tiny", "150", depth=1)])

    assert verdict.price == Decimal(100)
    assert agreeing(verdict) == ["kraken"]


def test_a_tenth_apart_is_still_agreement() -> None:
    assert agreeing(verdict_of([voice("a", "100"), voice("b", "110")])) == ["a", "b"]
    assert agreeing(verdict_of([voice("a", "100"), voice("b", "110.01")])) == ["a"]


def test_of_three_venues_an_outlier_changes_nothing_and_is_no_source() -> None:
    verdict = verdict_of([voice("a", "100"), voice("b", "101"), voice("c", "9000", depth=99)])

    assert verdict.price == Decimal(101)
    assert agreeing(verdict) == ["a", "b"]


def test_of_two_camps_the_deeper_middle_one_holds() -> None:
    verdict = verdict_of([voice("a", "1"), voice("b", "1"), voice("c", "2", 7), voice("d", "2", 7)])

    assert verdict.price == Decimal(2)
    assert agreeing(verdict) == ["c", "d"]


@given(st.lists(st.decimals(min_value=1, max_value=1000, places=3), min_size=1, max_size=9))
def test_the_median_has_as_many_numbers_above_as_below(numbers: list[Decimal]) -> None:
    middle = median(numbers)

    assert sum(number < middle for number in numbers) <= len(numbers) / 2
    assert sum(number > middle for number in numbers) <= len(numbers) / 2


@given(
    st.lists(st.decimals(min_value=1, max_value=9, places=2), min_size=1, max_size=7),
    st.randoms(use_true_random=False),
)
def test_who_speaks_first_does_not_matter(prices: list[Decimal], random: Random) -> None:
    voices = [Voice(f"venue{n}", price, Decimal(n % 3)) for n, price in enumerate(prices)]
    shuffled = random.sample(voices, len(voices))

    assert verdict_of(shuffled) == verdict_of(voices)
    assert verdict_of(voices).agreeing
