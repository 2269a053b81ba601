"""Every call of the API as a value: what is sent, and the form of what comes back.

A call says nothing of how it is sent: the clients do that, signed, sync or async. To add an
endpoint: one function here, and one line in `methods`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Generic, Literal, TypeVar
from urllib.parse import quote

from msgspec.json import Decoder

from coffers.client import accounts as form
from coffers.client import answers

T = TypeVar("T")

Parameter = str | int | bool | Decimal | Sequence[str] | Mapping[str, object] | None
"""The value of a parameter; None leaves it out."""

Of = int | Literal["summary"]
"""An account's id, or the summary of all."""

Moment = str | date | datetime
"""A day or a moment: a `datetime` without an offset is in UTC, a text is sent as it is."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call. `path` is what follows `/public/api`; `read` makes the answer of a body.

    Parameters go in the query of a GET or DELETE, else in a JSON body. What `keeps` is asked for
    again by its entity tag.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_signed: bool = True
    keeps: bool = False


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
_paper = Decoder(answers.PaperAccount).decode
_order = Decoder(answers.PaperOrder).decode
_orders = Decoder(answers.PaperOrders).decode

_operation = Decoder(answers.Operation).decode
_operations = Decoder(answers.Operations).decode
_converted = Decoder(answers.Converted).decode
_ways = Decoder(list[answers.Way]).decode
_transfers = Decoder(list[answers.Transfer]).decode

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
    span = {"date_from": _moment(date_from), "date_to": _moment(date_to)}
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
    name: str, amounts: Mapping[str, Decimal], *, include_in_summary: bool | None = None
) -> Call[form.LooseAccount]:
    """Make a hand-kept account that holds these amounts, by asset."""
    asked = _held(amounts) | {"name": name, "include_in_summary": include_in_summary}
    return Call("POST", "/ver1/loose_accounts", _loose, asked)


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
    asked |= {"asset": asset, "from": _moment(since), "to": _moment(until)}
    return Call("GET", f"/v1/accounts/{account_id}/flows", _flows, asked)


def price(asset: str) -> Call[answers.Price]:
    """What an asset is worth, and how that is known."""
    return Call("GET", f"/v1/prices/{_escaped(asset)}", _price)


def prices(assets: Sequence[str]) -> Call[list[answers.Price]]:
    """What up to 100 assets are worth."""
    return Call("GET", "/v1/prices", _prices, {"assets": ",".join(assets)})


def accept_price(asset: str, usd: Decimal) -> Call[answers.Price]:
    """Let a price count that is held back."""
    return Call("POST", f"/v1/prices/{_escaped(asset)}/accept", _price, {"usd": usd})


def asset(asset: str) -> Call[answers.Asset]:
    """What an asset is called, where it is held, and whether it counts."""
    return Call("GET", f"/v1/assets/{_escaped(asset)}", _asset)


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
    return Call("PUT", f"/v1/assets/{_escaped(asset)}/override", _asset, said)


def take_back_override(asset: str) -> Call[answers.Asset]:
    """Take back what was said of an asset."""
    return Call("DELETE", f"/v1/assets/{_escaped(asset)}/override", _asset)


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


def create_paper(
    name: str, balances: Mapping[str, Decimal], fee: Decimal | None = None
) -> Call[answers.PaperAccount]:
    """Make a paper account."""
    asked: dict[str, Parameter] = {"name": name, "balances": _texts(balances), "fee": fee}
    return Call("POST", "/v1/paper_accounts", _paper, asked)


def paper(account_id: int) -> Call[answers.PaperAccount]:
    """A paper account."""
    return Call("GET", f"/v1/paper_accounts/{account_id}", _paper)


def paper_deposit(account_id: int, asset: str, amount: Decimal) -> Call[answers.PaperAccount]:
    """Put something into a paper account."""
    asked: dict[str, Parameter] = {"asset": asset, "amount": amount}
    return Call("POST", f"/v1/paper_accounts/{account_id}/deposits", _paper, asked)


def paper_withdraw(account_id: int, asset: str, amount: Decimal) -> Call[answers.PaperAccount]:
    """Take something out of a paper account."""
    asked: dict[str, Parameter] = {"asset": asset, "amount": amount}
    return Call("POST", f"/v1/paper_accounts/{account_id}/withdrawals", _paper, asked)


def paper_order(
    account_id: int,
    side: str,
    pair: tuple[str, str],
    *,
    amount: Decimal | None = None,
    quote_amount: Decimal | None = None,
    idempotency_key: str | None = None,
) -> Call[answers.PaperOrder]:
    """Fill an order in a paper account; `pair` is (base, quote)."""
    asked: dict[str, Parameter] = {"side": side, "base": pair[0], "quote": pair[1]}
    asked |= {"amount": amount, "quote_amount": quote_amount}
    path = f"/v1/paper_accounts/{account_id}/orders"
    return Call("POST", path, _order, asked, _keyed(idempotency_key))


def paper_order_page(
    account_id: int, *, limit: int | None = None, cursor: str | None = None
) -> Call[answers.PaperOrders]:
    """One page of the orders of a paper account, newest first."""
    asked = {"limit": limit, "cursor": cursor}
    return Call("GET", f"/v1/paper_accounts/{account_id}/orders", _orders, asked)


def paper_reset(
    account_id: int, balances: Mapping[str, Decimal] | None = None
) -> Call[answers.PaperAccount]:
    """Begin a paper account anew."""
    asked = {} if balances is None else {"balances": _texts(balances)}
    return Call("POST", f"/v1/paper_accounts/{account_id}/reset", _paper, asked)


def at_cursor(call: Call[T], cursor: str) -> Call[T]:
    """Return the call of the page that a cursor names."""
    return replace(call, parameters={**call.parameters, "cursor": cursor})


def _escaped(segment: str) -> str:
    return quote(segment, safe=":")


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, object]:
    return {asset: f"{amount:f}" for asset, amount in amounts.items()}


def _held(amounts: Mapping[str, Decimal]) -> dict[str, Parameter]:
    texts = _texts(amounts)
    return {"tokens": {"code": list(texts), "amount": list(texts.values())}}


def _moment(given: Moment | None) -> str | None:
    if isinstance(given, datetime):
        moment = given if given.tzinfo else given.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return given.isoformat() if isinstance(given, date) else given


def sell_all_to_usd(account_id: int, *, idempotency_key: str | None = None) -> Call[form.Account]:
    """Sell all that is free in an account for dollars; the account afterwards."""
    return Call("POST", f"{_A}/{account_id}/sell_all_to_usd", _account, {}, _keyed(idempotency_key))


def sell_all_to_btc(account_id: int, *, idempotency_key: str | None = None) -> Call[form.Account]:
    """Sell all that is free in an account for bitcoin; the account afterwards."""
    return Call("POST", f"{_A}/{account_id}/sell_all_to_btc", _account, {}, _keyed(idempotency_key))


def convert_dust_to_bnb(
    account_id: int, codes: Sequence[str] | None = None, *, idempotency_key: str | None = None
) -> Call[answers.Converted]:
    """Turn small amounts into BNB: those of `codes`, or all that are taken."""
    path, asked = f"{_A}/{account_id}/convert_dust_to_bnb", {"codes": codes}
    return Call("POST", path, _converted, asked, _keyed(idempotency_key))


def transfer(
    ends: tuple[int, int], currency: str, amount: Decimal, *, idempotency_key: str | None = None
) -> Call[answers.Operation]:
    """Move money between two accounts of one key: `ends` are the ids from and to."""
    asked: dict[str, Parameter] = {"currency": currency, "amount": amount}
    asked |= {"from_account_id": ends[0], "to_account_id": ends[1]}
    return Call("POST", f"{_A}/transfer", _operation, asked, _keyed(idempotency_key))


def transfer_data() -> Call[list[answers.Way]]:
    """The accounts that money can go between."""
    return Call("GET", f"{_A}/transfer_data", _ways)


def transfer_history(
    account_id: int, currency: str, *, page: int | None = None, per_page: int | None = None
) -> Call[list[answers.Transfer]]:
    """Transfers from or to an account, newest first."""
    asked: dict[str, Parameter] = {"account_id": account_id, "currency": currency}
    asked |= {"page": page, "per_page": per_page}
    return Call("GET", f"{_A}/transfer_history", _transfers, asked)


def operation(operation_id: int) -> Call[answers.Operation]:
    """What was done at an exchange, step by step."""
    return Call("GET", f"/v1/operations/{operation_id}", _operation)


def operation_page(
    *, account_id: int | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[answers.Operations]:
    """One page of operations, newest first."""
    asked = {"account_id": account_id, "limit": limit, "cursor": cursor}
    return Call("GET", "/v1/operations", _operations, asked)


def _keyed(idempotency_key: str | None) -> dict[str, str]:
    return {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
