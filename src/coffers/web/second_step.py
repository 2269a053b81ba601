"""The second step of signing in: what is shown beside the password."""

from starlette.requests import Request
from starlette.responses import Response

from coffers.errors import InvalidRecord
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.second_factors import HalfOver, HalfSignedIn, SecondFactors
from coffers.web.answers import Renderer, see_other, without_half
from coffers.web.forms import HALF, check_key, form_of, session_of
from coffers.web.rooms import OpenPage, Rooms
from coffers.web.sign_in_pages import TOO_MANY, begun


class SecondStep:
    """Asks for a code, a recovery code or a passkey after a right password."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._factors = SecondFactors(rooms.store, rooms.vault, rooms.clock)
        self.open = (OpenPage("/sign-in/second", self.shown, self.sent),)

    async def shown(self, request: Request) -> Response:
        """Ask for it."""
        half = await self._half(request)
        return _over() if half is None else self._page(request, half, {})

    async def sent(self, request: Request) -> Response:
        """Sign in by what was shown."""
        form, half = await form_of(request), await self._half(request)
        if half is None:
            return _over()
        check_key(form, half)
        visitor = self._rooms.visitor(request)
        try:
            signed_in = await self._factors.by_code(half, form.get("code", ""), visitor)
        except InvalidRecord as error:
            return self._page(request, half, error.attributes, 400)
        except SignInLocked as error:
            return self._page(request, half, {"code": [str(error)]}, TOO_MANY)
        except HalfOver:
            return _over()
        return begun(self._rooms, request, signed_in)

    async def _half(self, request: Request) -> HalfSignedIn | None:
        token = session_of(request, HALF)
        return None if token is None else await self._factors.half(token)

    def _page(
        self,
        request: Request,
        half: HalfSignedIn,
        faults: dict[str, list[str]],
        status: int = 200,
    ) -> Response:
        return self._renderer.page(request, "second_step.html", status, half=half, faults=faults)


def _over() -> Response:
    return without_half(see_other("/sign-in", "half-over"))
