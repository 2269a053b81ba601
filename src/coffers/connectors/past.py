"""What a connector brings of the past: deposits and withdrawals from before the first reading."""

from dataclasses import dataclass
from typing import Protocol

from coffers.clock import Millis
from coffers.connectors.reading import Credentials
from coffers.markets.catalogue import Market
from coffers.valuation.model import Flow


@dataclass(frozen=True, slots=True)
class PastRequest:
    """Where a walk back into the past stands.

    `before` is its beginning: what happened from there on is the readings' work. `cursor` is where
    the step before ended, in the connector's own words, None for the first step.
    """

    before: Millis
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PastFlows:
    """What one step of the walk brought.

    `flows` are the finished ones that it found, all from before the walk's beginning. Everything
    from `known_since` on was asked by now; `ends_at` is how far back the walk goes. `cursor` is
    where the next step goes on, None where there is nothing older to ask. `is_whole` is False where
    the venue left something out of what was asked in this step.
    """

    flows: tuple[Flow, ...]
    known_since: Millis
    ends_at: Millis
    cursor: str | None
    is_whole: bool


class PastConnector(Protocol):
    """One way to read the past of accounts of some markets."""

    async def past_flows(
        self, market: Market, credentials: Credentials, request: PastRequest
    ) -> PastFlows:
        """Walk one step back: a few calls, never two at once.

        Raises:
            ConnectorFailure: and nothing else, when the venue gave no usable answer.
        """
        ...
