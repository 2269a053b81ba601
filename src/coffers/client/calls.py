"""The calls of accounts, their balances, prices and assets, and of the user.

Other subjects have files of their own. To add an endpoint: one function, and one line in `methods`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec.json import Decoder

from coffers.client import accounts as form
from coffers.client import answers
from coffers.client.call import Call, Moment, Of, Parameter, escaped, keyed, moment, texts

_true = Decoder(bool).decode
_account = Decoder(form.Account).decode
_accounts = Decoder(list[form.Account]).decode
_pie = Decoder(list[form.Slice]).decode
_table = Decoder(list[form.Row]).decode
_chart = Decoder(list[form.Point]).decode
_markets = Decoder(list[form.Market]).decode
_types = Decoder(list[form.ConnectType]).decode
_loose = Decoder(form.LooseAccount).decode
_currencies = Decoder(list[form.Currency]).decode
_pong = Decoder(answers.Pong).decode
_time = Decoder(answers.ServerTime).decode
_valid = Decoder(answers.Valid).decode
_mode = Decoder(answers.Mode).decode
_locale = Decoder(answers.Locale).decode
_permissions = Decoder(dict[str, bool]).decode
_contracts = Decoder(answers.Contracts).decode
_flows = Decoder(answers.Flows).decode
_price = Decoder(answers.Price).decode
_prices = Decoder(list[answers.Price]).decode
_asset = Decoder(answers.Asset).decode
_assets = Decoder(answers.Assets).decode
_mapping = Decoder(answers.AssetMapping).decode
_mappings = Decoder(list[answers.AssetMapping]).decode

_A = "/ver1/accounts"


def ping() -> Call[answers.Pong]:
    """Is the server there?"""
    return Call("GET", "/ver1/ping", _pong, is_signed=False)


def time() -> Call[answers.ServerTime]:
    """What time is it there?"""
    return Call("GET", "/ver1/time", _time, is_signed=False)


def validate() -> Call[answers.Valid]:
    """Are token and signature good?"""
    return Call("GET", "/ver1/validate", _valid)


def account_page(
    page: int = 1, per_page: int = 100, api_key: str | None = None
) -> Call[list[form.Account]]:
    """One page of the accounts of a mode, by id."""
    asked = {"page": page, "per_page": per_page, "api_key": api_key}
    return Call("GET", _A, _accounts, asked, keeps=True)


def account(account_id: int) -> Call[form.Account]:
    """One account."""
    return Call("GET", f"{_A}/{account_id}", _account)


def summary() -> Call[form.Account]:
    """All accounts of a mode as one."""
    return Call("GET", f"{_A}/summary", _account)


def connect(
    type: str,  # noqa: A002 - as the API calls it
    name: str,
    *,
    types_to_create: Sequence[str] | None = None,
    include_in_summary: bool | None = None,
    **credentials: str,
) -> Call[form.Account]:
    """Connect an account by its credentials: `api_key`, `secret`, `address`, ... ."""
    asked: dict[str, Parameter] = {"type": type, "name": name, **credentials}
    asked |= {"types_to_create": types_to_create, "include_in_summary": include_in_summary}
    return Call("POST", f"{_A}/new", _account, asked)


def update(
    account_id: int,
    *,
    name: str | None = None,
    include_in_summary: bool | None = None,
    **credentials: str,
) -> Call[form.Account]:
    """Give an account another name, place in the summary, or credentials."""
    asked: dict[str, Parameter] = {"account_id": account_id, "name": name, **credentials}
    asked["include_in_summary"] = include_in_summary
    return Call("POST", f"{_A}/update", _account, asked)


def rename(account_id: int, name: str) -> Call[form.Account]:
    """Give an account another name."""
    return Call("POST", f"{_A}/{account_id}/rename", _account, {"name": name})


def remove(account_id: int) -> Call[bool]:
    """Remove an account with its sealed key and its history."""
    return Call("POST", f"{_A}/{account_id}/remove", _true)


def load_balances(account_id: int) -> Call[form.Account]:
    """Have an account read now."""
    return Call("POST", f"{_A}/{account_id}/load_balances", _account)


def pie(account_id: Of = "summary") -> Call[list[form.Slice]]:
    """Assets by their parts."""
    return Call("POST", f"{_A}/{account_id}/pie_chart_data", _pie)


def table(account_id: Of = "summary") -> Call[list[form.Row]]:
    """Assets with amounts and prices."""
    return Call("POST", f"{_A}/{account_id}/account_table_data", _table)


def chart(
    account_id: Of = "summary", *, date_from: Moment, date_to: Moment | None = None
) -> Call[list[form.Point]]:
    """Value over time, from a day or moment to another one, or to now."""
    span = {"date_from": moment(date_from), "date_to": moment(date_to)}
    return Call("GET", f"{_A}/{account_id}/balance_chart_data", _chart, span)


def markets() -> Call[list[form.Market]]:
    """The markets that can be connected."""
    return Call("GET", f"{_A}/market_list", _markets, is_signed=False)


def types_to_connect(
    type: str,  # noqa: A002 - as the API calls it
    api_key: str | None = None,
) -> Call[list[form.ConnectType]]:
    """The markets that one key opens."""
    return Call("GET", f"{_A}/types_to_connect", _types, {"type": type, "api_key": api_key})


def permissions() -> Call[dict[str, bool]]:
    """What the token may do."""
    return Call("GET", "/ver1/users/permissions_info", _permissions)


def current_mode() -> Call[answers.Mode]:
    """Which accounts lists show."""
    return Call("GET", "/ver1/users/current_mode", _mode)


def change_mode(mode: str) -> Call[bool]:
    """Choose which accounts lists show, for all tokens of the user."""
    return Call("POST", "/ver1/users/change_mode", _true, {"mode": mode})


def locale(locale: str) -> Call[answers.Locale]:
    """Choose the language that errors are explained in."""
    return Call("PUT", "/ver1/users/locale", _locale, {"locale": locale})


def create_loose(
    name: str,
    amounts: Mapping[str, Decimal],
    *,
    include_in_summary: bool | None = None,
    idempotency_key: str | None = None,
) -> Call[form.LooseAccount]:
    """Make a hand-kept account that holds these amounts, by asset."""
    asked = _held(amounts) | {"name": name, "include_in_summary": include_in_summary}
    return Call("POST", "/ver1/loose_accounts", _loose, asked, keyed(idempotency_key))


def replace_loose(
    account_id: int,
    amounts: Mapping[str, Decimal],
    *,
    name: str | None = None,
    include_in_summary: bool | None = None,
) -> Call[form.LooseAccount]:
    """Say anew what a hand-kept account holds."""
    asked = _held(amounts) | {"name": name, "include_in_summary": include_in_summary}
    return Call("PUT", f"/ver1/loose_accounts/{account_id}", _loose, asked)


def available_currencies(
    contains: str | None = None, limit: int | None = None, offset: int | None = None
) -> Call[list[form.Currency]]:
    """What has a price now, by code."""
    asked = {"contains": contains, "limit": limit, "offset": offset}
    return Call("GET", "/ver1/loose_accounts/available_currencies", _currencies, asked)


def contracts(account_id: int) -> Call[answers.Contracts]:
    """The open derivative positions of an account."""
    return Call("GET", f"/v1/accounts/{account_id}/contracts", _contracts)


def flow_page(
    account_id: int,
    *,
    limit: int | None = None,
    cursor: str | None = None,
    direction: str | None = None,
    asset: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Call[answers.Flows]:
    """One page of deposits and withdrawals, newest first."""
    asked: dict[str, Parameter] = {"limit": limit, "cursor": cursor, "direction": direction}
    asked |= {"asset": asset, "from": moment(since), "to": moment(until)}
    return Call("GET", f"/v1/accounts/{account_id}/flows", _flows, asked)


def price(asset: str) -> Call[answers.Price]:
    """What an asset is worth, and how that is known."""
    return Call("GET", f"/v1/prices/{escaped(asset)}", _price)


def prices(assets: Sequence[str]) -> Call[list[answers.Price]]:
    """What up to 100 assets are worth."""
    return Call("GET", "/v1/prices", _prices, {"assets": ",".join(assets)})


def accept_price(asset: str, usd: Decimal) -> Call[answers.Price]:
    """Let a price count that is held back."""
    return Call("POST", f"/v1/prices/{escaped(asset)}/accept", _price, {"usd": usd})


def asset(asset: str) -> Call[answers.Asset]:
    """What an asset is called, where it is held, and whether it counts."""
    return Call("GET", f"/v1/assets/{escaped(asset)}", _asset)


def asset_page(
    q: str | None = None,
    *,
    only: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[answers.Assets]:
    """One page of assets, by code."""
    asked = {"q": q, "only": only, "limit": limit, "cursor": cursor}
    return Call("GET", "/v1/assets", _assets, asked)


def override(asset: str, **said: str | bool) -> Call[answers.Asset]:
    """Say what an asset is, in the place of all that was said: `name`, `ignored`, ... ."""
    return Call("PUT", f"/v1/assets/{escaped(asset)}/override", _asset, said)


def take_back_override(asset: str) -> Call[answers.Asset]:
    """Take back what was said of an asset."""
    return Call("DELETE", f"/v1/assets/{escaped(asset)}/override", _asset)


def asset_mappings() -> Call[list[answers.AssetMapping]]:
    """What was said that exchanges' codes mean."""
    return Call("GET", "/v1/asset_mappings", _mappings)


def map_asset(market_code: str, venue_code: str, asset: str) -> Call[answers.AssetMapping]:
    """Say what an exchange's code means."""
    asked = {"market_code": market_code, "venue_code": venue_code, "asset": asset}
    return Call("PUT", "/v1/asset_mappings", _mapping, asked)


def unmap_asset(market_code: str, venue_code: str) -> Call[bool]:
    """Take back what an exchange's code was said to mean."""
    asked = {"market_code": market_code, "venue_code": venue_code}
    return Call("DELETE", "/v1/asset_mappings", _true, asked)


def _held(amounts: Mapping[str, Decimal]) -> dict[str, Parameter]:
    exact = texts(amounts)
    return {"tokens": {"code": list(exact), "amount": list(exact.values())}}
