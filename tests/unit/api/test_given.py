"""Parameters from query and body: which count, and what they may be."""

import pytest

from coffers.access.call import SignedCall
from coffers.api.given import Given, given_of
from coffers.errors import InvalidRecord


def given(query: str = "", body: str = "", method: str = "POST", kind: str | None = None) -> Given:
    return given_of(
        SignedCall(
            method=method,
            path=b"/x",
            query=query.encode(errors="surrogateescape"),
            body=body.encode(errors="surrogateescape"),
            content_type=kind,
            api_key=None,
            signature=None,
            timestamp=None,
            forced_mode=None,
            address="",
        )
    )


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("name=New+name", ""),
        ("name=New%20name", ""),
        ("", "name=New+name"),
        ("", '{"name": "New name"}'),
        ("name=New+name", "name=Other"),
        ("name=New+name", '{"name": "Other"}'),
        ("other=1", '{"name": "New name"}'),
        ("name=Old&name=New+name", ""),
    ],
)
def test_a_parameter_may_come_anywhere_and_the_query_wins(query: str, body: str) -> None:
    assert given(query, body).text("name") == "New name"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_has_no_parameters_in_its_body(method: str) -> None:
    assert given("a=1", '{"a": "2", "b": "3"}', method).text("b") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_have(method: str) -> None:
    assert given(body="b=3", method=method).text("b") == "3"


def test_what_a_body_is_its_own_text_tells() -> None:
    assert given(body='{"a": "1"}', kind="application/x-www-form-urlencoded").text("a") == "1"
    assert given(body="a=1", kind="application/json").text("a") == "1"
    assert given(body='["a"]').text("a") is None
    assert given(body="{}").text("a") is None


def test_a_whole_number_is_a_text_too() -> None:
    assert given(body='{"name": 12}').text("name") == "12"


def test_a_number_keeps_all_of_its_digits() -> None:
    digits = "0.123456789012345678901234567890"
    assert given(body=f'{{"amount": {digits}}}').text("amount") == digits


@pytest.mark.parametrize(
    "number", ["1e-99999999999999999999", "-0.0", "1.50E+2", "0e999999", "1e999", "-1e400"]
)
def test_a_number_is_the_text_that_was_sent(number: str) -> None:
    found = given(body=f'{{"amount": {number}, "amounts": [{number}], "other": 1}}')
    assert found.text("amount") == number
    assert found.texts("amounts") == [number]


@pytest.mark.parametrize("value", ["true", "[1]", '{"x": "y"}', '"a\\u0000b"'])
def test_what_is_no_text_is_refused(value: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        given(body=f'{{"name": {value}}}').text("name")
    assert raised.value.attributes == {"name": ["is invalid"]}


def test_what_is_absent_or_null_is_missing_where_it_is_required() -> None:
    for each in (given(), given(body='{"name": null}')):
        assert each.text("name") is None
        with pytest.raises(InvalidRecord) as raised:
            each.required("name")
        assert raised.value.attributes == {"name": ["is missing"]}


@pytest.mark.parametrize(
    ("query", "body"),
    [("a=%ff", ""), ("a=%00", ""), ("", "a=x%c3"), ("", "a=\udcff"), ("a=\udcc3%a9", "")],
)
def test_bytes_that_are_no_text_are_named_where_they_are_read(query: str, body: str) -> None:
    wanted = given(f"b=%c3%a9&{query}", body)
    assert wanted.text("b") == "é"
    with pytest.raises(InvalidRecord) as raised:
        wanted.text("a")
    assert raised.value.attributes == {"a": ["is invalid"]}


def test_a_name_of_bytes_that_are_no_text_is_no_key() -> None:
    with pytest.raises(InvalidRecord) as raised:
        given("", "balances[%FF]=1").by_key("balances")
    assert raised.value.attributes == {"balances": ["is invalid"]}


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("a[b][]=1&a[b][]=2.50", ""),
        ("a%5Bb%5D%5B%5D=1&a%5Bb%5D%5B%5D=2.50", ""),
        ("", "a[b][]=1&x=y&a[b][]=2.50"),
        ("", '{"a[b][]": ["1", "2.50"]}'),
        ("", '{"a": {"b": [1, 2.50]}}'),
        ("a[b][]=1&a[b][]=2.50", "a[b][]=9"),
        ("a[b][]=1&a[b][]=2.50", '{"a": {"b": ["9"]}}'),
    ],
)
def test_a_list_may_be_written_in_every_common_way(query: str, body: str) -> None:
    assert given(query, body).texts("a[b][]") == ["1", "2.50"]


@pytest.mark.parametrize("body", ["", "{}", '{"a": null}', '{"a": {"b": null}}', '{"a": "b"}'])
def test_a_list_that_is_not_there_is_none(body: str) -> None:
    assert given(body=body).texts("a[b][]") is None


@pytest.mark.parametrize(
    "body", ['{"a": {"b": "1"}}', '{"a": {"b": [true]}}', '{"a": {"b": [[1]]}}', '{"a[b][]": {}}']
)
def test_what_is_no_list_of_texts_is_refused(body: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        given(body=body).texts("a[b][]")
    assert raised.value.attributes == {"a[b][]": ["is invalid"]}


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("a[X]=1&a[Y]=2", ""),
        ("", "a[X]=1&a[Y]=2"),
        ("", '{"a": {"X": "1", "Y": 2}}'),
        ("a[X]=1", '{"a": {"X": "9", "Y": "2"}}'),
    ],
)
def test_values_by_key_may_be_written_in_every_common_way(query: str, body: str) -> None:
    assert given(query, body).by_key("a") == {"X": "1", "Y": "2"}


def test_no_values_by_key_are_none_and_an_empty_object_is_empty() -> None:
    assert given().by_key("a") is None
    assert given(body='{"a": {}}').by_key("a") == {}


@pytest.mark.parametrize("body", ['{"a": "1"}', '{"a": {"X": {}}}', '{"a": {"X": true}}'])
def test_what_is_no_object_of_texts_is_refused(body: str) -> None:
    with pytest.raises(InvalidRecord) as raised:
        given(body=body).by_key("a")
    assert raised.value.attributes == {"a": ["is invalid"]}
