"""Walking through all pages of a list: told as a dialogue, so that both clients can hold it.

A walk yields calls, for each of which it wants the answer, and lists of what it found.
"""

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from coffers.client import calls
from coffers.client.accounts import Account
from coffers.client.answers import Asset, Flow, PaperOrder
from coffers.client.calls import Call, Moment
from coffers.client.reply import Reply

T = TypeVar("T")
P = TypeVar("P")

Walk = Generator[Call[Any] | Sequence[T], Reply[Any], None]
"""Calls, and lists of what is wanted."""


def accounts(per_page: int = 100, api_key: str | None = None) -> Walk[Account]:
    """All accounts of a mode, by id, each once.

    Where accounts come or go while the pages are asked for, those that moved to a page before are
    looked up again: none that is there all the while is missed.
    """
    seen: set[int] = set()
    page, total = 1, None
    while True:
        reply = yield calls.account_page(page, per_page, api_key)
        found: list[Account] = reply.value
        fresh = [account for account in found if account.id not in seen]
        if page > 1 and reply.total != total:
            page, total = 1, reply.total
            continue
        total = reply.total
        yield fresh
        seen.update(account.id for account in fresh)
        # A server that tells no total, or knows no pages, is asked until it tells nothing new.
        is_last = page * per_page >= total if total is not None else not fresh
        if is_last:
            return
        page += 1


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
    return _by_cursor(calls.paper_order_page(account_id, limit=500), lambda page: page.orders)


def _by_cursor(first: Call[P], items: Callable[[P], Sequence[T]]) -> Walk[T]:
    asked = first
    while True:
        reply = yield asked
        yield items(reply.value)
        cursor = getattr(reply.value, "next_cursor", None)
        if cursor is None:
            return
        asked = calls.at_cursor(first, cursor)
