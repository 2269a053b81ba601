"""Entity tags are weak, and compared as RFC 9110 says."""

import pytest

from coffers.api.validators import is_unchanged, weak_tag

TAG = weak_tag(b"body", b"header")


def test_a_tag_changes_with_any_part() -> None:
    assert TAG.startswith(b'W/"')
    assert weak_tag(b"body", b"header") == TAG
    assert weak_tag(b"body", b"other") != TAG


@pytest.mark.parametrize(
    "header", [TAG, TAG[2:], b"*", b" * ", b'"a", ' + TAG + b', W/"b"', b'"a",' + TAG[2:]]
)
def test_a_client_that_has_it_is_told_so(header: bytes) -> None:
    assert is_unchanged(header, TAG)


@pytest.mark.parametrize("header", [None, b"", b'"a"', b'W/"a", "b"', TAG[3:-1], b'W/"'])
def test_a_client_that_has_something_else_gets_it(header: bytes | None) -> None:
    assert not is_unchanged(header, TAG)
