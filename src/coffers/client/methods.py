"""The endpoints as methods of both clients: one line each."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from coffers.client import calls, pages
from coffers.client.calls import Call
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
    create_paper = One(calls.create_paper)
    paper = One(calls.paper)
    paper_deposit = One(calls.paper_deposit)
    paper_withdraw = One(calls.paper_withdraw)
    paper_order = One(calls.paper_order)
    paper_orders = Many(pages.paper_orders)
    paper_order_page = One(calls.paper_order_page)
    paper_reset = One(calls.paper_reset)
    sell_all_to_usd = One(calls.sell_all_to_usd)
    sell_all_to_btc = One(calls.sell_all_to_btc)
    convert_dust_to_bnb = One(calls.convert_dust_to_bnb)
    transfer = One(calls.transfer)
    transfer_data = One(calls.transfer_data)
    transfer_history = One(calls.transfer_history)
    operation = One(calls.operation)
    operation_page = One(calls.operation_page)
