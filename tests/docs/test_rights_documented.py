"""What exchanges tell of a key: a table of just those that are asked, with what they tell."""

import inspect
import re

from coffers.connectors.exchange.rights import READERS
from unit.connectors.exchange.rights_bodies import BODIES, READ_ONLY_AT

Pages = dict[str, str]


def _rows(pages: Pages) -> dict[str, list[str]]:
    """Return the cells after the ids, by each of the ids."""
    table = pages["docs/security.md"].partition("## What exchanges tell of a key")[2]
    lines = [line.strip("| ").split(" | ") for line in table.partition("\n## ")[0].splitlines()]
    return {name: cells[2:] for cells in lines if len(cells) == 7
            for name in re.findall(r"`(\w+)`", cells[1])}  # fmt: skip


def test_exchanges_that_are_asked_are_documented_and_no_others(pages: Pages) -> None:
    assert set(_rows(pages)) == set(READERS)


def test_what_an_exchange_tells_is_documented(pages: Pages) -> None:
    rows = _rows(pages)
    for venue in BODIES:
        rights = READ_ONLY_AT[venue]
        known = [rights.read, rights.trade, rights.withdraw, rights.address_restricted]
        tells = [right is not None for right in known]
        tells.append("expires_at=" in inspect.getsource(READERS[venue]))
        assert rows[venue] == ["told" if told else "-" for told in tells], venue


def test_exchanges_that_are_asked_alike_are_documented_together(pages: Pages) -> None:
    rows = _rows(pages)
    for venue, reader in READERS.items():
        assert rows[venue] == rows[reader.__name__]
