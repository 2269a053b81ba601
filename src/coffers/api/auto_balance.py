"""`/public/api/v1/accounts/{account_id}/auto_balance`: how an account is rebalanced."""

from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse

from coffers.api.balance_settings_schema import METHOD, PLAN, RUN, SETTINGS
from coffers.api.documents import (
    BALANCED_AT_EXCHANGE,
    ERRORS_OF_SIGNED,
    NOT_FOUND,
    SIGNED,
    in_query_or_body,
    reply,
)
from coffers.api.door import Admitted, Door
from coffers.api.given import Given
from coffers.api.paths import AccountId
from coffers.api.schema_words import Schema
from coffers.api.services import Services
from coffers.errors import InvalidRecord
from coffers.portfolio import errand_forms
from coffers.portfolio.accounts import MOST_ID
from coffers.portfolio.auto_balance import (
    LIMITS,
    PERIODS,
    USUAL_PERIOD,
    BalanceSettings,
    BalanceWanted,
    plain_settings,
)
from coffers.portfolio.errand_forms import CannotBalance, PreviewAsked, RunAsked, told_of
from coffers.portfolio.errands import Errands
from coffers.portfolio.portfolios import PortfolioKeeping

AUTO_BALANCE_PATH: Final = "/public/api/v1/accounts/{account_id:id}/auto_balance"

_HEADERS: Final = {"Cache-Control": "no-store"}
_NUMBER: Final[Schema] = {"type": "integer", "minimum": 1}
_PORTFOLIO: Final = ("The portfolio that it is rebalanced to.", _NUMBER)
_SAID: Final = in_query_or_body(
    portfolio_id=_PORTFOLIO,
    method=("When: `time` (unless said), or `currency_change`.", METHOD),
    period=("Hours between two runs: 12, unless said.", {**_NUMBER, "maximum": PERIODS.stop - 1}),
    currency_change_limit=(
        "The percentage by which a price must move, for `currency_change`.",
        {**_NUMBER, "maximum": LIMITS.stop - 1},
    ),
    enabled=("False keeps the settings without using them.", {"type": "boolean"}),
)
_TRIED: Final = in_query_or_body(
    portfolio_id=("Another portfolio than the account's own, to look at its plan.", _NUMBER)
)


def add_auto_balance(app: FastAPI, services: Services, door: Door) -> None:
    """Add the settings of accounts, plans that are only shown, and runs by hand."""
    settings = BalanceSettings(services.store, services.catalogue, services.clock)
    _add_settings(app, settings, door)
    _add_work(app, settings, services, door)


def _add_settings(app: FastAPI, settings: BalanceSettings, door: Door) -> None:
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.get(
        AUTO_BALANCE_PATH,
        summary="How an account is rebalanced",
        openapi_extra=SIGNED,
        **_described({**reply(200, "Its settings.", SETTINGS), **NOT_FOUND}),
    )
    async def get_auto_balance(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Tell to what and when an account is rebalanced, and how the last run went.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        view = await settings.get(admitted.caller.user_id, account_id)
        return JSONResponse(plain_settings(view), headers=_HEADERS)

    @app.put(
        AUTO_BALANCE_PATH,
        summary="Rebalance an account",
        openapi_extra={**SIGNED, **_SAID},
        **_described({**reply(200, "Its settings now.", SETTINGS), **NOT_FOUND}),
    )
    async def set_auto_balance(account_id: AccountId, admitted: writer) -> JSONResponse:
        """Put what you say in the place of the account's settings; the first run comes later.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        user_id, wanted = admitted.caller.user_id, _wanted(admitted.given)
        view = await settings.set(user_id, account_id, wanted)
        return JSONResponse(plain_settings(view), headers=_HEADERS)

    @app.delete(
        AUTO_BALANCE_PATH,
        summary="Rebalance an account no more",
        openapi_extra=SIGNED,
        **_described({**reply(200, "It is as it was.", {"const": True}), **NOT_FOUND}),
    )
    async def remove_auto_balance(account_id: AccountId, admitted: writer) -> JSONResponse:
        """Forget the settings of an account. Permission: ACCOUNTS_WRITE. Security: SIGNED."""
        await settings.unset(admitted.caller.user_id, account_id)
        return JSONResponse(True, headers=_HEADERS)


def _add_work(app: FastAPI, settings: BalanceSettings, services: Services, door: Door) -> None:
    errands = Errands(services.store, services.vault, services.clock)
    portfolios = PortfolioKeeping(services.store, services.clock)
    reader = Annotated[Admitted, Depends(door.admitting("accounts_read"))]
    writer = Annotated[Admitted, Depends(door.admitting("accounts_write"))]

    @app.post(
        f"{AUTO_BALANCE_PATH}/preview",
        status_code=201,
        summary="The plan as it would be now",
        openapi_extra={**SIGNED, **_TRIED},
        **_described({**reply(201, "The plan.", PLAN), **NOT_FOUND, **BALANCED_AT_EXCHANGE}),
    )
    async def preview(account_id: AccountId, admitted: reader) -> JSONResponse:
        """Read the account, and tell which orders would be placed now; none is.

        Permission: ACCOUNTS_READ. Security: SIGNED.
        """
        user_id, given = admitted.caller.user_id, admitted.given
        view = await settings.get(user_id, account_id)
        portfolio_id = given.number("portfolio_id", 0, range(1, MOST_ID + 1)) or None
        if portfolio_id is not None:
            await portfolios.get(user_id, portfolio_id)
        elif view.portfolio is None:
            raise InvalidRecord({"portfolio_id": ["is missing"]})
        asked = PreviewAsked(account_id, portfolio_id)
        told = await errands.ask(user_id, errand_forms.PREVIEW, asked)
        return JSONResponse(told_of(told), 201, headers=_HEADERS)

    @app.post(
        f"{AUTO_BALANCE_PATH}/run",
        status_code=201,
        summary="Rebalance an account now",
        openapi_extra=SIGNED,
        **_described({**reply(201, "What came of it.", RUN), **NOT_FOUND, **BALANCED_AT_EXCHANGE}),
    )
    async def run(account_id: AccountId, admitted: writer) -> JSONResponse:
        """Place the orders of a plan of this moment, whether it is due or not.

        Permission: ACCOUNTS_WRITE. Security: SIGNED.
        """
        user_id = admitted.caller.user_id
        view = await settings.get(user_id, account_id)
        if view.portfolio is None:
            raise CannotBalance("the account has no portfolio to be rebalanced to")
        told = await errands.ask(user_id, errand_forms.RUN, RunAsked(account_id))
        return JSONResponse(told_of(told), 201, headers=_HEADERS)


def _wanted(given: Given) -> BalanceWanted:
    given.required("portfolio_id")
    limit = given.number("currency_change_limit", 0, LIMITS)
    method = given.text("method")
    return BalanceWanted(
        portfolio_id=given.number("portfolio_id", 0, range(1, MOST_ID + 1)),
        method="time" if method is None else method,
        period=given.number("period", USUAL_PERIOD, PERIODS),
        currency_change_limit=limit or None,
        enabled=given.flag("enabled") is not False,
    )


def _described(answers: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tags": ["auto-balance"],
        "response_class": JSONResponse,
        "responses": {**answers, **ERRORS_OF_SIGNED},
    }
