"""Market data: pairs, rates, leverage, networks and deposit addresses; forms and calls."""

from msgspec import field
from msgspec.json import Decoder

from coffers.client.accounts import Amount, Answered
from coffers.client.call import Call


class Bounds(Answered, frozen=True, kw_only=True):
    """The least and the most leverage."""

    min: Amount = None
    max: Amount = None


class Leverage(Answered, frozen=True, kw_only=True):
    """A kind of leverage of a pair: `none`, `cross` or `isolated`."""

    code: str
    name: str | None = None
    can_set_leverage_value: bool | None = None
    available_leverage_values: tuple[str, ...] = ()
    max_leverage: Amount = None
    valid: Bounds | None = None


class Rate(Answered, frozen=True, kw_only=True):
    """What a pair is traded at, and the bounds of orders."""

    last: Amount = None
    bid: Amount = None
    ask: Amount = None
    orderbook_last: Amount = None
    orderbook_bid: Amount = None
    orderbook_ask: Amount = None
    orderbook_price_currency: str | None = None
    strategy_name: str | None = None
    contract_strategy_name: str | None = None
    instrument_kind: str | None = field(default=None, name="instrumentKind")
    min_price: Amount = field(default=None, name="minPrice")
    max_price: Amount = field(default=None, name="maxPrice")
    price_step: Amount = field(default=None, name="priceStep")
    min_lot_size: Amount = field(default=None, name="minLotSize")
    max_lot_size: Amount = field(default=None, name="maxLotSize")
    lot_step: Amount = field(default=None, name="lotStep")
    min_market_buy_amount: Amount = field(default=None, name="minMarketBuyAmount")
    min_market_sell_amount: Amount = field(default=None, name="minMarketSellAmount")
    max_market_buy_amount: Amount = field(default=None, name="maxMarketBuyAmount")
    max_market_sell_amount: Amount = field(default=None, name="maxMarketSellAmount")
    min_total: Amount = field(default=None, name="minTotal")
    min_market_total: Amount = field(default=None, name="minMarketTotal")
    max_total: Amount = field(default=None, name="maxTotal")
    leverage_data: tuple[Leverage, ...] | None = None


class Network(Answered, frozen=True, kw_only=True):
    """A network that moves a currency."""

    network: str
    network_name: str | None = None
    default: bool | None = None
    deposit_enable: bool | None = None
    withdraw_enable: bool | None = None
    deposit_tip: str | None = None
    withdraw_tip: str | None = None
    special_tip: str | None = None
    network_url: str | None = None
    address_regexp: str | None = None
    memo_regexp: str | None = None
    label: str | None = None
    require_address_tag: bool | None = None
    withdraw_fee: Amount = None
    withdraw_min: Amount = None
    withdraw_max: Amount = field(default=None, name="withdrawMax")
    withdraw_multiple: Amount = field(default=None, name="withdrawMultiple")


class Networks(Answered, frozen=True, kw_only=True):
    """A currency of an exchange with its networks."""

    currency: str
    name: str | None = None
    deposit_enable: bool | None = None
    withdraw_enable: bool | None = None
    network_list: tuple[Network, ...] = ()


class DepositAddress(Answered, frozen=True, kw_only=True):
    """Where an account takes deposits of a currency, and what it has of it."""

    address: str
    address_tag: str | None = None
    available_balance: Amount = None
    in_orders: Amount = None
    total_balance: Amount = None


_names = Decoder(list[str]).decode
_rate = Decoder(Rate).decode
_leverages = Decoder(list[Leverage]).decode
_networks = Decoder(list[Networks]).decode
_deposit = Decoder(DepositAddress).decode


def market_pairs(market_code: str) -> Call[list[str]]:
    """Name the active pairs of a market."""
    asked = {"market_code": market_code}
    return Call("GET", "/ver1/accounts/market_pairs", _names, asked, is_signed=False)


def market_pairs_v2(market_code: str) -> Call[list[str]]:
    """Name the same, at the address of the second version."""
    asked = {"market_code": market_code}
    return Call("GET", "/v2/accounts/market_pairs", _names, asked, is_signed=False)


def currency_rates(market_code: str, pair: str) -> Call[Rate]:
    """What a pair is traded at, and the bounds of orders."""
    asked = {"market_code": market_code, "pair": pair}
    return Call("GET", "/ver1/accounts/currency_rates", _rate, asked, is_signed=False)


def currency_rates_with_leverage_data(market_code: str, pair: str) -> Call[Rate]:
    """Return the same, with the leverage of the pair."""
    asked, path = {"market_code": market_code, "pair": pair}, "currency_rates_with_leverage_data"
    return Call("GET", f"/ver1/accounts/{path}", _rate, asked, is_signed=False)


def leverage_data(account_id: int, pair: str) -> Call[list[Leverage]]:
    """The kinds of leverage of a pair of an account's market."""
    return Call("GET", f"/ver1/accounts/{account_id}/leverage_data", _leverages, {"pair": pair})


def networks_info(account_id: int, purpose: str | None = None) -> Call[list[Networks]]:
    """The networks of an account's exchange; `purpose` is `deposit` or `withdraw`."""
    asked = {"purpose": purpose}
    return Call("GET", f"/ver1/accounts/{account_id}/networks_info", _networks, asked)


def deposit_data(account_id: int, currency: str, network: str) -> Call[DepositAddress]:
    """Where an account takes deposits."""
    asked = {"currency": currency, "network": network}
    return Call("GET", f"/ver1/accounts/{account_id}/deposit_data", _deposit, asked)
