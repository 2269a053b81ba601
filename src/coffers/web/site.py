"""The pages as one ASGI application: which page is at which path, for whom, and what goes wrong."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from coffers.errors import CoffersError, NotFound
from coffers.logs import logger
from coffers.store.errors import StoreUnavailable
from coffers.web.account_page import AccountPage
from coffers.web.answers import Renderer, Shelf, see_other
from coffers.web.forms import BadForm, session_of
from coffers.web.overview import Overview
from coffers.web.rooms import Asked, Rooms
from coffers.web.sign_in_pages import SignInPages

Open = Callable[[Request], Awaitable[Response]]
Own = Callable[[Asked], Awaitable[Response]]

STATIC: Final = "/static/"
ACCOUNTS: Final = "/accounts/"
INNER_FAULT: Final = 500
_log = logger("coffers.web")


class Site:
    """Answers the pages' paths; every other one is for the API that it stands before."""

    def __init__(self, rooms: Rooms, api: ASGIApp) -> None:
        self._rooms = rooms
        self._api = api
        self._shelf = Shelf()
        self._renderer = Renderer(self._shelf, rooms.is_secure)
        signing = SignInPages(rooms, self._renderer)
        self._account = AccountPage(rooms, self._renderer)
        self._open: dict[tuple[str, str], Open] = {
            ("GET", "/welcome"): signing.welcome,
            ("POST", "/welcome"): signing.welcome,
            ("GET", "/sign-in"): signing.sign_in,
            ("POST", "/sign-in"): signing.sign_in,
            ("POST", "/sign-out"): signing.sign_out,
        }
        self._own: dict[tuple[str, str], Own] = {
            ("GET", "/"): Overview(rooms, self._renderer).show,
            ("GET", "/password"): signing.password,
            ("POST", "/password"): signing.password,
        }
        self._paths = {path for _, path in (*self._open, *self._own)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path not in self._paths and not path.startswith((STATIC, ACCOUNTS)):
            await self._api(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self._answer(request, path)
        if scope["method"] == "HEAD":
            # The length stays that of the page, as it must.
            answer.body = b""
        await answer(scope, receive, send)

    async def _answer(self, request: Request, path: str) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        try:
            if path.startswith(STATIC):
                return self._file(path)
            if opened := self._open.get((method, path)):
                return await opened(request)
            return await self._for_one(request, method, path)
        except Exception as error:  # noqa: BLE001 - the boundary: logged, and told without details
            status, why = _told(error)
            if status == INNER_FAULT:
                _log.error("page failed", path=path, exc_info=error)
            return self._renderer.page(request, "failed.html", status, why=why)

    def _file(self, path: str) -> Response:
        found = self._shelf.answer(path)
        if found is None:
            raise NotFound(path)
        return found

    async def _for_one(self, request: Request, method: str, path: str) -> Response:
        """Answer a page that only its owner sees."""
        token = session_of(request)
        who = None if token is None else await self._rooms.sign_in.of(token)
        if who is None:
            return see_other("/sign-in")
        asked = Asked(request, who)
        if own := self._own.get((method, path)):
            return await own(asked)
        if method == "GET" and path.startswith(ACCOUNTS):
            number, _, part = path.removeprefix(ACCOUNTS).partition("/")
            shown = {"": self._account.show, "explain": self._account.explain}.get(part)
            if shown is not None and _is_id(number):
                return await shown(asked, int(number))
        raise NotFound(path)


def _told(error: Exception) -> tuple[int, str]:
    """Return the status and the sentence of what went wrong."""
    match error:
        case NotFound():
            return 404, "There is no such page, or it is not yours."
        case BadForm():
            return 400, str(error)
        case StoreUnavailable():
            return 503, f"{error}; nothing was changed."
        case CoffersError():
            return 422, str(error)
    return INNER_FAULT, "Something went wrong here; the log says more."


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - ids are below 2**31
