"""The account entity of the accounts API: 61 keys, in the published order.

What does not change with prices is encoded once per account version (`Frame`); the figures are
written between its parts. Each value comes from the place that the contract names for it:
settings of the account, the market catalogue narrowed by the key's rights, or the figures.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from hashlib import sha256
from itertools import repeat
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
    """The parts of an entity before, between and after its figures, encoded, with the commas.

    `digest` stands for them in the tag of a list, and for what else the entity is made of besides
    the prices: the account's version, which its figures follow from, and what its market allows.
    """

    head: bytes
    middle: bytes
    tail: bytes
    digest: bytes

    @classmethod
    def of(cls, head: bytes, middle: bytes, tail: bytes, made_of: tuple[object, ...]) -> "Frame":
        """Return the frame of these parts; `made_of` is what else is in the digest."""
        digest = sha256(head + middle + tail + repr(made_of).encode()).digest()
        return cls(head, middle, tail, digest)


@dataclass(frozen=True, slots=True)
class Presentation:
    """How entities are shown: where icons are found, and whether API keys are masked."""

    base_url: str
    mask_api_keys: bool


Pieces = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
"""An entity in its order: head, figures, whether it is in the summary, middle, figures, tail."""


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
    return Frame.of(
        head=_encode(_head(account, market, shown, extra))[:-1] + b",",
        middle=_encode(_middle(account, shown))[1:-1] + b",",
        tail=b"," + _encode(tail)[1:],
        made_of=(account.version, market.available_include_in_summary),
    )


def entity(frame: Frame, figures: Figures, market: Market) -> bytes:
    """Return the account as one JSON object."""
    sheet = Sheet.of((figures,), figures.display_currency)
    return b"".join(parts_of_entities((frame,), sheet, (market,))[0])


def parts_of_entities(
    frames: Sequence[Frame], sheet: Sheet, markets: Sequence[Market]
) -> list[Pieces]:
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
    summed = [
        _IN_SUMMARY
        if worth is not None and market.available_include_in_summary
        else _NOT_IN_SUMMARY
        for market, worth in zip(markets, sheet.usd.amount, strict=True)
    ]
    rows = zip(frames, _display_keys(sheet, shown), summed, _plain_keys(btc, usd), strict=True)
    return [
        (frame.head, first, in_summary, frame.middle, second, frame.tail)
        for frame, first, in_summary, second in rows
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


class _Written(NamedTuple):
    """A column of numbers as JSON texts, and what stands around each of them.

    Where one is unknown that is nothing: null has no quotes, and the others bring theirs.
    """

    texts: list[str]
    quote: str = _QUOTE

    def bare(self) -> "_Written":
        """Return them as JSON numbers."""
        texts = self.texts if self.quote else [text.strip(_QUOTE) for text in self.texts]
        return _Written(texts, "")


class _Texts(NamedTuple):
    """One currency's figures as JSON texts, column by column. Percentages have two places."""

    amount: _Written
    day: _Written
    day_percentage: _Written
    month: _Written
    month_percentage: _Written
    total: _Written


def _texts(shown: Columns) -> _Texts:
    return _Texts(
        _written(shown.amount),
        _written(shown.day_profit),
        _written(all_rounded(shown.day_percentage, 2)),
        _written(shown.month_profit),
        _written(all_rounded(shown.month_percentage, 2)),
        _written(shown.total),
    )


def _written(numbers: Column) -> _Written:
    texts = [
        # Few are not in the wire's form yet.
        text
        if (text := str(number))[-1] != "0" and "." in text and "E" not in text
        else _text(number)
        for number in numbers
    ]
    if _UNKNOWN not in texts:
        return _Written(texts)
    return _Written([text if text == _UNKNOWN else f'"{text}"' for text in texts], "")


def _text(number: Decimal | None) -> str:
    return _UNKNOWN if number is None else plain(number)


def _display_keys(sheet: Sheet, texts: _Texts) -> Iterator[bytes]:
    amount = f'":{{"currency":{_encode(sheet.display_currency).decode()},"amount":'
    columns = {
        "primary_display_currency_profit_percentage": texts.month_percentage,
        "primary_display_currency_profit": texts.month,
        "day_profit_primary_display_currency_percentage": _written(
            all_rounded(sheet.display.day_percentage, 4)
        ),
        "day_profit_primary_display_currency": texts.day,
        "primary_display_currency_amount": texts.amount,
        # The one number among strings, for the clients' sake.
        "total_primary_display_currency_profit": texts.total.bare(),
    }
    return _rows(columns, amount, "}")


def _plain_keys(btc: _Texts, usd: _Texts) -> Iterator[bytes]:
    columns = {
        "btc_amount": btc.amount,
        "usd_amount": usd.amount,
        "day_profit_btc": btc.day,
        "day_profit_usd": usd.day,
        "day_profit_btc_percentage": btc.day_percentage,
        "day_profit_usd_percentage": usd.day_percentage,
        "btc_profit": btc.month,
        "usd_profit": usd.month,
        "usd_profit_percentage": usd.month_percentage,
        "btc_profit_percentage": btc.month_percentage,
        "total_btc_profit": btc.total,
        "total_usd_profit": usd.total,
    }
    return _rows(columns, '":', "")


def _rows(columns: Mapping[str, _Written], begin: str, end: str) -> Iterator[bytes]:
    """Return the members of each account's object under these keys, encoded.

    `begin` and `end` stand around each value, the end of a key before it. What is the same in all
    rows lies between the columns: rows are put together twice as fast as one by one.
    """
    pieces: list[Iterable[str]] = []
    after = ""
    for key, (texts, quote) in columns.items():
        pieces += repeat(f'{after}"{key}{begin}{quote}'), texts
        after = f"{quote}{end},"
    pieces.append(repeat(after[:-1]))
    return map(str.encode, map("".join, zip(*pieces, strict=False)))
