"""The forms of accounts with their quality that programs read; `docs/api.md` tells their fields."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from coffers import money
from coffers.clock import Millis, age, iso
from coffers.markets.catalogue import MANUAL, PAPER, Catalogue
from coffers.money import plain
from coffers.portfolio.summary import Summary
from coffers.portfolio.worked import Worked
from coffers.store.records import Account
from coffers.valuation.figures import CurrencyFigures, Figures, Gain
from coffers.valuation.model import Price, PriceBook

AccountKind = Literal["exchange", "wallet", "manual", "paper"]
Plain = dict[str, object]


def plain_account(worked: Worked, catalogue: Catalogue, now: Millis, stale_after: Millis) -> Plain:
    """Return an account with its figures, and with all that is to be known of their quality."""
    account = worked.view.account
    market = catalogue.get(account.market_code)
    return {
        "id": account.id,
        "name": account.name,
        "kind": kind_of(account),
        "mode": account.mode,
        "market_code": account.market_code,
        "market_name": account.market_code if market is None else market.name,
        "address": account.address,
        "subaccount_name": account.subaccount_name,
        "include_in_summary": account.include_in_summary,
        "version": account.version,
        "created_at": iso(account.created_at),
        "updated_at": iso(account.updated_at),
        "state": _state(account),
        "figures": plain_figures(worked.view.figures),
        "quality": _quality(worked, now, stale_after),
    }


def plain_summary(
    summary: Summary, worked: Sequence[Worked], now: Millis, stale_after: Millis
) -> Plain:
    """Return the summary, with the quality of the worst of its accounts."""
    qualities = {each.view.account.id: _quality(each, now, stale_after) for each in worked}
    return {
        "account_ids": list(qualities),
        "figures": plain_figures(summary.figures),
        "is_complete": all(each["is_complete"] for each in qualities.values()),
        "incomplete": [
            {"account_id": account_id, "reasons": quality["reasons"]}
            for account_id, quality in qualities.items()
            if quality["reasons"]
        ],
        "oldest_reading_at": _iso(
            min((each.view.quality.read_at or Millis(0) for each in worked), default=None) or None
        ),
    }


def with_ages(shown: Plain, now: Millis, book: PriceBook | None) -> Plain:
    """Return an answer with the ages of what it was made of, in seconds.

    They are put in last, since they change from moment to moment while the answer does not.
    """
    prices_at = None if book is None else book.at
    return {**shown, "prices_age_seconds": age(prices_at, now), "told_at": iso(now)}


def reasons_of(worked: Worked, now: Millis, stale_after: Millis) -> list[str]:
    """Return why an account's figures are not wholly to be trusted; nothing where they are."""
    quality, history = worked.view.quality, worked.inputs.history
    told = {
        "unread": quality.read_at is None,
        "unpriced": bool(quality.unpriced),
        "missing_wallets": bool(quality.missing_wallets),
        "stale": quality.is_stale(now, stale_after),
        "flows_unknown": not worked.view.account.sync.flows_known,
        "flows_unvalued": history is not None and history.has_unvalued_flows,
        "no_history": quality.read_at is not None and history is None,
        "no_rate": worked.view.figures.lacks_rate,
    }
    return [reason for reason, holds in told.items() if holds]


def plain_figures(figures: Figures) -> Plain:
    """Return figures as exact texts, null where they are not known."""
    return {
        "btc": _currency(figures.btc, 2),
        "usd": _currency(figures.usd, 2),
        "display": {"currency": figures.display_currency, **_currency(figures.display, 4)},
    }


def kind_of(account: Account) -> AccountKind:
    """Return what sort of account it is."""
    match account.market_code:
        case code if code == MANUAL:
            return "manual"
        case code if code == PAPER:
            return "paper"
    return "exchange" if account.address is None else "wallet"


def percent(gain: Gain, places: int) -> str:
    """Return a profit's percentage as it is shown."""
    return plain(money.rounded(gain.percentage, places))


def text(amount: Decimal | None) -> str | None:
    """Return an amount with all of its digits, None where it is not known."""
    return None if amount is None else plain(amount)


def _currency(figures: CurrencyFigures, day_places: int) -> Plain:
    return {
        "amount": text(figures.amount),
        "day": _gain(figures.day, day_places),
        "month": _gain(figures.month, 2),
        "total_profit": text(figures.total),
    }


def _gain(gain: Gain | None, places: int) -> Plain | None:
    if gain is None:
        return None
    return {"profit": plain(gain.profit), "percentage": percent(gain, places)}


def _state(account: Account) -> Plain:
    sync = account.sync
    failure = None
    if sync.failure_kind is not None:
        failure = {
            "kind": sync.failure_kind,
            "code": sync.failure_code,
            "message": sync.failure_message,
            "times": sync.failures,
        }
    return {
        "key_state": account.key_state,
        "is_locked": account.is_locked,
        "lock_reason": account.lock_reason,
        "next_reading_at": iso(sync.next_sync_at),
        "last_failure": failure,
        "has_doubted_reading": sync.suspect is not None,
    }


def _quality(worked: Worked, now: Millis, stale_after: Millis) -> Plain:
    quality = worked.view.quality
    held_back = {} if worked.book is None else worked.book.held_back
    prices = _prices_of(worked)
    return {
        "is_complete": quality.is_complete,
        "reasons": reasons_of(worked, now, stale_after),
        "as_of": iso(quality.as_of),
        "read_at": _iso(quality.read_at),
        "unpriced": [asset for asset in quality.unpriced if asset not in held_back],
        "held_back": [asset for asset in quality.unpriced if asset in held_back],
        "missing_wallets": list(quality.missing_wallets),
        "ignored": list(quality.ignored),
        "price_sources": sorted({source for price in prices for source in price.sources}),
        "oldest_price_at": _iso(min((price.at for price in prices), default=None)),
    }


def _prices_of(worked: Worked) -> list[Price]:
    known = {} if worked.book is None else worked.book.prices
    return [known[asset] for asset in worked.counted if asset in known]


def _iso(moment: Millis | None) -> str | None:
    return None if moment is None else iso(moment)
