"""The account entity of the accounts API: 61 keys, in the published order.

What does not change with prices is encoded once per account version (`Frame`); the figures are
written between its parts. Each value comes from the place that the contract names for it:
settings of the account, the market catalogue narrowed by the key's rights, or the figures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

import msgspec

from coffers.clock import iso
from coffers.markets.catalogue import Market
from coffers.money import all_rounded, plain
from coffers.store.records import Account, Portfolio
from coffers.valuation.figures import Column, Columns, Figures, Sheet

_encode = msgspec.json.Encoder().encode
_UNKNOWN = "null"
_QUOTE = '"'
_SHOWN_FROM = 16
"""Length from which a masked API key shows its ends: eight of its characters."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts of an entity before, between and after its figures, encoded, with the commas."""

    head: bytes
    middle: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class Presentation:
    """How entities are shown: where icons are found, and whether API keys are masked."""

    base_url: str
    mask_api_keys: bool


def frame_of(
    account: Account,
    market: Market,
    shown: Presentation,
    *,
    has_portfolio: bool = False,
    portfolio: Portfolio | None = None,
) -> Frame:
    """Return the encoded parts of an account that stay until the account changes.

    `has_portfolio` adds the key of the portfolio that the account is rebalanced to, which single
    accounts have and lists do not; it is null where there is none.
    """
    tail = {
        "pretty_display_type": market.pretty_display_type,
        "exchange_name": market.exchange_name,
        "market_code": market.code,
        "api_keys_state": account.key_state,
    }
    if account.address is not None:
        tail["address"] = account.address
    goal = None if portfolio is None else published_portfolio(portfolio)
    extra: dict[str, object] = {"auto_balance_portfolio": goal} if has_portfolio else {}
    return Frame(
        head=_encode(_head(account, market, shown, extra))[:-1] + b",",
        middle=_encode(_middle(account, shown))[1:-1] + b",",
        tail=b"," + _encode(tail)[1:],
    )


def entity(frame: Frame, figures: Figures, market: Market) -> bytes:
    """Return the account as one JSON object."""
    sheet = Sheet.of((figures,), figures.display_currency)
    return b"".join(parts_of_entities((frame,), sheet, (market,))[0])


def parts_of_entities(
    frames: Sequence[Frame], sheet: Sheet, markets: Sequence[Market]
) -> list[tuple[bytes, ...]]:
    """Return the pieces that the JSON object of each account is made of, in their order.

    What the frame has is in them as it is: a list is put together at once, and nothing is copied
    twice or kept twice.
    """
    btc, usd = _texts(sheet.btc), _texts(sheet.usd)
    # Mostly the display currency is one of the two, and its texts are ready.
    if sheet.display is sheet.usd:
        shown = usd
    else:
        shown = btc if sheet.display is sheet.btc else _texts(sheet.display)
    display_keys = _display_keys(sheet, shown)
    return [
        (
            frame.head,
            first.encode(),
            _IN_SUMMARY
            if worth is not None and market.available_include_in_summary
            else _NOT_IN_SUMMARY,
            frame.middle,
            second.encode(),
            frame.tail,
        )
        for frame, market, worth, first, second in zip(
            frames, markets, sheet.usd.amount, display_keys, _plain_keys(btc, usd), strict=True
        )
    ]


def unlisted(code: str) -> Market:
    """Return a market that allows nothing, for an account whose market left the catalogue."""
    return Market(
        code=code,
        venue=None,
        name=code,
        exchange_name=code,
        pretty_display_type=code,
        required_fields=(),
        optional_fields=(),
        connection_flows=(),
        market_types=(),
        wallet=None,
        chain=None,
        **dict.fromkeys(_FLAGS, False),
    )


_FLAGS = [part.name for part in fields(Market) if part.type is bool]
_IN_SUMMARY = b',"available_include_in_summary":true,'
_NOT_IN_SUMMARY = b',"available_include_in_summary":false,'


def masked(api_key: str) -> str:
    """Return the ends of an API key, enough to tell keys apart and too little to be one."""
    if len(api_key) < _SHOWN_FROM:
        return "..." if api_key else ""
    return f"{api_key[:4]}...{api_key[-4:]}"


def published_portfolio(portfolio: Portfolio) -> dict[str, object]:
    """Return a portfolio in the form of the published API; percentages as texts."""
    return {
        "id": portfolio.id,
        "name": portfolio.name,
        "created_at": iso(portfolio.created_at),
        "portfolio_entries": [
            {"target_percentage": plain(share), "currency_code": asset}
            for asset, share in sorted(portfolio.targets.items())
        ],
    }


def _head(
    account: Account, market: Market, shown: Presentation, portfolio: dict[str, object]
) -> dict[str, object]:
    may_trade = account.rights.trade is not False
    auto = account.auto_balance
    return {
        "id": account.id,
        "auto_balance_period": auto.period_hours,
        "auto_balance_portfolio_id": auto.portfolio_id,
        **portfolio,
        "auto_balance_currency_change_limit": auto.currency_change_limit,
        "autobalance_enabled": auto.enabled,
        "hedge_mode_available": market.hedge_mode_available,
        "hedge_mode_enabled": account.hedge_mode,
        "is_locked": account.is_locked,
        "smart_trading_supported": market.smart_trading_supported and may_trade,
        "smart_selling_supported": market.smart_trading_supported and may_trade,
        "available_for_trading": {},
        "stats_supported": market.stats_supported,
        "trading_supported": market.trading_supported and may_trade,
        "market_buy_supported": market.market_buy_supported and may_trade,
        "market_sell_supported": market.market_sell_supported and may_trade,
        "conditional_buy_supported": market.conditional_buy_supported and may_trade,
        "bots_allowed": market.bots_allowed and may_trade,
        "bots_ttp_allowed": market.bots_ttp_allowed and may_trade,
        "bots_tsl_allowed": market.bots_tsl_allowed and may_trade,
        "gordon_bots_available": market.gordon_bots_available and may_trade,
        "multi_bots_allowed": market.multi_bots_allowed and may_trade,
        "created_at": iso(account.created_at),
        "updated_at": iso(account.updated_at),
        "last_auto_balance": None if auto.last_at is None else iso(auto.last_at),
        "fast_convert_available": market.fast_convert_available and may_trade,
        "grid_bots_allowed": market.grid_bots_allowed and may_trade,
        "api_key_invalid": account.key_state == "expired",
        "market_icon": f"{shown.base_url}/img/exchanges/{market.code}.svg",
        "deposit_enabled": market.deposit_enabled,
        "include_in_summary": account.include_in_summary,
        "supported_market_types": market.market_types,
    }


def _middle(account: Account, shown: Presentation) -> dict[str, object]:
    return {
        "api_key": masked(account.api_key) if shown.mask_api_keys else account.api_key,
        "name": account.name,
        "auto_balance_method": account.auto_balance.method,
        "auto_balance_error": account.auto_balance.error,
        "customer_id": account.customer_id,
        "subaccount_name": account.subaccount_name,
        "lock_reason": account.lock_reason,
    }


class _Texts(NamedTuple):
    """One currency's figures as JSON texts, column by column. Percentages have two places."""

    amount: list[str]
    day: list[str]
    day_percentage: list[str]
    month: list[str]
    month_percentage: list[str]
    total: list[str]


def _texts(shown: Columns) -> _Texts:
    return _Texts(
        _column(shown.amount),
        _column(shown.day_profit),
        _column(all_rounded(shown.day_percentage, 2)),
        _column(shown.month_profit),
        _column(all_rounded(shown.month_percentage, 2)),
        _column(shown.total),
    )


@lru_cache(maxsize=256)
def _in_currency(code: str) -> str:
    return f'{{"currency":{_encode(code).decode()},"amount":'


def _display_keys(sheet: Sheet, texts: _Texts) -> Iterator[str]:
    prefix = _in_currency(sheet.display_currency)
    day_percentages = _column(all_rounded(sheet.display.day_percentage, 4))
    for row in zip(*texts, day_percentages, strict=True):
        amount, day, _, month, month_percentage, total, day_percentage = row
        # The total is the one number among strings, for the clients' sake.
        yield (
            f'"primary_display_currency_profit_percentage":{prefix}{month_percentage}}},'
            f'"primary_display_currency_profit":{prefix}{month}}},'
            f'"day_profit_primary_display_currency_percentage":{prefix}{day_percentage}}},'
            f'"day_profit_primary_display_currency":{prefix}{day}}},'
            f'"primary_display_currency_amount":{prefix}{amount}}},'
            f'"total_primary_display_currency_profit":{prefix}{total.strip(_QUOTE)}}}'
        )


def _plain_keys(btc: _Texts, usd: _Texts) -> Iterator[str]:
    for of_btc, of_usd in zip(zip(*btc, strict=True), zip(*usd, strict=True), strict=True):
        btc_amount, btc_day, btc_day_percentage, btc_month, btc_month_percentage, btc_total = of_btc
        usd_amount, usd_day, usd_day_percentage, usd_month, usd_month_percentage, usd_total = of_usd
        yield (
            f'"btc_amount":{btc_amount},"usd_amount":{usd_amount},'
            f'"day_profit_btc":{btc_day},"day_profit_usd":{usd_day},'
            f'"day_profit_btc_percentage":{btc_day_percentage},'
            f'"day_profit_usd_percentage":{usd_day_percentage},'
            f'"btc_profit":{btc_month},"usd_profit":{usd_month},'
            f'"usd_profit_percentage":{usd_month_percentage},'
            f'"btc_profit_percentage":{btc_month_percentage},'
            f'"total_btc_profit":{btc_total},"total_usd_profit":{usd_total}'
        )


def _column(numbers: Column) -> list[str]:
    """Return numbers as JSON texts."""
    return [
        _UNKNOWN
        if number is None
        else text
        # Few are not in the wire's form yet.
        if (text := f'"{number!s}"')[-2] > "0" and "." in text and "E" not in text
        else f'"{plain(number)}"'
        for number in numbers
    ]
