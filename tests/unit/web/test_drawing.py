"""Charts: what is known is drawn, what is unknown leaves a hole, what is old looks old."""

from decimal import Decimal

from coffers.clock import HOUR, Millis
from coffers.web.drawing import HEIGHT, WIDTH, Chart, Mark, chart, spark


def _marks(*values: str | None, carried: tuple[int, ...] = ()) -> list[Mark]:
    return [
        Mark(Millis(place * HOUR), None if value is None else Decimal(value), place in carried)
        for place, value in enumerate(values)
    ]


def _drawn(value: list[Mark], put_in: list[Mark] | None = None) -> Chart:
    found = chart(value, put_in or [], str, str)
    assert found is not None
    return found


def test_a_line_goes_through_all_that_is_known() -> None:
    drawn = _drawn(_marks("10", "30", "20"))
    (stroke,) = drawn.value
    assert stroke.path.count("L") == 2
    assert not stroke.is_gap
    assert drawn.area.endswith("Z")


def test_the_unknown_leaves_a_hole() -> None:
    drawn = _drawn(_marks("10", "30", None, "20", "25"))
    (stroke,) = drawn.value
    assert stroke.path.count("M") == 2


def test_what_is_carried_over_a_gap_is_a_line_of_its_own() -> None:
    drawn = _drawn(_marks("10", "20", "20", "30", carried=(2,)))
    assert [stroke.is_gap for stroke in drawn.value] == [False, True, False]


def test_a_deposit_goes_up_with_the_value_and_is_no_gain_between_two_points() -> None:
    drawn = _drawn(_marks("10", "20"), _marks("10", "20"))
    assert drawn.put_in[0].path == drawn.value[0].path


def test_heights_are_round_and_hold_all_values() -> None:
    drawn = _drawn(_marks("1012", "1987"))
    labels = [Decimal(tick.label) for tick in drawn.heights]
    assert labels[0] <= 1012
    assert labels[-1] >= 1987
    assert all(label % 50 == 0 for label in labels)


def test_everything_lies_within_the_drawing() -> None:
    drawn = _drawn(_marks("-5", "0", "0", "7.5"))
    places = [tick.place for tick in drawn.heights]
    assert all(0 <= place <= HEIGHT for place in places)
    assert all(0 <= tick.place <= WIDTH for tick in drawn.moments)


def test_a_value_that_never_moved_is_a_level_line() -> None:
    assert _drawn(_marks("0", "0")).value
    assert _drawn(_marks("5", "5")).value


def test_one_moment_is_no_chart() -> None:
    assert chart(_marks("10"), [], str, str) is None
    assert chart(_marks("10", None), [], str, str) is None
    assert chart([], [], str, str) is None


def test_every_moment_that_is_known_has_its_spot() -> None:
    drawn = _drawn(_marks("10", None, "20"), _marks("10", "10", None))
    assert [spot.number for spot in drawn.spots] == [0, 2]
    assert drawn.spots[0].put_in == drawn.spots[0].y
    assert drawn.spots[1].put_in is None
    assert drawn.spots[0].x < drawn.spots[1].x
    assert drawn.spots[0].y > drawn.spots[1].y


def test_a_small_line_fills_its_room_and_needs_two_ends() -> None:
    assert spark(_marks("1", "3", None, "2")) == "M4,52L65,4L188,28"
    assert spark(_marks("5", "5")) == "M4,28L188,28"
    assert spark(_marks("5", None)) is None


def test_a_moment_that_reads_as_the_one_before_is_not_written_again() -> None:
    drawn = chart(_marks("10", "20"), [], str, lambda at: str(at // (HOUR // 2)))
    assert drawn is not None
    assert [tick.label for tick in drawn.moments] == ["0", "1", "2"]
