"""The second step of signing in: what is shown beside the password."""

from starlette.requests import Request
from starlette.responses import Response

from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.passkey_sign_in import PasskeySignIn
from coffers.portfolio.second_factors import HalfOver, HalfSignedIn, SecondFactors
from coffers.portfolio.sessions import SignedIn
from coffers.web.answers import Renderer, json_answer, see_other, without_half
from coffers.web.back import page_of
from coffers.web.forms import HALF, check_key, form_of, held
from coffers.web.rooms import OpenPage, Rooms
from coffers.web.sign_in_pages import TOO_MANY, begun, refused_options


class SecondStep:
    """Asks for a code, a recovery code or a passkey after a right password."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._factors = SecondFactors(rooms.store, rooms.vault, rooms.clock)
        self._passkeys = PasskeySignIn(rooms.store, rooms.vault, rooms.clock)
        self.open = (
            OpenPage("/sign-in/second", self.shown, self.sent),
            OpenPage("/sign-in/second/passkey", sent=self.passkey),
        )

    async def shown(self, request: Request) -> Response:
        """Ask for it."""
        half = await self._half(request)
        back = request.query_params.get("back", "")
        return _over() if half is None else self._page(request, half, {}, back)

    async def sent(self, request: Request) -> Response:
        """Sign in by what was shown."""
        form, half = await form_of(request), await self._half(request)
        if half is None:
            return _over()
        check_key(form, half)
        back = form.get("back", "")
        try:
            signed_in = await self._by(request, half, form)
        except InvalidRecord as error:
            return self._page(request, half, error.attributes, back, 400)
        except SignInLocked as error:
            return self._page(request, half, {"code": [str(error)]}, back, TOO_MANY)
        except HalfOver:
            return _over()
        return begun(self._rooms, request, signed_in, back)

    async def passkey(self, request: Request) -> Response:
        """Tell a script of ours what a browser is to show a passkey by."""
        form, half = await form_of(request), await self._half(request)
        site = self._rooms.passkey_site(request)
        if half is None or site is None:
            raise NotFound(request.url.path)
        check_key(form, half)
        try:
            return json_answer(await self._passkeys.second_options(half, site))
        except SignInLocked as error:
            return refused_options(error)

    async def _by(self, request: Request, half: HalfSignedIn, form: dict[str, str]) -> SignedIn:
        site, visitor = self._rooms.passkey_site(request), self._rooms.visitor(request)
        if site is not None and form.get("answer"):
            return await self._passkeys.second(half, site, form["answer"], visitor)
        return await self._factors.by_code(half, form.get("code", ""), visitor)

    async def _half(self, request: Request) -> HalfSignedIn | None:
        token = held(request, HALF)
        return None if token is None else await self._factors.half(token)

    def _page(
        self,
        request: Request,
        half: HalfSignedIn,
        faults: dict[str, list[str]],
        back: str,
        status: int = 200,
    ) -> Response:
        told = {"half": half, "faults": faults, "back": page_of(back)}
        site = self._rooms.passkey_site(request)
        return self._renderer.page(request, "second_step.html", status, site=site, **told)


def _over() -> Response:
    return without_half(see_other("/sign-in", "half-over"))
