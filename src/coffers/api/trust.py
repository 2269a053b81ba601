"""How far the figures of a list can be trusted, in headers: the 61 keys of an account stay as is.

- `X-Prices-At`: the moment of the prices that all figures were made with; absent before the first
  price book, when every figure is null.
- `X-Accounts-Incomplete`: how many accounts of the page have figures that do not tell everything.
- `X-Accounts-Incomplete-Why`: those accounts and the reasons, the first 40 of them, as a list of
  RFC 9651: `7;unread, 9;unpriced=2;stale`. The reasons are `unread` (no reading yet), `unpriced=N`
  (assets held that have no price), `missing_wallets=N` (parts that could not be read the last
  time), `stale` (the reading is older than COFFERS_STALE_AFTER, or nobody knows how old, since its
  moment or that of the prices lies ahead of the clock), `flows_unknown` (deposits and withdrawals
  are not all known, so profits may hold some), `no_rate` (no rate of the display currency, now or
  at a moment that a profit is reckoned from).
- `X-Assets-Ignored`: how many holdings count for nothing, since the user ignores the asset; absent
  where there are none. They make no account incomplete.

An account that is answered alone also has `X-Read-At`, the moment of its last good reading, and
while tries since then failed `X-Last-Failure`, the kind of the last failure.
"""

from collections.abc import Sequence
from typing import Final

from coffers.api.paging import Header
from coffers.clock import Millis, iso
from coffers.portfolio.view import Quality
from coffers.store.records import Account
from coffers.valuation.model import PriceBook

NAMED: Final = 40
"""Accounts that are named with their reasons: about 2 KB, which every proxy lets through."""


def doubts(
    account_id: int, quality: Quality, now: Millis, stale_after: Millis, *, lacks_rate: bool
) -> str:
    """Return the account's id with what its figures do not tell, "" when they tell everything."""
    if quality.read_at is None:
        return f"{account_id};unread"
    reasons = []
    if quality.unpriced:
        reasons.append(f"unpriced={len(quality.unpriced)}")
    if quality.missing_wallets:
        reasons.append(f"missing_wallets={len(quality.missing_wallets)}")
    if quality.is_stale(now, stale_after):
        reasons.append("stale")
    if not quality.flows_known:
        reasons.append("flows_unknown")
    if lacks_rate:
        reasons.append("no_rate")
    return ";".join([str(account_id), *reasons]) if reasons else ""


def trust_headers(book: PriceBook | None, doubted: Sequence[str], ignored: int = 0) -> list[Header]:
    """Return the headers of a page.

    `doubted` are the accounts that `doubts` has something on, `ignored` is how many holdings count
    for nothing by the user's wish.
    """
    headers = [(b"x-accounts-incomplete", b"%d" % len(doubted))]
    if book is not None:
        headers.append((b"x-prices-at", iso(book.at).encode()))
    if doubted:
        why = ", ".join(doubted[:NAMED])
        headers.append((b"x-accounts-incomplete-why", why.encode("ascii")))
    if ignored:
        headers.append((b"x-assets-ignored", b"%d" % ignored))
    return headers


def reading_headers(account: Account) -> list[Header]:
    """Return the headers that tell how old a reading is, and why there is no newer one."""
    sync = account.sync
    headers: list[Header] = []
    if sync.read_at is not None:
        headers.append((b"x-read-at", iso(sync.read_at).encode()))
    if sync.failure_kind is not None:
        headers.append((b"x-last-failure", sync.failure_kind.encode("ascii")))
    return headers
