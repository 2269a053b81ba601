from coffers.sandbox.clockwork import Clockwork


def test_a_clock_runs_with_the_one_below_unless_it_is_moved() -> None:
    below = [1_000]
    clock = Clockwork(lambda: below[0])
    assert clock.now() == 1_000
    clock.shift(-300)
    below[0] = 2_000
    assert clock.now() == 1_700
    clock.advance(50)
    assert clock.now() == 1_750


def test_a_frozen_clock_stands_until_it_is_advanced_or_shifted() -> None:
    below = [1_000]
    clock = Clockwork(lambda: below[0])
    clock.freeze(77)
    below[0] = 2_000
    assert clock.now() == 77
    clock.advance(3)
    assert clock.now() == 80
    clock.shift(0)
    assert clock.now() == 2_000
