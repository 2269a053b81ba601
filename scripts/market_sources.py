"""What the market catalogue is made from: the exchange library, and the codes that clients know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from coffers.connectors.exchange.account_rules import subaccount_rules
from coffers.connectors.exchange.credentials import FIELDS, fields_of, optional_of
from coffers.connectors.exchange.rules import credential_rules, first

KNOWN = Path(__file__).resolve().parent / "data/known_markets.json"
"""The codes that existing clients know, as collected; `CORRECTIONS` says what is wrong there."""

TYPES = {"spot": ("spot",), "futures": ("swap", "future"), "options": ("option",)}
"""Our types of markets -> the library's. The first one that a venue has is its main type."""

CORRECTIONS: dict[str, dict[str, Any]] = {
    # The published example of an account has it so.
    "binance_us": {"account_exchange_name": "Binance US Spot"},
    # Known by its name only.
    "binance_margin": {"market_types": ("margin",)},
    # Cut off in the source.
    "binance_futures_eea": {"market_name": "Binance Futures USDT-M (EEA)"},
    "gdax": {"market_name": "Coinbase Pro (GDAX)"},
    "paper_trading": {"market_name": "Paper Trading"},
    # Its money is worth nothing, and its keys are none of the venue that the library would ask.
    "deribit_testnet": {"ccxt_id": None},
}

WALLETS = {
    "bitget_usdt_futures": "usdt_futures",
    "gate_io_btc_perpetual": "btc_futures",
    "gate_io_usdt_perpetual": "usdt_futures",
}
"""Which account of a venue a code means, where venue and type leave several."""

CONDITIONAL_ORDERS = frozenset(
    {
        "createStopOrder",
        "createTriggerOrder",
        "createStopLimitOrder",
        "createStopMarketOrder",
        "createStopLossOrder",
    }
)


@dataclass(frozen=True, slots=True)
class Known:
    """A market that clients know; None is what is not known of it."""

    market_code: str
    market_name: str
    account_exchange_name: str | None
    pretty_display_type: str | None
    required_fields: tuple[str, ...] | None
    optional_fields: tuple[str, ...]
    market_types: tuple[str, ...] | None
    ccxt_id: str | None
    status: str

    @property
    def is_kept_here(self) -> bool:
        """Whether it is a wallet or a paper account, which have no venue."""
        return self.status.startswith(("wallet", "internal"))


HAND_KEPT = Known(
    market_code="manual",
    market_name="Hand-kept account",
    account_exchange_name="Hand-kept account",
    pretty_display_type="Manual",
    required_fields=None,
    optional_fields=(),
    market_types=None,
    ccxt_id=None,
    status="internal: its owner says what is in it",
)
"""No published list has a code for accounts that are kept by hand."""


@dataclass(frozen=True, slots=True)
class Venue:
    """What the library says of a venue. `conditional` are our types that take such orders."""

    id: str
    name: str
    abilities: frozenset[str]
    credentials: tuple[str, ...]
    conditional: frozenset[str]
    family: tuple[str, ...] = ()

    @property
    def main_type(self) -> str:
        """The type of account that stands for the venue."""
        return next(ours for ours, theirs in TYPES.items() if not self.abilities.isdisjoint(theirs))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the credentials that open an account there for reading."""
        return tuple(fields_of(self.id, self.credentials))

    def optional_fields(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Return the names of those that may be given beside, for accounts of these kinds."""
        rule = first(subaccount_rules(), self.family)
        has_subs = rule is not None and not set(rule.read).isdisjoint(kinds)
        return (*optional_of(self.id), *(("subaccount_name",) if has_subs else ()))

    @property
    def is_only_read(self) -> bool:
        """Whether what opens an account there signs no orders: no private key is asked for."""
        rule = credential_rules().get(self.id)
        return rule is not None and ("privateKey" in rule.spared or set(rule.fields) == {"address"})


def venue_of(exchange: Any) -> Venue:  # noqa: ANN401 - the library is not typed
    """Return what an instance of the library's class says of its venue."""
    abilities = frozenset(name for name, has in exchange.has.items() if has)
    asked = tuple(name for name, needed in exchange.requiredCredentials.items() if needed)
    unknown = sorted(set(asked) - set(FIELDS))
    if unknown:
        raise SystemExit(f"{exchange.id} asks for credentials without a name of ours: {unknown}")
    takes = (kind for kind in TYPES if _takes_conditional(kind, exchange.features or {}, abilities))
    family = tuple(each.__name__ for each in type(exchange).__mro__)
    return Venue(exchange.id, exchange.name, abilities, asked, frozenset(takes), family)


def _takes_conditional(kind: str, features: Mapping[str, Any], abilities: frozenset[str]) -> bool:
    """Tell whether orders of this type can wait for a price.

    `features` tells it by type; `has` only for the venue as a whole, so it counts where the
    former is silent.
    """
    told = [orders for name in TYPES[kind] for orders in _orders(features.get(name))]
    if told:
        return any(orders.get("triggerPrice") or orders.get("stopLossPrice") for orders in told)
    return not abilities.isdisjoint(CONDITIONAL_ORDERS)


def _orders(features: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """Yield what is told of the orders of a type, which for swaps is told by how they settle."""
    for told in (features, *((features or {}).get(name) for name in ("linear", "inverse"))):
        if told and told.get("createOrder"):
            yield told["createOrder"]


def library() -> tuple[str, dict[str, Venue]]:
    """Return the library's version and all its venues by id, without second names of the same."""
    import ccxt  # noqa: PLC0415 - a few seconds and 100 MB that nothing else here needs

    exchanges = (getattr(ccxt, id_)() for id_ in ccxt.exchanges)
    return ccxt.__version__, {each.id: venue_of(each) for each in exchanges if not each.alias}


def known_markets() -> list[Known]:
    """Return the markets that clients know, corrected where the source is wrong, and our own."""
    listed = msgspec.json.decode(KNOWN.read_bytes())["markets"]
    known = msgspec.convert(listed, list[Known])
    return [*(replace(each, **CORRECTIONS.get(each.market_code, {})) for each in known), HAND_KEPT]
