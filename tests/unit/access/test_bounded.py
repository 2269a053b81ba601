"""A bounded mapping forgets what was used longest ago, and nothing else."""

from coffers.access.bounded import Bounded


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    table: Bounded[str, int] = Bounded(2)
    table.put("a", 1)
    table.put("b", 2)
    assert table.get("a") == 1
    table.put("c", 3)
    assert (table.get("a"), table.get("b"), table.get("c")) == (1, None, 3)


def test_setting_an_entry_again_takes_no_more_room() -> None:
    table: Bounded[str, int] = Bounded(2)
    for value in range(5):
        table.put("a", value)
    table.put("b", 1)
    assert (len(table), table.get("a")) == (2, 4)


def test_a_dropped_entry_is_gone_and_may_be_dropped_again() -> None:
    table: Bounded[str, int] = Bounded(2)
    table.put("a", 1)
    table.drop("a")
    table.drop("a")
    assert table.get("a") is None
