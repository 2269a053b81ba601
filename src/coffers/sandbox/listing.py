"""How the venue lists its pairs: the symbols of exchangeInfo with their filters."""

from decimal import Decimal

from coffers.sandbox.pairs import PAIRS, Pair
from coffers.sandbox.trading import largest_lot, min_notional


def plain(amount: Decimal) -> str:
    """Return an amount as the venue writes it: plain, with eight decimals."""
    return f"{amount:.8f}"


def exchange_info(venue: str, now: int, limit: int) -> dict[str, object]:
    """Return the exchangeInfo body of a venue."""
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": limit,
            }
        ],
        "exchangeFilters": [],
        "symbols": [listed(pair) for pair in PAIRS[venue].values()],
    }


def listed(pair: Pair) -> dict[str, object]:
    """Return a pair as exchangeInfo lists it. Only market orders are taken here."""
    return {
        "symbol": pair.symbol,
        "status": "BREAK" if pair.is_halted else "TRADING",
        "baseAsset": pair.base.code,
        "baseAssetPrecision": 8,
        "quoteAsset": pair.quote.code,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(pair),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _filters(pair: Pair) -> list[dict[str, object]]:
    lots = {
        "minQty": plain(pair.step),
        "maxQty": plain(largest_lot(pair)),
        "stepSize": plain(pair.step),
    }
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": plain(pair.tick),
            "maxPrice": plain(pair.tick * 100_000_000),
            "tickSize": plain(pair.tick),
        },
        {"filterType": "LOT_SIZE", **lots},
        {"filterType": "MARKET_LOT_SIZE", **lots, "minQty": plain(Decimal(0))},
        {
            "filterType": "NOTIONAL",
            "minNotional": plain(min_notional(pair)),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
    ]
