import base64

import pytest

from coffers.errors import InvalidRecord
from coffers.portfolio.cursors import LONGEST, cursor_at, id_of, place_of


def test_a_cursor_leads_back_to_its_place() -> None:
    place = (1_700_000_000_000, "out", "id with \u00fcml\u00e4uts")
    assert place_of(cursor_at(place), tuple[int, str, str]) == place


def test_a_cursor_can_stand_in_an_address_as_it_is() -> None:
    assert set(cursor_at((2**31, ">>>???~~~"))) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    )


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "\U0001f600",
        cursor_at(()),
        cursor_at(("1",)),
        cursor_at((1, 2)),
        cursor_at((2**63,)),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[1.5]").decode(),
        base64.urlsafe_b64encode(b"[" * 9_000).decode(),
        "W" * (LONGEST + 1),
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(InvalidRecord) as refusal:
        place_of(cursor, tuple[int])
    assert refusal.value.attributes == {"cursor": ["is invalid"]}


def test_a_text_that_no_database_takes_is_refused() -> None:
    with pytest.raises(InvalidRecord):
        place_of(cursor_at(("a\0",)), tuple[str])


@pytest.mark.parametrize("number", [-1, 2**31])
def test_what_is_nobodys_id_is_refused(number: int) -> None:
    assert id_of(cursor_at((2**31 - 1,))) == 2**31 - 1
    with pytest.raises(InvalidRecord):
        id_of(cursor_at((number,)))
