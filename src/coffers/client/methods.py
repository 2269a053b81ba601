"""The endpoints as methods of both clients: one line each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from coffers.client import (
    balancing,
    calls,
    happenings,
    market_data,
    operation_calls,
    own_calls,
    pages,
    paper_calls,
    trading,
)
from coffers.client.call import Call
from coffers.client.pages import Walk
from coffers.client.reply import Reply

P = ParamSpec("P")
T = TypeVar("T")


class Sender(Protocol):
    """What sends calls and waits for their answers."""

    def reply(self, call: Call[T], /) -> Reply[T]:
        """Send a call; return the answer with its headers."""
        ...


class AsyncSender(Protocol):
    """What sends calls and awaits their answers."""

    async def async_reply(self, call: Call[T], /) -> Reply[T]:
        """Send a call; return the answer with its headers."""
        ...


class One(Generic[P, T]):
    """An endpoint as a method."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Call[T]]: ...
    def __get__(self, client: Any, owner: type) -> Callable[P, Any]:
        """Return the endpoint of a client; of the class, what makes its call."""
        make = self._make
        if client is None:
            return make
        is_async = hasattr(client, "async_reply")

        @wraps(make)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401 - told by the overloads
            asked = make(*args, **kwargs)
            return _value(client, asked) if is_async else client.reply(asked).value

        return call


class Many(Generic[P, T]):
    """A list on pages as a method that walks through all of them."""

    def __init__(self, make: Callable[P, Walk[T]]) -> None:
        self._make = make

    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Walk[T]]: ...
    def __get__(self, client: Any, owner: type) -> Callable[P, Any]:
        """Return the walk of a client; of the class, the dialogue itself."""
        make = self._make
        if client is None:
            return make
        walk = _walk_async if hasattr(client, "async_reply") else _walk

        @wraps(make)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401 - told by the overloads
            return walk(client, make(*args, **kwargs))

        return call


async def _value(client: AsyncSender, call: Call[T]) -> T:
    return (await client.async_reply(call)).value


def _walk(client: Sender, walk: Walk[T]) -> Iterator[T]:
    step: Call[Any] | Sequence[T] | None = next(walk, None)
    while step is not None:
        if isinstance(step, Call):
            step = _next(walk, client.reply(step))
        else:
            yield from step
            step = next(walk, None)


async def _walk_async(client: AsyncSender, walk: Walk[T]) -> AsyncIterator[T]:
    step: Call[Any] | Sequence[T] | None = next(walk, None)
    while step is not None:
        if isinstance(step, Call):
            step = _next(walk, await client.async_reply(step))
        else:
            for item in step:
                yield item
            step = next(walk, None)


def _next(walk: Walk[T], reply: Reply[Any]) -> Call[Any] | Sequence[T] | None:
    try:
        return walk.send(reply)
    except StopIteration:
        return None


class Methods:
    """All endpoints. Lists on pages have two methods: all of them, and one page."""

    ping = One(calls.ping)
    time = One(calls.time)
    validate = One(calls.validate)
    accounts = Many(pages.accounts)
    account_page = One(calls.account_page)
    account = One(calls.account)
    summary = One(calls.summary)
    connect = One(calls.connect)
    update = One(calls.update)
    rename = One(calls.rename)
    remove = One(calls.remove)
    load_balances = One(calls.load_balances)
    pie = One(calls.pie)
    table = One(calls.table)
    chart = One(calls.chart)
    markets = One(calls.markets)
    types_to_connect = One(calls.types_to_connect)
    permissions = One(calls.permissions)
    current_mode = One(calls.current_mode)
    change_mode = One(calls.change_mode)
    locale = One(calls.locale)
    create_loose = One(calls.create_loose)
    replace_loose = One(calls.replace_loose)
    available_currencies = One(calls.available_currencies)
    contracts = One(calls.contracts)
    flows = Many(pages.flows)
    flow_page = One(calls.flow_page)
    price = One(calls.price)
    prices = One(calls.prices)
    accept_price = One(calls.accept_price)
    asset = One(calls.asset)
    assets = Many(pages.assets)
    asset_page = One(calls.asset_page)
    override = One(calls.override)
    take_back_override = One(calls.take_back_override)
    asset_mappings = One(calls.asset_mappings)
    map_asset = One(calls.map_asset)
    unmap_asset = One(calls.unmap_asset)
    create_paper = One(paper_calls.create_paper)
    paper = One(paper_calls.paper)
    paper_deposit = One(paper_calls.paper_deposit)
    paper_withdraw = One(paper_calls.paper_withdraw)
    paper_order = One(paper_calls.paper_order)
    paper_orders = Many(pages.paper_orders)
    paper_order_page = One(paper_calls.paper_order_page)
    paper_reset = One(paper_calls.paper_reset)
    sell_all_to_usd = One(operation_calls.sell_all_to_usd)
    sell_all_to_btc = One(operation_calls.sell_all_to_btc)
    convert_dust_to_bnb = One(operation_calls.convert_dust_to_bnb)
    transfer = One(operation_calls.transfer)
    transfer_data = One(operation_calls.transfer_data)
    transfer_history = One(operation_calls.transfer_history)
    operation = One(operation_calls.operation)
    operation_page = One(operation_calls.operation_page)
    market_pairs = One(market_data.market_pairs)
    market_pairs_v2 = One(market_data.market_pairs_v2)
    currency_rates = One(market_data.currency_rates)
    currency_rates_with_leverage_data = One(market_data.currency_rates_with_leverage_data)
    leverage_data = One(market_data.leverage_data)
    networks_info = One(market_data.networks_info)
    deposit_data = One(market_data.deposit_data)
    trade_page = One(trading.trade_page)
    daily_volume = One(trading.daily_volume)
    monthly_volume = One(trading.monthly_volume)
    total_volume = One(trading.total_volume)
    active_trading_entities = One(trading.active_trading_entities)
    own_account_page = One(own_calls.own_account_page)
    own_account = One(own_calls.own_account)
    own_summary = One(own_calls.own_summary)
    explain = One(own_calls.explain)
    explain_summary = One(own_calls.explain_summary)
    snapshot_page = One(own_calls.snapshot_page)
    history = One(own_calls.history)
    position_page = One(own_calls.position_page)
    export_csv = One(own_calls.export_csv)
    event_page = One(happenings.event_page)
    webhook_page = One(happenings.webhook_page)
    create_webhook = One(happenings.create_webhook)
    webhook = One(happenings.webhook)
    update_webhook = One(happenings.update_webhook)
    remove_webhook = One(happenings.remove_webhook)
    test_webhook = One(happenings.test_webhook)
    delivery_page = One(happenings.delivery_page)
    portfolio_page = One(balancing.portfolio_page)
    portfolio = One(balancing.portfolio)
    create_portfolio = One(balancing.create_portfolio)
    replace_portfolio = One(balancing.replace_portfolio)
    remove_portfolio = One(balancing.remove_portfolio)
    published_portfolios = One(balancing.published_portfolios)
    published_portfolios_by_offset = One(balancing.published_portfolios_by_offset)
    published_portfolio = One(balancing.published_portfolio)
    auto_balance = One(balancing.auto_balance)
    set_auto_balance = One(balancing.set_auto_balance)
    remove_auto_balance = One(balancing.remove_auto_balance)
    preview_auto_balance = One(balancing.preview_auto_balance)
    run_auto_balance = One(balancing.run_auto_balance)
    trades = Many(pages.trades)
    own_accounts = Many(pages.own_accounts)
    snapshots = Many(pages.snapshots)
    positions = Many(pages.positions)
    events = Many(pages.events)
    webhooks = Many(pages.webhooks)
    deliveries = Many(pages.deliveries)
    portfolios = Many(pages.portfolios)
