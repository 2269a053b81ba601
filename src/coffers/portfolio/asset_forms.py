"""The forms of assets that programs read; `docs/api.md` tells their fields."""

from coffers.clock import Millis, iso
from coffers.money import plain
from coffers.portfolio.assets import AssetPage, AssetView, Holding
from coffers.portfolio.cursors import cursor_at
from coffers.portfolio.prices import as_plain
from coffers.pricing.sources.coins import KEY
from coffers.store.records import AssetMapping, AssetOverride


def plain_asset(view: AssetView, now: Millis) -> dict[str, object]:
    """Return an asset; amounts are texts, what is not known is null."""
    asset, seen_at = view.asset, view.asset.first_seen_at
    return {
        "asset": asset.code,
        "symbol": view.symbol,
        "name": view.name,
        "kind": asset.kind,
        "coingecko_id": asset.coingecko_id,
        "chain": asset.chain,
        "contract": asset.contract,
        "first_seen_at": None if seen_at is None else iso(seen_at),
        "state": view.state,
        "why": view.why,
        "price": as_plain(view.price, now),
        "held": [_holding(holding) for holding in view.held],
        "override": None if view.override is None else _override(view.override),
    }


def plain_page(page: AssetPage, now: Millis) -> dict[str, object]:
    """Return a page of assets, with the cursor of the next one."""
    after = page.next_after
    return {
        "assets": [plain_asset(view, now) for view in page.assets],
        "next_cursor": None if after is None else cursor_at((after,)),
    }


def plain_mapping(said: AssetMapping) -> dict[str, object]:
    """Return what a venue's code means."""
    return {
        "market_code": said.market_code,
        "venue_code": said.venue_code,
        "asset": said.asset,
    }


def _holding(holding: Holding) -> dict[str, object]:
    return {
        "account_id": holding.account_id,
        "market_code": holding.market_code,
        "wallet": holding.wallet,
        "venue_code": holding.venue_code,
        "amount": plain(holding.owned),
    }


def _override(said: AssetOverride) -> dict[str, object]:
    key = said.priced_as or ""
    is_coin = key.startswith(KEY)
    return {
        "name": said.name,
        "symbol": said.symbol,
        "coingecko_id": key.removeprefix(KEY) if is_coin else None,
        "contract": key if key and not is_coin else None,
        "ignored": said.is_ignored,
        "by_symbol": said.by_symbol,
    }
