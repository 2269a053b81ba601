"""The routes that tell what venues list: pairs, rates, leverage, networks, deposit addresses."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from coffers.api.account_answers import AccountAnswers
from coffers.api.documents import (
    ERRORS_OF_SIGNED,
    ERRORS_OF_UNSIGNED,
    NOT_FOUND,
    OF_VENUE,
    OF_VENUE_ACCOUNT,
    SIGNED,
    header,
    parameter,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.market_data_schema import (
    DEPOSIT,
    LEVERAGE,
    NETWORKS,
    PAIR_NAMES,
    RATE,
    RATE_WITH_LEVERAGE,
    currency_entity,
    deposit_entity,
    leverage_entity,
    rate_entity,
)
from coffers.api.paging import Header
from coffers.api.params import query_parameters
from coffers.api.paths import ACCOUNT, BASE, AccountId
from coffers.api.replies import json_reply
from coffers.api.schema_words import Schema
from coffers.api.services import Services
from coffers.clock import Clock, Millis, age, iso
from coffers.errors import InvalidRecord
from coffers.markets.catalogue import Catalogue
from coffers.markets.pairs import VenueCurrency
from coffers.portfolio.errands import Errands
from coffers.portfolio.market_data import MarketData
from coffers.portfolio.venue_account import VenueAccounts

_encode: Final = msgspec.json.Encoder().encode
_V2: Final = "/public/api/v2"
_LIMIT_TYPES: Final = frozenset({"bot", "smart_trade"})
_PURPOSES: Final = frozenset({"deposit", "withdraw"})

_CODE: Final = parameter(
    "market_code", "query", "A market's code.", {"type": "string"}, is_required=True
)
_OF_PAIRS: Final = [
    parameter("market_code", "query", "A market's code.", {"type": "string"}),
    {
        **parameter(
            "pretty_display_type", "query", "Or the market's display type.", {"type": "string"}
        ),
        "deprecated": True,
    },
]
_PAIR: Final = parameter(
    "pair", "query", "A name of `market_pairs`.", {"type": "string"}, is_required=True
)
_LIMIT_TYPE: Final = parameter(
    "limit_type",
    "query",
    "Known for compatibility: the limits are the same.",
    {"enum": sorted(_LIMIT_TYPES)},
)
_PURPOSE: Final = parameter(
    "purpose",
    "query",
    "Keeps the currencies that can be moved so.",
    {"enum": sorted(_PURPOSES)},
)
_CURRENCY: Final = parameter(
    "currency", "query", "A currency of `networks_info`.", {"type": "string"}, is_required=True
)
_NETWORK: Final = parameter(
    "network", "query", "A network of it.", {"type": "string"}, is_required=True
)


def _age_headers(name: str, what: str) -> dict[str, Schema]:
    return {
        f"X-{name}-At": header(f"The moment of {what}."),
        f"X-{name}-Age": header("Its age in seconds.", "number"),
    }


_PAIRS_AGE: Final = _age_headers("Pairs", "the list")
_RATE_AGE: Final = _age_headers("Rate", "the rate")
_NETWORKS_AGE: Final = _age_headers("Networks", "what is told of the networks")


def add_market_data(app: FastAPI, services: Services, accounts: AccountAnswers, door: Door) -> None:
    """Add the routes."""
    data = MarketData(services.store, services.catalogue, services.clock)
    _add_pairs(app, services.clock, services.catalogue, data, door)
    _add_rates(app, services.clock, data, door)
    _add_of_accounts(app, services, accounts, data, door)


def _add_pairs(
    app: FastAPI, clock: Clock, catalogue: Catalogue, data: MarketData, door: Door
) -> None:
    async def not_banned(request: Request) -> None:
        await door.check_address(request.scope)

    async def market_pairs(request: Request) -> Response:
        """Return the names of a market's active pairs: `USDT_BTC`, of contracts `USDT_BTCUSDT`."""
        given = _given(request)
        names, at = await data.names(_market_code(given, catalogue))
        return _aged(names, "Pairs", at, clock)

    for base in (BASE, _V2):
        app.get(
            f"{base}/accounts/market_pairs",
            name=f"market_pairs of {base}",
            tags=["markets"],
            summary="All market pairs",
            dependencies=[Depends(not_banned)],
            response_class=Response,
            responses={
                **reply(200, "By name.", PAIR_NAMES, _PAIRS_AGE),
                **ERRORS_OF_UNSIGNED,
                **OF_VENUE,
            },
            openapi_extra={"parameters": _OF_PAIRS},
        )(market_pairs)


def _add_rates(app: FastAPI, clock: Clock, data: MarketData, door: Door) -> None:
    async def not_banned(request: Request) -> None:
        await door.check_address(request.scope)

    @app.get(
        f"{BASE}/accounts/currency_rates",
        tags=["markets"],
        summary="Currency rates and limits",
        dependencies=[Depends(not_banned)],
        response_class=Response,
        responses={
            **reply(200, "The rate.", RATE, _RATE_AGE),
            **ERRORS_OF_UNSIGNED,
            **OF_VENUE,
        },
        openapi_extra={"parameters": [_CODE, _PAIR, _LIMIT_TYPE]},
    )
    async def currency_rates(request: Request) -> Response:
        """Return what a pair is traded at, and what the venue demands of orders in it."""
        given = _given(request)
        _one_of(given, "limit_type", _LIMIT_TYPES)
        found = await data.rate(*_both(given, "market_code", "pair"))
        return _aged(rate_entity(found.pair, found.rate), "Rate", found.rate.at, clock)

    @app.get(
        f"{BASE}/accounts/currency_rates_with_leverage_data",
        tags=["markets"],
        summary="Currency rates and limits with leverage data",
        dependencies=[Depends(not_banned)],
        response_class=Response,
        responses={
            **reply(200, "The rate.", RATE_WITH_LEVERAGE, _RATE_AGE),
            **ERRORS_OF_UNSIGNED,
            **OF_VENUE,
        },
        openapi_extra={"parameters": [_CODE, _PAIR]},
    )
    async def rates_with_leverage(request: Request) -> Response:
        """Return the same, with the kinds of leverage that the pair is traded with."""
        found = await data.rate(*_both(_given(request), "market_code", "pair"))
        leverage = leverage_entity(found.market, found.pair)
        body = rate_entity(found.pair, found.rate, leverage)
        return _aged(body, "Rate", found.rate.at, clock)


def _add_of_accounts(
    app: FastAPI, services: Services, accounts: AccountAnswers, data: MarketData, door: Door
) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    errands = Errands(services.store, services.vault, services.clock)
    venues = VenueAccounts(services.store, errands, services.catalogue, services.clock)
    clock = services.clock

    @app.get(
        f"{ACCOUNT}/leverage_data",
        tags=["accounts"],
        summary="Information about account leverage",
        response_class=Response,
        responses={
            **reply(200, "The kinds of leverage.", LEVERAGE),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **OF_VENUE_ACCOUNT,
        },
        openapi_extra={**SIGNED, "parameters": [_PAIR]},
    )
    async def leverage_data(account_id: AccountId, admitted: reader) -> Response:
        """Return the kinds of leverage of a pair. Permission: ACCOUNTS_READ. Security: SIGNED."""
        name = _named(admitted.given, "pair")
        account = await accounts.keeping.get(admitted.caller.user_id, account_id)
        venues.venue(account)
        market, pair = await data.pair(account.market_code, name)
        told = await venues.with_leverage(account, pair)
        return json_reply(_encode(leverage_entity(market, told)))

    @app.get(
        f"{ACCOUNT}/networks_info",
        tags=["accounts"],
        summary="Deposit or withdraw networks info",
        response_class=Response,
        responses={
            **reply(200, "By currency.", NETWORKS, _NETWORKS_AGE),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **OF_VENUE_ACCOUNT,
        },
        openapi_extra={**SIGNED, "parameters": [_PURPOSE]},
    )
    async def networks_info(account_id: AccountId, admitted: reader) -> Response:
        """Return the currencies of the account's exchange, and the networks that move them.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        purpose = _one_of(admitted.given, "purpose", _PURPOSES)
        account = await accounts.keeping.get(admitted.caller.user_id, account_id)
        currencies, at = await venues.networks(account)
        body = [currency_entity(each) for each in currencies if _serves(each, purpose)]
        return _aged(body, "Networks", at, clock)

    @app.get(
        f"{ACCOUNT}/deposit_data",
        tags=["accounts"],
        summary="User deposit data",
        response_class=Response,
        responses={
            **reply(200, "The address, and what is there already.", DEPOSIT),
            **ERRORS_OF_SIGNED,
            **NOT_FOUND,
            **OF_VENUE_ACCOUNT,
        },
        openapi_extra={**SIGNED, "parameters": [_CURRENCY, _NETWORK]},
    )
    async def deposit_data(account_id: AccountId, admitted: reader) -> Response:
        """Return where the account takes deposits of a currency. The exchange is asked.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        currency, network = _both(admitted.given, "currency", "network")
        account = await accounts.keeping.get(admitted.caller.user_id, account_id)
        deposit = await venues.deposit_data(account, currency, network)
        return json_reply(_encode(deposit_entity(deposit)))


def _given(request: Request) -> Given:
    return Given(query_parameters(request.scope["query_string"]))


def _market_code(given: Given, catalogue: Catalogue) -> str:
    """Return the code of a market, which older clients name by its display type.

    Raises:
        InvalidRecord: where neither is there, or no market has this display type.
    """
    shown_as = given.text("pretty_display_type")
    if not shown_as or given.text("market_code"):
        return _named(given, "market_code")
    market = catalogue.shown_as(shown_as)
    if market is None:
        raise InvalidRecord({"pretty_display_type": ["does not have a valid value"]})
    return market.code


def _named(given: Given, name: str) -> str:
    """Return a parameter that must be there; an empty one is not."""
    return _all(given, name)[0]


def _both(given: Given, first: str, second: str) -> tuple[str, str]:
    one, other = _all(given, first, second)
    return one, other


def _all(given: Given, *names: str) -> list[str]:
    """Return parameters that must be there; all that are missing are named at once.

    Raises:
        InvalidRecord: for those that are missing, and those that no database takes.
    """
    texts = {name: given.text(name) or "" for name in names}
    faults = {name: ["is missing"] for name, text in texts.items() if not text}
    faults |= {name: ["is invalid"] for name, text in texts.items() if not text.isprintable()}
    if faults:
        raise InvalidRecord(faults)
    return list(texts.values())


def _one_of(given: Given, name: str, allowed: frozenset[str]) -> str | None:
    text = given.text(name)
    if text is not None and text not in allowed:
        raise InvalidRecord({name: ["does not have a valid value"]})
    return text


def _serves(currency: VenueCurrency, purpose: str | None) -> bool:
    match purpose:
        case "deposit":
            return currency.deposits is True
        case "withdraw":
            return currency.withdrawals is True
        case _:
            return True


def _aged(body: Any, name: str, at: Millis, clock: Clock) -> Response:  # noqa: ANN401 - any JSON
    """Return an answer with its age in headers, where that is known."""
    headers: list[Header] = [(f"x-{name}-at".lower().encode(), iso(at).encode())]
    seconds = age(at, clock.now())
    if seconds is not None:
        headers.append((f"x-{name}-age".lower().encode(), f"{seconds:.3f}".encode()))
    return json_reply(_encode(body), headers=headers)
