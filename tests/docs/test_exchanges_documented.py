"""What is read of each exchange, and what is not, stands on the page of exchanges."""

import re

from coffers.connectors.exchange.coverage import coverage
from coffers.markets.catalogue import load_catalogue

Pages = dict[str, str]
KNOWN = coverage(load_catalogue())


def _rows(pages: Pages) -> dict[str, list[str]]:
    table = pages["docs/exchanges.md"].partition("## All exchanges")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {code[1]: row for row in rows if (code := re.search(r"`(\w+)`", row[0]))}


def test_every_market_that_can_be_reached_is_there_and_no_other(pages: Pages) -> None:
    assert set(_rows(pages)) == set(KNOWN)


def test_what_is_read_of_a_market_is_told(pages: Pages) -> None:
    for code, row in _rows(pages).items():
        told = tuple(part.strip("* ").replace(" ", "_") for part in row[1].split(","))
        assert told == (KNOWN[code].covered or ("nothing",)), code


def test_every_sentence_about_what_is_left_out_is_told(pages: Pages) -> None:
    for code, told in KNOWN.items():
        for sentence in told.not_covered.values():
            assert sentence in pages["docs/exchanges.md"], code


def test_every_market_says_how_it_is_tested(pages: Pages) -> None:
    words = ("recorded values", "example answers", "interface only")
    assert [code for code, row in _rows(pages).items() if not row[-1].startswith(words)] == []
