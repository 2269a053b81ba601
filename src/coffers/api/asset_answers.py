"""What a request says of assets, read strictly: pages, overrides and mappings."""

from typing import Final

from coffers.api.cursors import after_of, limit_of
from coffers.api.given import Given
from coffers.api.params import MOST_PER_PAGE
from coffers.errors import InvalidRecord
from coffers.markets.assets import LONGEST_CODE
from coffers.portfolio.assets import AssetsWanted
from coffers.portfolio.overrides import OverrideWanted
from coffers.store.records import AssetMapping

_ODD: Final = "does not have a valid value"


def assets_wanted(given: Given) -> AssetsWanted:
    """Return which assets are asked for: `q`, `only`, `cursor` and `limit`.

    Raises:
        InvalidRecord: naming the parameter that cannot be meant.
    """
    only = given.text("only")
    if only not in {None, "held"}:
        raise InvalidRecord({"only": [_ODD]})
    # Empty, it is the first page of this list; it always was.
    after = after_of(given, tuple[str]) if given.text("cursor") else None
    return AssetsWanted(
        text=_short("q", given),
        is_held=only == "held",
        after="" if after is None else after[0],
        limit=limit_of(given, MOST_PER_PAGE, MOST_PER_PAGE),
    )


def override_wanted(given: Given) -> OverrideWanted:
    """Return what a caller says of an asset; an empty text is none.

    Raises:
        InvalidRecord: naming the parameter that cannot be meant.
    """
    by_symbol = given.flag("by_symbol")
    return OverrideWanted(
        name=given.text("name") or None,
        symbol=given.text("symbol") or None,
        coingecko_id=given.text("coingecko_id") or None,
        contract=given.text("contract") or None,
        is_ignored=bool(given.flag("ignored")),
        by_symbol=by_symbol is not False,
    )


def mapping_of(given: Given) -> AssetMapping:
    """Return what a caller says that a venue's code means.

    Raises:
        InvalidRecord: naming the parameters that are missing or cannot be meant.
    """
    return AssetMapping(*given.all_required("market_code", "venue_code", "asset"))


def _short(name: str, given: Given) -> str:
    text = given.text(name) or ""
    if len(text) > LONGEST_CODE or "\0" in text:
        raise InvalidRecord({name: ["is invalid"]})
    return text
