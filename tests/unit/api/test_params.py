"""Parameters are read strictly, and faults are named field by field."""

import pytest

from coffers.api.params import PageWanted, check_body, page_wanted
from coffers.errors import InvalidRecord


def test_no_query_is_the_first_page() -> None:
    assert page_wanted(b"") == PageWanted(1, 100, None)


def test_the_last_of_a_repeated_parameter_counts_and_unknown_ones_do_not() -> None:
    assert page_wanted(b"page=1&page=3&per_page=5&foo=bar&foo[]=1") == PageWanted(3, 5, None)


def test_a_key_is_decoded() -> None:
    assert page_wanted(b"api_key=a+b%2Bc%2Fd%3A%C3%A9").api_key == "a b+c/d:é"


def test_an_empty_key_is_none() -> None:
    assert page_wanted(b"api_key=").api_key is None


@pytest.mark.parametrize("page", ["1", "0005", "1000000000", str(10**15)])
def test_a_page_may_be_far_past_the_end(page: str) -> None:
    assert page_wanted(f"page={page}".encode()).page == int(page)


@pytest.mark.parametrize(
    "text", ["-1", "1e9", "x", "", "1.0", "+1", "1_0", "%201", "%D9%A1", "9" * 17, "%00", "1%0A"]
)
def test_what_is_no_integer_is_invalid(text: str) -> None:
    for name in ("page", "per_page"):
        with pytest.raises(InvalidRecord) as refused:
            page_wanted(f"{name}={text}".encode())
        assert refused.value.attributes == {name: ["is invalid"]}


@pytest.mark.parametrize(
    ("name", "text"), [("page", "0"), ("page", "9" * 16), ("per_page", "0"), ("per_page", "101")]
)
def test_what_is_out_of_range_has_no_valid_value(name: str, text: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        page_wanted(f"{name}={text}".encode())
    assert refused.value.attributes == {name: ["does not have a valid value"]}


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InvalidRecord) as refused:
        page_wanted(b"page=x&per_page=0&api_key=%00")
    assert sorted(refused.value.attributes) == ["api_key", "page", "per_page"]


@pytest.mark.parametrize("key", [b"\xff", b"%FF", b"a%C3", b"%ED%B3%BF"])
def test_a_key_of_bytes_that_are_no_utf8_is_named(key: bytes) -> None:
    with pytest.raises(InvalidRecord) as refused:
        page_wanted(b"api_key=" + key)
    assert refused.value.attributes == {"api_key": ["is invalid"]}
    assert page_wanted(b"other=" + key) == PageWanted()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (None, b""),
        ("application/json", b""),
        ("application/json; charset=utf-8", b'{"a": "b"}'),
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"a=b"),
        ("text/plain", b"anything"),
        (None, b"anything"),
    ],
)
def test_a_body_that_is_what_it_says_passes(content_type: str | None, body: bytes) -> None:
    check_body(content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"a=b"),
        ("Application/JSON", b"[1]"),
        ("application/json", b"\xff"),
        ("application/json", b'{"a":' * 5000),
        ("application/x-www-form-urlencoded", b'{"a": "b"}'),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(InvalidRecord, match="content type"):
        check_body(content_type, body)
