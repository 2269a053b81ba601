"""The summary as an account entity."""

import json
from decimal import Decimal

from coffers.api.account_schema import SINGLE_ACCOUNT
from coffers.api.entity import Presentation
from coffers.api.summary_entity import summary_entity
from coffers.markets.catalogue import load_catalogue
from coffers.portfolio.summary import Summary
from coffers.portfolio.view import AccountView, Quality
from coffers.valuation.figures import CurrencyFigures, Figures
from factories import NOW, account

WORTH = CurrencyFigures(amount=Decimal("12.5"))
FIGURES = Figures(WORTH, WORTH, WORTH, "USD")
QUALITY = Quality(NOW, NOW, (), (), flows_known=True)


def shown(*codes: str) -> dict[str, object]:
    views = tuple(AccountView(account(market_code=code), FIGURES, QUALITY) for code in codes)
    summary = Summary(views, FIGURES, "expire_soon", NOW, NOW)
    body = summary_entity(summary, load_catalogue(), Presentation("http://x", mask_api_keys=False))
    entity: dict[str, object] = json.loads(body)
    return entity


def test_it_has_the_keys_of_a_single_account() -> None:
    keys = list(shown("binance"))
    assert sorted(keys) == sorted(SINGLE_ACCOUNT["required"])
    assert keys[2:4] == ["auto_balance_portfolio_id", "auto_balance_portfolio"]


def test_it_is_no_account_and_nothing_can_be_done_there() -> None:
    entity = shown("binance")
    assert (entity["id"], entity["name"], entity["api_key"]) == (0, "Summary", "")
    assert entity["market_icon"] == "http://x/img/exchanges/summary.svg"
    able = {name for name, value in entity.items() if value is True}
    assert able == {"stats_supported", "include_in_summary", "available_include_in_summary"}


def test_it_has_the_sums_the_kinds_of_all_markets_and_the_worst_key() -> None:
    entity = shown("binance_futures", "binance", "gone")
    assert entity["usd_amount"] == "12.5"
    assert entity["supported_market_types"] == ["spot", "futures"]
    assert entity["api_keys_state"] == "expire_soon"


def test_without_accounts_no_history_is_kept() -> None:
    entity = shown()
    assert (entity["stats_supported"], entity["supported_market_types"]) == (False, [])
