"""Links to a page with another choice, and parts of long lists."""

import pytest

from coffers.web.addresses import Address, page_in, paged


def test_a_link_keeps_what_was_chosen_but_for_what_it_changes() -> None:
    address = Address("/", {"range": "1y", "sort": "name"})
    assert address.to(sort=None) == "/?range=1y"
    assert address.to(sort="-day", page=2) == "/?range=1y&sort=-day&page=2"
    assert address.to(range=None, sort=None) == "/"
    assert Address("/", {"q": "a&b"}).to() == "/?q=a%26b"


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "x", "1.5", "9999999", "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_a_page_that_cannot_be_is_the_first(text: str) -> None:
    assert page_in(Address("/", {"page": text})) == 1


def test_a_long_list_comes_in_parts_that_lead_to_each_other() -> None:
    rows = list(range(5))
    middle = paged(rows, Address("/", {"page": "2"}), 2, "rows")
    assert (middle.rows, middle.first, middle.last, middle.total) == ([2, 3], 3, 4, 5)
    assert (middle.earlier, middle.later) == ("/#rows", "/?page=3#rows")
    last = paged(rows, Address("/", {"page": "7"}), 2, "rows")
    assert (last.rows, last.earlier, last.later) == ([4], "/?page=2#rows", None)
    none = paged([], Address("/", {}), 2, "rows")
    assert (none.rows, none.earlier, none.later) == ([], None, None)
