"""The state of the simulated exchange: one world of prices, its accounts, and what scripts did."""

from collections.abc import Callable

from coffers.sandbox import refusals
from coffers.sandbox.accounts import Ledger
from coffers.sandbox.clockwork import Clockwork
from coffers.sandbox.demo import open_demo_accounts
from coffers.sandbox.faults import Faults
from coffers.sandbox.journal import Journal
from coffers.sandbox.limits import Limits
from coffers.sandbox.pairs import PAIRS, Pair
from coffers.sandbox.prices import Prices
from coffers.sandbox.tickers import Tickers


class Exchange:
    """A simulated exchange without its HTTP.

    Both venues (`binance`, `binanceus`) live in one world of prices and each has its own pairs and
    accounts. The same seed and clock give the same answers.

    Args:
        seed: the world's number.
        now: the present moment in milliseconds since the Unix epoch.
    """

    def __init__(self, seed: int, now: Callable[[], int]) -> None:
        self._seed = seed
        self._base_now = now
        self.reset()

    def reset(self) -> None:
        """Begin anew: demo accounts as at first, no faults, own prices, clock and counters."""
        self.clock = Clockwork(self._base_now)
        self.prices = Prices(self._seed)
        self.tickers = Tickers(self.prices, self._seed)
        self.ledger = Ledger(self.now)
        self.faults = Faults()
        self.limits = Limits()
        self.journal = Journal()
        self.bodies: dict[tuple[str, str], tuple[object, bytes]] = {}
        open_demo_accounts(self.ledger, self.now())

    def now(self) -> int:
        """Return the venues' present moment in milliseconds."""
        return self.clock.now()

    def pair(self, venue: str, symbol: str) -> Pair:
        """Return a pair of a venue by the venue's name of it.

        Raises:
            Refused: when the venue does not list it.
        """
        pair = PAIRS[venue].get(symbol)
        if pair is None:
            raise refusals.unknown_symbol()
        return pair
