"""Stand-ins for the outside, for tests of the rooms above it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, Credentials, Reading, ReadRequest
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Market
from coffers.valuation.model import Price

Answer = Reading | ConnectorFailure
Script = Callable[[Credentials, ReadRequest], Answer]


@dataclass
class FakeConnector:
    """A venue that answers as told; keeps what it was asked."""

    answer: Answer | Script
    key_rights: KeyRights | ConnectorFailure = field(
        default_factory=lambda: KeyRights(read=True, trade=False, withdraw=False)
    )
    asked: list[ReadRequest] = field(default_factory=list)
    opened: list[Credentials] = field(default_factory=list)

    async def read(self, market: Market, credentials: Credentials, request: ReadRequest) -> Reading:
        self.asked.append(request)
        self.opened.append(credentials)
        answer = self.answer(credentials, request) if callable(self.answer) else self.answer
        if isinstance(answer, ConnectorFailure):
            raise answer
        return answer

    async def rights(self, market: Market, credentials: Credentials) -> KeyRights:
        self.opened.append(credentials)
        if isinstance(self.key_rights, ConnectorFailure):
            raise self.key_rights
        return self.key_rights

    async def close(self) -> None:
        return None


@dataclass
class FakePast:
    """Past prices as told; keeps what it was asked."""

    prices: dict[str, Price] = field(default_factory=dict)
    asked: list[tuple[str, str, Millis]] = field(default_factory=list)

    async def price_at(self, venue: str, asset: str, at: Millis) -> Price | None:
        self.asked.append((venue, asset, at))
        return self.prices.get(asset)
