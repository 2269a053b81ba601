from typing import Any

import pytest

from coffers.clock import from_iso
from coffers.connectors.exchange.rights_told import (
    flag,
    instant,
    listed,
    millis,
    only,
    part,
    parted,
    restricted,
    rows,
    seconds,
)
from coffers.connectors.reading import ConnectorFailure
from unit.connectors.exchange.fakes import FakeExchange, session

MAY = "2026-05-01T00:00:00Z"


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), ("true", None), (1, None), (None, None)]
)
def test_only_true_and_false_are_flags(value: Any, expected: bool | None) -> None:
    assert flag({"x": value}, "x") is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["a", "b"], ["a", "b"]), ([], []), (["a", 1], None), ("a", None), (None, None)],
)
def test_a_list_of_texts_is_read_whole_or_not_at_all(value: Any, expected: Any) -> None:
    assert listed(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a, b,c", ["a", "b", "c"]), ("a", ["a"]), ("", None), (" , ", None), (["a"], None)],
)
def test_the_words_of_a_text(value: Any, expected: Any) -> None:
    assert parted(value) == expected


def test_words_between_spaces() -> None:
    assert parted("account:read  wallet:none", None) == ["account:read", "wallet:none"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["192.0.2.7"], True),
        ("192.0.2.7,192.0.2.8", True),
        (["*"], False),
        ([], False),
        ("", False),
        (None, None),
        ([7], None),
        ({}, None),
    ],
)
def test_addresses_that_are_listed_restrict(value: Any, expected: bool | None) -> None:
    assert restricted(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_777_593_600_000, from_iso(MAY)),
        ("1777593600000", from_iso(MAY)),
        (0, None),
        ("0", None),
        (-1, None),
        ("-1", None),
        (True, None),
        ("soon", None),
        ("1777593600000.5", None),
        ("²", None),
        (10**18, None),
        (None, None),
    ],
)
def test_a_moment_is_a_whole_number_within_the_calendar(value: Any, expected: Any) -> None:
    assert millis(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1777593600", from_iso(MAY)), (1_777_593_600, from_iso(MAY)), ("0", None), (10**13, None)],
)
def test_a_moment_in_seconds(value: Any, expected: Any) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (MAY, from_iso(MAY)),
        ("1970-01-01T00:00:00Z", None),
        ("2026-05-01", None),
        ("never", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_an_instant_names_its_offset_and_is_not_the_first_of_all(value: Any, expected: Any) -> None:
    assert instant(value) == expected


def test_a_part_is_found_at_its_path() -> None:
    answer = {"data": [{"perm": "trade"}]}
    assert part(session(FakeExchange()), answer, "data", "0") == {"perm": "trade"}


@pytest.mark.parametrize(
    "answer", [{}, [], None, "down", {"data": []}, {"data": [{}]}, {"data": 7}]
)
def test_a_part_that_is_not_there_is_a_failure(answer: Any) -> None:
    with pytest.raises(ConnectorFailure, match="does not tell"):
        part(session(FakeExchange()), answer, "data", "0")


def test_rows_may_be_none_but_must_be_there() -> None:
    assert rows(session(FakeExchange()), {"data": []}, "data") == []
    with pytest.raises(ConnectorFailure, match="does not tell"):
        rows(session(FakeExchange()), {"data": None}, "data")


def test_the_one_entry_that_fits_is_the_own_one() -> None:
    entries = [{"key": "a"}, {"key": "b", "x": 1}, 7]
    assert only(entries, lambda each: each.get("key") == "b") == {"key": "b", "x": 1}
    assert only(entries, lambda each: each.get("key") == "c") == {}
    assert only(entries, lambda each: "key" in each) == {}
