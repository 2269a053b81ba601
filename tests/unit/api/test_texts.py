"""Errors in other languages: every text in each of them, what stands in it carried over."""

import pytest

from coffers.api.errors import WireError
from coffers.api.texts import _texts, in_language
from coffers.portfolio.users import LOCALES

OTHERS = sorted(set(LOCALES) - {"en"})


@pytest.mark.parametrize("locale", OTHERS)
def test_every_text_is_told_in_every_language(locale: str) -> None:
    for pattern, told in _texts():
        assert sorted(told) == OTHERS, pattern.pattern
        assert told[locale].count("{}") == pattern.groups


@pytest.mark.parametrize("locale", OTHERS)
def test_what_stands_in_a_text_is_carried_over(locale: str) -> None:
    told = {"name": ["is too short (minimum is 2 characters)", "is a tongue twister"]}
    error = in_language(WireError(400, "record_invalid", "Invalid parameters", told), locale)
    assert error.error == "record_invalid"
    assert error.description != "Invalid parameters"
    assert error.attributes is not None
    short, odd = error.attributes["name"]
    assert "2" in short
    assert "short" not in short
    assert odd == "is a tongue twister"


def test_english_is_left_as_it_is() -> None:
    error = WireError(404, "not_found", "Not Found")
    assert in_language(error, "en") is error
