"""Walking through all pages of a list: told as a dialogue, so that both clients can hold it.

A walk yields calls, for each of which it wants the answer, and lists of what it found.
"""

from collections.abc import Callable, Container, Generator, Sequence
from itertools import count
from typing import Any, TypeVar

from coffers.client import balancing, calls, happenings, own_calls, paper_calls, trading
from coffers.client.accounts import Account
from coffers.client.answers import Asset, Flow, PaperOrder
from coffers.client.balancing import Portfolio
from coffers.client.call import Call, Moment, Of, at_cursor
from coffers.client.happenings import Delivery, Event, Webhook
from coffers.client.own_accounts import OwnAccount, OwnPosition, Snapshot
from coffers.client.reply import Reply
from coffers.client.trading import Trade

T = TypeVar("T")
P = TypeVar("P")

Walk = Generator[Call[Any] | Sequence[T], Reply[Any], None]
"""Calls, and lists of what is wanted."""


def accounts(per_page: int = 100, api_key: str | None = None) -> Walk[Account]:
    """All accounts of a mode, by id, each once.

    The API counts pages, so that an account that is removed moves all behind it. Each page is asked
    for so that the last account known is in it: where that is so, at its place, what stands behind
    it is what comes next. Where it is not, all is looked up again, and none that is there all the
    while is missed.
    """
    seen: set[int] = set()
    start, last, lost = 0, -1, (0, -1)
    while True:
        page, size = _overlapping(start, per_page)
        reply = yield calls.account_page(page, size, api_key)
        ids = [account.id for account in reply.value]
        before = (page - 1) * size
        if start and ids[start - before - 1 : start - before] != [last]:
            if lost == (start, last):
                # Once more at the same place, where a removal leaves another account.
                yield from _by_number(per_page, api_key, seen)
                return
            lost, start = (start, last), 0
            continue
        yield [account for account in reply.value if account.id not in seen]
        seen.update(ids)
        is_further = bool(ids) and not (start and ids[-1] == last)
        start, last = before + len(ids), ids[-1] if ids else last
        if reply.total is not None and start >= reply.total:
            return
        if not is_further:
            # A later page stands where it was asked for only if pages are as long as asked for, so
            # that it would have told more. Not so the first, nor where a total tells of more.
            if reply.total is not None or page == 1:
                yield from _by_number(per_page, api_key, seen)
            return


def _overlapping(start: int, per_page: int) -> tuple[int, int]:
    """Return page and size of a page with the place before `start`, and most of what follows."""
    if not start:
        return 1, per_page
    # No page of a size that `start` is a multiple of has both in it.
    least = next(size for size in count(2) if start % size)
    sizes = [size for size in range(2, max(per_page, least) + 1) if start % size]
    size = max(sizes, key=lambda each: each - start % each)
    return start // size + 1, size


def _by_number(per_page: int, api_key: str | None, seen: Container[int]) -> Walk[Account]:
    """Walk through a server's pages as they are, where they are not of the size asked for."""
    walked: set[int] = set()
    for page in count(1):
        found: list[Account] = (yield calls.account_page(page, per_page, api_key)).value
        ids = {account.id for account in found} - walked
        if not ids:
            return
        yield [account for account in found if account.id in ids and account.id not in seen]
        walked |= ids


def flows(
    account_id: int,
    *,
    direction: str | None = None,
    asset: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Walk[Flow]:
    """All deposits and withdrawals of an account, newest first."""
    asked = calls.flow_page(
        account_id, limit=500, direction=direction, asset=asset, since=since, until=until
    )
    return _by_cursor(asked, lambda page: page.flows)


def assets(q: str | None = None, *, only: str | None = None) -> Walk[Asset]:
    """All assets, by code."""
    return _by_cursor(calls.asset_page(q, only=only, limit=100), lambda page: page.assets)


def paper_orders(account_id: int) -> Walk[PaperOrder]:
    """All orders of a paper account, newest first."""
    return _by_cursor(paper_calls.paper_order_page(account_id, limit=500), lambda page: page.orders)


def trades(
    account_id: int,
    *,
    symbol: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Walk[Trade]:
    """All own trades of an account, newest first."""
    asked = trading.trade_page(account_id, limit=500, symbol=symbol, since=since, until=until)
    return _by_cursor(asked, lambda page: page.trades)


def own_accounts() -> Walk[OwnAccount]:
    """All accounts of a mode with their quality, by id."""
    return _by_cursor(own_calls.own_account_page(limit=100), lambda page: page.accounts)


def snapshots(
    account_id: Of = "summary", *, since: Moment | None = None, until: Moment | None = None
) -> Walk[Snapshot]:
    """All values as readings found them, newest first."""
    asked = own_calls.snapshot_page(account_id, limit=1000, since=since, until=until)
    return _by_cursor(asked, lambda page: page.snapshots)


def positions(account_id: Of = "summary") -> Walk[OwnPosition]:
    """All that is held, wallet by wallet."""
    return _by_cursor(own_calls.position_page(account_id, limit=500), lambda page: page.positions)


def webhooks() -> Walk[Webhook]:
    """All webhooks, by id."""
    return _by_cursor(happenings.webhook_page(limit=100), lambda page: page.webhooks)


def deliveries(webhook_id: int) -> Walk[Delivery]:
    """All that was sent to a webhook, or waits; newest first."""
    asked = happenings.delivery_page(webhook_id, limit=100)
    return _by_cursor(asked, lambda page: page.deliveries)


def portfolios() -> Walk[Portfolio]:
    """All portfolios, by id."""
    return _by_cursor(balancing.portfolio_page(limit=100), lambda page: page.portfolios)


def events(
    after: int = 0, *, kinds: Sequence[str] = (), account_id: int | None = None
) -> Walk[Event]:
    """All events after one until now, oldest first."""
    has_more = True
    while has_more:
        asked = happenings.event_page(after, limit=500, kinds=kinds, account_id=account_id)
        page = (yield asked).value
        yield page.events
        after, has_more = page.next_after, page.has_more


def _by_cursor(first: Call[P], items: Callable[[P], Sequence[T]]) -> Walk[T]:
    asked = first
    while True:
        reply = yield asked
        yield items(reply.value)
        cursor = getattr(reply.value, "next_cursor", None)
        if cursor is None:
            return
        asked = at_cursor(first, cursor)
