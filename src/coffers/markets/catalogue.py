"""The market catalogue: every market that an account can be connected to, and what it allows."""

import difflib
import functools
import importlib.resources
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from coffers.errors import SettingsError

MANUAL = "manual"
"""The market of accounts whose owners say what is in them."""

PAPER = "paper_trading"
"""The market of accounts whose balances are made up."""

_NEAR_ENOUGH = 0.75
"""Likeness (0 to 1) from which a code is worth suggesting; below it, it only confuses."""


@dataclass(frozen=True, slots=True)
class Market:
    """A market: one kind of account at one venue, as clients know it by its code.

    `venue` is the exchange library's id ("binance"), None where the library has none. `wallet`
    names the account where venue and type leave several ("usdt_futures"). `chain` is the chain that
    wallets of this market lie on, None for exchanges. The flags
    stand behind the account entity's keys of the same name; those on trading are further narrowed
    by what a connected key may do. `scripts/make_catalogue.py` says what each is worked out from.
    """

    code: str
    venue: str | None
    name: str
    exchange_name: str
    pretty_display_type: str
    required_fields: tuple[str, ...]
    optional_fields: tuple[str, ...]
    connection_flows: tuple[str, ...]
    market_types: tuple[str, ...]
    wallet: str | None
    hedge_mode_available: bool
    smart_trading_supported: bool
    stats_supported: bool
    trading_supported: bool
    market_buy_supported: bool
    market_sell_supported: bool
    conditional_buy_supported: bool
    bots_allowed: bool
    bots_ttp_allowed: bool
    bots_tsl_allowed: bool
    gordon_bots_available: bool
    multi_bots_allowed: bool
    grid_bots_allowed: bool
    fast_convert_available: bool
    deposit_enabled: bool
    available_include_in_summary: bool
    chain: str | None = None

    @property
    def connectable(self) -> bool:
        """Whether accounts of this market can be read: at an exchange, or on a chain."""
        return self.venue is not None or self.chain is not None

    @property
    def is_kept(self) -> bool:
        """Whether nobody outside is asked about its accounts: they hold what their owner says."""
        return self.code in {MANUAL, PAPER}


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """The catalogue as it is stored. `ccxt` is the library version that it was made from."""

    ccxt: str
    markets: tuple[Market, ...]


class Catalogue:
    """All markets by code."""

    def __init__(self, markets: Mapping[str, Market]) -> None:
        self._markets = markets

    def get(self, code: str) -> Market | None:
        """Return the market of this code, None where the catalogue has none."""
        return self._markets.get(code)

    def shown_as(self, display_type: str) -> Market | None:
        """Return the market of this display type, "BinanceUs", None where there is none."""
        return next((each for each in self if each.pretty_display_type == display_type), None)

    def suggest(self, code: str) -> str | None:
        """Return the known code that was most likely meant, None where nothing comes near.

        The exchange library's ids, display types and names are understood too: "okx" means "okex",
        "BinanceUs" and "Binance US" mean "binance_us".
        """
        spellings = self._spellings()
        near = difflib.get_close_matches(_spelling(code), spellings, n=1, cutoff=_NEAR_ENOUGH)
        return spellings[near[0]] if near else None

    def codes_at(self, venue: str) -> tuple[str, ...]:
        """Return the codes of the markets at a venue, named by the exchange library's id."""
        return tuple(market.code for market in self if market.venue == venue)

    def check_price_venues(self, venues: Iterable[str]) -> None:
        """Require that exchanges are known which are to be asked for prices, by the library's ids.

        Raises:
            SettingsError: naming the one that is not, and what was most likely meant.
        """
        known = {market.venue for market in self if market.venue is not None}
        for venue in venues:
            if venue not in known:
                near = difflib.get_close_matches(venue.lower(), sorted(known), n=1)
                hint = f"; did you mean {near[0]}?" if near else "; docs/markets.md lists them"
                raise SettingsError(f"COFFERS_PRICE_VENUES: {venue!r} is no exchange{hint}")

    def _spellings(self) -> dict[str, str]:
        """Return the codes by every way to write them; a code itself first, then spot markets."""
        known = {_spelling(market.code): market.code for market in self}
        for market in sorted(self, key=lambda market: "spot" not in market.market_types):
            for text in (market.venue or market.code, market.pretty_display_type, market.name):
                known.setdefault(_spelling(text), market.code)
        return known

    def __iter__(self) -> Iterator[Market]:
        return iter(self._markets.values())


def _spelling(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@functools.cache
def load_catalogue() -> Catalogue:
    """Return the catalogue that ships with this version, read once per process."""
    data = importlib.resources.files("coffers.markets").joinpath("data/catalogue.json")
    stored = msgspec.json.decode(data.read_bytes(), type=CatalogueFile)
    return Catalogue({market.code: market for market in stored.markets})
