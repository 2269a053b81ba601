"""The API as one ASGI application: the account list directly, all other routes in FastAPI."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from coffers import __version__
from coffers.api.account_answers import AccountAnswers
from coffers.api.account_routes import add_accounts
from coffers.api.accounts import AccountList
from coffers.api.asset_routes import add_assets
from coffers.api.auto_balance import add_auto_balance
from coffers.api.balance_answers import BalanceAnswers
from coffers.api.balance_routes import add_balances
from coffers.api.connecting import add_connecting
from coffers.api.contracts import add_contracts
from coffers.api.documents import add_documents
from coffers.api.doing import add_doing
from coffers.api.door import ClientGone, Door
from coffers.api.edge import FAIL, Edge
from coffers.api.errors import MethodNotAllowed, framework_error, invalid_request
from coffers.api.event_routes import add_events
from coffers.api.exports import add_exports
from coffers.api.flows import add_flows
from coffers.api.loose import add_loose
from coffers.api.market_data import add_market_data
from coffers.api.market_routes import add_markets
from coffers.api.operation_desk import OperationDesk
from coffers.api.operation_routes import add_operations
from coffers.api.own_accounts import add_own_accounts
from coffers.api.own_pasts import add_own_pasts
from coffers.api.paging import ACCOUNTS_PATH
from coffers.api.paper import add_paper
from coffers.api.portfolios import add_portfolios
from coffers.api.prices import add_prices
from coffers.api.probes import add_probes
from coffers.api.ready import ReadyLists
from coffers.api.routes import add_routes
from coffers.api.services import Services
from coffers.api.stream_routes import add_stream
from coffers.api.surroundings import Surroundings
from coffers.api.texts import Translator
from coffers.api.trades import add_trades
from coffers.api.trading_entities import add_trading_entities
from coffers.api.transfer_routes import add_transfers
from coffers.api.updating import add_updating
from coffers.api.user_routes import add_users
from coffers.api.webhook_routes import add_webhooks
from coffers.portfolio.users import Users


def make_app(services: Services, around: Callable[[FastAPI], ASGIApp] | None = None) -> Edge:
    """Return the API on services that are open for as long as it is used.

    `around` puts what else the server answers before the API's routes.
    """
    surroundings = Surroundings(services.settings)
    door = Door(services.gate, surroundings)
    lists = ReadyLists(
        services.settings, services.listing, services.shelf, services.catalogue, services.clock
    )
    app = _framework()
    add_routes(app, services, door)
    accounts = AccountAnswers(services)
    add_accounts(app, accounts, door, surroundings)
    add_balances(app, BalanceAnswers(services, accounts), door, surroundings)
    add_connecting(app, services, accounts, door, surroundings)
    add_updating(app, services, accounts, door, surroundings)
    desk = OperationDesk(services)
    add_doing(app, accounts, door, surroundings, desk)
    add_transfers(app, desk, door)
    add_operations(app, desk, door)
    add_own_accounts(app, services, accounts, door)
    add_own_pasts(app, services, accounts, door)
    add_exports(app, services, accounts, door)
    add_contracts(app, services, accounts, door)
    add_flows(app, services, accounts, door)
    add_events(app, services, door)
    add_stream(app, services, door)
    add_webhooks(app, services, door)
    add_trades(app, services, accounts, door)
    add_trading_entities(app, services, accounts, door)
    add_markets(app, services, accounts, door, surroundings)
    add_market_data(app, services, accounts, door)
    add_users(app, services, door)
    add_prices(app, services, door)
    add_assets(app, services, door)
    add_loose(app, services, door)
    add_paper(app, services, door)
    add_portfolios(app, services, door)
    add_auto_balance(app, services, door)
    add_probes(app, services)
    add_documents(app)
    translator = Translator(Users(services.store, services.clock))
    inner = app if around is None else around(app)
    return Edge(inner, {ACCOUNTS_PATH: AccountList(door, surroundings, lists)}, translator)


def _framework() -> FastAPI:
    app = FastAPI(
        title="Coffers",
        description="Every exchange account and wallet you own, with figures you can trust.",
        version=__version__,
        openapi_url=None,
        # Signed addresses are answered as they are, never redirected.
        redirect_slashes=False,
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.add_middleware(_Faults)
    app.add_exception_handler(HTTPException, _raise_ours)
    app.add_exception_handler(RequestValidationError, _raise_ours)
    return app


class _Faults:
    """Hands faults to the edge, past the framework's own error page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ClientGone:
            pass
        except Exception as fault:  # noqa: BLE001 - the edge classifies, counts and logs it
            await scope[FAIL](fault)


async def _raise_ours(request: Request, fault: Exception) -> Response:
    match fault:
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            raise MethodNotAllowed(_methods_at(request))
        case HTTPException(status_code=status):
            raise framework_error(status)
        case RequestValidationError():
            raise invalid_request(fault.errors())
        case _:
            raise fault


def _methods_at(request: Request) -> set[str]:
    """Return what an address answers: the framework tells the methods of its first route alone."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
