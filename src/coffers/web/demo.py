"""Signing visitors in as the user whom a demo shows: those of this machine alone."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from coffers.portfolio.guessing import Visitor
from coffers.portfolio.sessions import LONGEST
from coffers.settings import is_this_machine
from coffers.web.answers import with_session
from coffers.web.rooms import Asked, Rooms, Shown

_FORWARDED: Final = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "via"})


class Demo:
    """Lets visitors in where the setting names a user for that."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def welcomed(self, request: Request, shown: Shown) -> Response | None:
        """Return the page that a visitor asks for, with a session; None for who has to sign in."""
        name = self._rooms.settings.demo_user
        if name is None or request.method == "POST" or not _is_here(self._rooms, request):
            return None
        visitor = Visitor(self._rooms.address_of(request.scope), "a visitor of the demo")
        signed_in = await self._rooms.sign_in.as_visitor(name, visitor)
        if signed_in is None:
            return None
        answer = await shown(Asked(request, signed_in, {}))
        token = signed_in.token.reveal()
        is_secure = self._rooms.is_secure(request.scope)
        return with_session(answer, token, is_secure=is_secure, lasts=LONGEST // 1000)


def way_in(rooms: Rooms, request: Request) -> str:
    """Return where who is not signed in goes: the demo lets its visitors in at every page."""
    is_visitor = rooms.settings.demo_user is not None and _is_here(rooms, request)
    return "/" if is_visitor else "/sign-in"


def _is_here(rooms: Rooms, request: Request) -> bool:
    """Return whether a browser of this machine asked, and for this machine.

    A page of elsewhere whose name was made to lead here would ask for that name. A proxy on
    this machine hands on what may come from anywhere.
    """
    if _FORWARDED.intersection(request.headers):
        return False
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return is_this_machine(host) and is_this_machine(rooms.address_of(request.scope))
