"""The pages as one ASGI application: which page is at which path, for whom, and what goes wrong."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from starlette.convertors import register_url_convertor
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from coffers.access.passwords import PasswordsBusy
from coffers.errors import CoffersError, NotFound
from coffers.logs import logger
from coffers.portfolio.errands import TooManyOpen
from coffers.portfolio.pending import Gone
from coffers.portfolio.sessions import CheckNeeded, SignedIn
from coffers.portfolio.whole import Wholes
from coffers.serving.ids import IdConvertor
from coffers.serving.scope import REQUEST_NAME
from coffers.serving.streams import StreamsFull, TooManyStreams
from coffers.store.errors import StoreUnavailable
from coffers.web.account_page import AccountPage
from coffers.web.account_settings import AccountSettings
from coffers.web.answers import Renderer, Shelf, coding_of, see_other
from coffers.web.back import with_back
from coffers.web.balance_pages import BalancePages
from coffers.web.browsers import prefers_pages
from coffers.web.checked_pages import CheckedPages
from coffers.web.connect_pages import ConnectPages
from coffers.web.demo import Demo, way_in
from coffers.web.forms import BadForm, check_key, form_of
from coffers.web.kept_pages import KeptPages
from coffers.web.live import Live
from coffers.web.overview import Overview
from coffers.web.passkey_pages import PasskeyPages
from coffers.web.playground import Playground
from coffers.web.portfolio_pages import PortfolioPages
from coffers.web.refreshing import Refreshing
from coffers.web.rooms import Asked, Opened, OpenPage, OwnPage, Rooms, Shown
from coffers.web.second_step import SecondStep
from coffers.web.security_page import SecurityPage
from coffers.web.settings_page import SettingsPage
from coffers.web.sign_in_pages import SignInPages
from coffers.web.sum_page import SumPage
from coffers.web.token_pages import TokenPages
from coffers.web.totp_pages import TotpPages
from coffers.web.trail_page import TrailPages

INNER_FAULT: Final = 500
_NOT_SO: Final = 405
_TITLES: Final = {404: "No such page", INNER_FAULT: "Something went wrong"}
_STATUSES: Final[Mapping[type[CoffersError], int]] = {
    BadForm: 400,
    TooManyStreams: 429,
    TooManyOpen: 429,
    StreamsFull: 503,
    PasswordsBusy: 503,
    CoffersError: 422,
}
"""Errors that are told by their own sentence."""

_log = logger("coffers.web")

register_url_convertor("id", IdConvertor())


class _Page(Route):
    """A page's path with one of its methods; `refuse` answers all the others."""

    refuse: ASGIApp

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for this path."""
        is_ours = self.methods is None or scope["method"] in self.methods
        await (super().handle if is_ours else self.refuse)(scope, receive, send)


class Site:
    """Answers the pages' paths, and people who open one that is none.

    Every other request is for the API that it stands before.
    """

    def __init__(self, rooms: Rooms, api: ASGIApp) -> None:
        self._rooms = rooms
        self._api = api
        self._shelf = Shelf()
        self._renderer = Renderer(self._shelf, rooms.is_secure, rooms.settings.demo_user)
        self._demo = Demo(rooms)
        renderer = self._renderer
        wholes = Wholes(rooms.store, rooms.listing, rooms.shelf)
        signing, second = SignInPages(rooms, renderer), SecondStep(rooms, renderer)
        security, connect = SecurityPage(rooms, renderer), ConnectPages(rooms, renderer)
        settings = AccountSettings(rooms, renderer)
        own = (
            signing,
            Overview(rooms, renderer, wholes),
            SumPage(rooms, renderer, wholes),
            AccountPage(rooms, renderer),
            TokenPages(rooms, renderer),
            Live(rooms),
            settings,
            Refreshing(rooms),
            PortfolioPages(rooms, renderer),
            KeptPages(rooms, renderer),
            connect,
            BalancePages(rooms, renderer, settings),
            CheckedPages(rooms, renderer, connect, settings),
            security,
            PasskeyPages(rooms, renderer, security),
            TotpPages(rooms, renderer),
            TrailPages(rooms, renderer),
            SettingsPage(rooms, renderer),
            Playground(rooms, renderer),
        )
        self._router = Router(
            [
                self._route("/static/{path:path}", "GET", self._file),
                *self._routes(
                    (*signing.open, *second.open), [page for room in own for page in room.own]
                ),
                # What no page is of these paths is answered as a page, and not by the API.
                *(
                    self._route(f"/{name}/{{path:path}}", "GET", self._for_owner(self._nothing))
                    for name in ("accounts", "connect", "portfolios", "security", "tokens")
                ),
            ],
            redirect_slashes=False,
            default=self._elsewhere,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._router(scope, receive, send)

    def _routes(self, opened: tuple[OpenPage, ...], own: list[OwnPage]) -> Iterator[Route]:
        for page in opened:
            for method, answer in (("GET", page.shown), ("POST", page.sent)):
                if answer is not None:
                    yield self._route(page.path, method, answer)
        for each in own:
            for method, shown in (("GET", each.shown), ("POST", each.sent)):
                if shown is not None:
                    yield self._route(each.path, method, self._for_owner(shown))
        is_shown = {page.path: page.shown is not None for page in opened}
        is_shown |= {each.path: each.shown is not None for each in own}
        shown_at = {path for path, is_there in is_shown.items() if is_there}
        for path in is_shown.keys() - shown_at:
            yield self._route(path, "GET", _to_its_page(path, shown_at))

    def _route(self, path: str, method: str, answer: Opened) -> Route:
        async def answered(request: Request) -> Response:
            # The edge counts by it, as it does for the API.
            request.scope["route"] = route
            return await self._answer(request, answer)

        route = _Page(path, answered, methods=[method])
        route.refuse = self._not_so
        return route

    async def _answer(self, request: Request, answer: Opened) -> Response:
        try:
            return await answer(request)
        except Exception as error:  # noqa: BLE001 - the boundary: logged, and told without details
            return self._failed(request, error)

    def _failed(self, request: Request, error: Exception, who: SignedIn | None = None) -> Response:
        """Return the page that tells what went wrong."""
        status, why = _told(error)
        if status == INNER_FAULT:
            name = request.scope[REQUEST_NAME].decode()
            _log.error("page failed", path=request.url.path, request_id=name, exc_info=error)
            why = f"{why}; it calls this request {name}."
        return self._told_so(request, status, why, who, is_gone=isinstance(error, Gone))

    def _told_so(
        self,
        request: Request,
        status: int,
        why: str,
        who: SignedIn | None = None,
        *,
        is_gone: bool = False,
    ) -> Response:
        title = _TITLES.get(status, "That did not work")
        told = {"who": who, "title": title, "why": why, "is_gone": is_gone}
        return self._renderer.page(request, "failed.html", status, **told)

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a path that no page has: people by a page, and programs by the API."""
        request = Request(scope, receive)
        if scope["method"] != "GET" or not _is_of_people(request):
            await self._api(scope, receive, send)
            return
        answer = await self._answer(request, self._for_anybody)
        answer.headers.add_vary_header("Accept")
        await answer(scope, receive, send)

    async def _for_anybody(self, request: Request) -> Response:
        return self._failed(request, NotFound(request.url.path), await self._who(request))

    async def _not_so(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what asks for a page in a way that it has not."""
        request = Request(scope, receive)
        allowed: set[str] = set()
        for route in self._router.routes:
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                allowed |= route.methods or set()
        answer: Response = PlainTextResponse("Method Not Allowed", _NOT_SO)
        if _is_of_people(request):
            why = "This address shows a page, and takes no form."
            answer = self._told_so(request, _NOT_SO, why)
        answer.headers["Allow"] = ", ".join(sorted(allowed))
        await answer(scope, receive, send)

    async def _file(self, request: Request) -> Response:
        found = self._shelf.answer(request.url.path, coding_of(request))
        if found is None:
            raise NotFound(request.url.path)
        return found

    def _for_owner(self, shown: Shown) -> Opened:
        """Return what answers with a page that only its owner sees."""

        async def answer(request: Request) -> Response:
            who = await self._who(request)
            if who is None:
                return await self._demo.welcomed(request, shown) or self._signed_out(request)
            form = {}
            try:
                if request.method == "POST":
                    form = await form_of(request)
                    check_key(form, who)
                return await shown(Asked(request, who, form))
            except CheckNeeded:
                # A page that was opened is gone back to; what was sent is not sent again.
                back = f"&back={request.url.path}" if request.method == "GET" else ""
                return see_other("/security", f"unchecked{back}")
            except Exception as error:  # noqa: BLE001 - as at the boundary, with the menu
                return self._failed(request, error, who)

        return answer

    def _signed_out(self, request: Request) -> Response:
        """Lead to the sign-in: from there back to a page, and with a word of what was sent."""
        if request.method == "POST":
            return see_other(way_in(self._rooms, request), "signed-out")
        return see_other(with_back("/sign-in", request.url.path))

    async def _who(self, request: Request) -> SignedIn | None:
        token = self._rooms.session_of(request)
        return None if token is None else await self._rooms.sign_in.of(token)

    async def _nothing(self, asked: Asked) -> Response:
        raise NotFound(asked.request.url.path)


def _is_of_people(request: Request) -> bool:
    return prefers_pages(request.headers.get("accept", ""))


def _to_its_page(path: str, shown_at: Collection[str]) -> Opened:
    """Return what leads from an address that takes forms alone to the next page above it.

    A browser asks for one where its answer was a page, as to a form with faults, and the address is
    opened once more.
    """
    parts = path.split("/")
    lengths = (end for end in range(len(parts) - 1, 1, -1) if "/".join(parts[:end]) in shown_at)
    length = next(lengths, 0)

    async def answer(request: Request) -> Response:
        return see_other("/".join(request.url.path.split("/")[:length]) or "/")

    return answer


def _told(error: Exception) -> tuple[int, str]:
    """Return the status and the sentence of what went wrong."""
    match error:
        case Gone():
            return 404, f"{error}.".capitalize()
        case NotFound():
            return 404, "There is no such page, or it is not yours."
        case StoreUnavailable():
            return 503, f"{error}; nothing was changed."
        case CoffersError():
            kinds = (kind for kind in _STATUSES if isinstance(error, kind))
            return _STATUSES[next(kinds, CoffersError)], str(error)
    return INNER_FAULT, "Something went wrong here. The log says more"
