"""The summary as an account entity: an account that is no account, so that clients can show it."""

from dataclasses import replace
from typing import Final

from coffers.api.entity import Presentation, entity, frame_of, unlisted
from coffers.keyrights import KeyRights
from coffers.markets.catalogue import Catalogue, Market
from coffers.markets.icons import SUMMARY
from coffers.portfolio.summary import Summary
from coffers.store.records import Account, AutoBalance, SyncState

SUMMARY_ID: Final = 0
"""The id of the summary, which no account has: an integer, since clients expect one."""

_NAME: Final = "Summary"
_KINDS: Final = ("spot", "margin", "futures", "options")


def summary_entity(summary: Summary, catalogue: Catalogue, shown: Presentation) -> bytes:
    """Return the summary as one JSON object. Nothing can be traded or rebalanced there."""
    market = _market(summary, catalogue)
    frame = frame_of(_account(summary), market, shown, has_portfolio=True)
    return entity(frame, summary.figures, market)


def _market(summary: Summary, catalogue: Catalogue) -> Market:
    found = [catalogue.get(view.account.market_code) for view in summary.views]
    markets = [market for market in found if market is not None]
    kinds = {kind for market in markets for kind in market.market_types}
    return replace(
        unlisted(SUMMARY),
        exchange_name=_NAME,
        pretty_display_type=_NAME,
        market_types=tuple(kind for kind in _KINDS if kind in kinds),
        stats_supported=any(market.stats_supported for market in markets),
        available_include_in_summary=True,
    )


def _account(summary: Summary) -> Account:
    return Account(
        id=SUMMARY_ID,
        user_id=SUMMARY_ID,
        market_code=SUMMARY,
        name=_NAME,
        mode="real",
        api_key="",
        customer_id=None,
        subaccount_name=None,
        address=None,
        include_in_summary=True,
        key_state=summary.key_state,
        is_locked=False,
        lock_reason=None,
        rights=KeyRights(read=True, trade=False, withdraw=False),
        hedge_mode=False,
        auto_balance=AutoBalance(),
        sync=SyncState(next_sync_at=summary.updated_at),
        version=0,
        created_at=summary.created_at,
        updated_at=summary.updated_at,
    )
