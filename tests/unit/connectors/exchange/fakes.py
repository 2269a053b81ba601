"""A stand-in for a ccxt instance, so that these tests need neither ccxt nor a network."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from coffers.clock import ManualClock
from coffers.connectors.exchange.client import NOTHING_HEARD, Heard
from coffers.connectors.exchange.failures import Venue
from coffers.connectors.exchange.session import VenueSession
from factories import NOW

BINANCE = Venue("binance", "Binance", ("binance",))
KRAKEN = Venue("kraken", "Kraken", ("kraken",))

Answering = Callable[..., Any]


class FakeExchange(SimpleNamespace):
    """Answers each method from a function or a list of values; remembers what was asked."""

    def __init__(self, **methods: Any) -> None:
        super().__init__(
            has={},
            currencies={},
            markets={},
            options={},
            heard=NOTHING_HEARD,
            asked=[],
        )
        self._methods = methods

    def __getattr__(self, name: str) -> Answering:
        answers = self.__dict__["_methods"].get(name)
        if answers is None:
            raise AttributeError(name)

        async def method(*args: Any) -> Any:
            self.asked.append((name, args))
            answer = answers(*args) if callable(answers) else answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            self.heard = Heard(200, {}, answer.get("info") if isinstance(answer, dict) else answer)
            return answer

        return method


def session(exchange: FakeExchange, venue: Venue = BINANCE, **rest: Any) -> VenueSession:
    return VenueSession(venue, exchange, SimpleNamespace(options={}), ManualClock(NOW), **rest)


def ccxt_error(*mro: str, text: str = "") -> Exception:
    """Return an exception whose class and bases have these names, the nearest first."""
    made: type[Exception] = Exception
    for name in reversed(mro):
        made = type(name, (made,), {})
    return made(text)
