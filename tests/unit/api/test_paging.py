"""Totals and links of a page go in headers."""

import pytest

from coffers.api.paging import page_headers
from coffers.api.params import PageWanted

PATH = "https://coffers.test/public/api/ver1/accounts"


def links(wanted: PageWanted, total: int) -> dict[str, str]:
    header = dict(page_headers(wanted, total, "https://coffers.test"))[b"link"].decode()
    found = {}
    for link in header.split(", "):
        target, rel = link.split("; ")
        found[rel.removeprefix('rel="').rstrip('"')] = target.strip("<>").removeprefix(PATH)
    return found


def test_a_page_in_the_middle_links_to_all_others() -> None:
    assert links(PageWanted(2, 10), 35) == {
        "first": "?page=1&per_page=10",
        "prev": "?page=1&per_page=10",
        "next": "?page=3&per_page=10",
        "last": "?page=4&per_page=10",
    }


@pytest.mark.parametrize("total", [0, 1, 100])
def test_the_only_page_is_first_and_last(total: int) -> None:
    assert links(PageWanted(), total) == {"first": "?page=1", "last": "?page=1"}


def test_a_page_past_the_end_leads_back_to_the_last_one() -> None:
    assert links(PageWanted(10**9), 101) == {
        "first": "?page=1",
        "prev": "?page=2",
        "last": "?page=2",
    }


def test_the_filter_stays_and_is_escaped() -> None:
    assert links(PageWanted(1, 100, 'a>"é, b'), 1)["first"] == (
        "?page=1&api_key=a%3E%22%C3%A9%2C+b"
    )


def test_totals_are_told() -> None:
    headers = dict(page_headers(PageWanted(2, 10), 35, ""))
    assert [headers[name] for name in (b"x-total-count", b"x-page", b"x-per-page")] == [
        b"35",
        b"2",
        b"10",
    ]
