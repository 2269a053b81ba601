"""Example answers on rights, in the form of the venues' documents with numbers of our own.

`tests/data/connectors/rights/bodies.json` names for each venue the pages that they follow. All are
of a key that may only read, from one address, and does not expire.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from coffers.connectors.exchange.client import Heard
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.rights import read_rights
from coffers.keyrights import KeyRights
from unit.connectors.exchange.fakes import FakeExchange, session

PATH = Path(__file__).parents[3] / "data" / "connectors" / "rights" / "bodies.json"
BODIES: dict[str, dict[str, Any]] = json.loads(PATH.read_text())

KEY = f"{1:064x}"
"""The key that the bodies are of."""

READ_ONLY = KeyRights(read=True, trade=False, withdraw=False, address_restricted=True)

READ_ONLY_AT = {
    **dict.fromkeys(BODIES, READ_ONLY),
    "bitfinex": replace(READ_ONLY, address_restricted=None),
    "coinbase": replace(READ_ONLY, address_restricted=None),
    "gate": replace(READ_ONLY, withdraw=None),
}
"""What each venue tells of such a key; none tells all of it."""


def body(venue: str, number: int = 0) -> Any:
    """Return a copy of a venue's body, of its call of this number."""
    return copy.deepcopy(BODIES[venue]["calls"][number]["body"])


def exchange_of(venue: str, *answers: Any) -> FakeExchange:
    """Return an exchange that gives these answers to the venue's calls, and else the examples."""
    calls = BODIES[venue]["calls"]
    given = [*answers, *(call["body"] for call in calls[len(answers) :])]

    def answering(answer: Any) -> Callable[..., Any]:
        def answered(*_asked: Any) -> Any:
            exchange.heard = Heard(401 if isinstance(answer, Exception) else 200)
            return answer

        return answered

    exchange = FakeExchange(
        **{call["call"]: answering(answer) for call, answer in zip(calls, given, strict=True)}
    )
    exchange.apiKey = KEY
    return exchange


async def rights_of(venue: str, *answers: Any) -> KeyRights:
    """Return what is read of these answers."""
    return await read_rights(session(exchange_of(venue, *answers), Venue(venue, venue, (venue,))))


async def told(venue: str, *path: str, **changes: Any) -> KeyRights:
    """Return what is read once fields at a path of a venue's first answer are changed."""
    answer = body(venue)
    inner = answer
    for step in path:
        inner = inner[int(step) if step.isdigit() else step]
    inner.update(changes)
    return await rights_of(venue, answer)
