"""The pages before one is signed in: the first run, signing in, and by a one-time code."""

from typing import Final

from msgspec import json
from starlette.requests import Request
from starlette.responses import Response

from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.passkey_sign_in import PasskeySignIn
from coffers.portfolio.second_factors import HALF_LASTS, HalfSignedIn
from coffers.portfolio.sessions import LONGEST, SignedIn
from coffers.portfolio.sign_in import SignInRefused
from coffers.secret import Secret
from coffers.web.answers import (
    Renderer,
    json_answer,
    see_other,
    with_half,
    with_session,
    without_half,
    without_session,
)
from coffers.web.back import page_of, with_back
from coffers.web.demo import way_in
from coffers.web.forms import check_key, form_of
from coffers.web.rooms import Asked, OpenPage, OwnPage, Rooms

TOO_MANY: Final = 429


class SignInPages:
    """Signs people in and out."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._sign_in = rooms.sign_in
        self._passkeys = PasskeySignIn(rooms.store, rooms.vault, rooms.clock)
        self._renderer = renderer
        self.open = (
            OpenPage("/welcome", self.welcome, self.welcome),
            OpenPage("/sign-in", self.sign_in, self.sign_in),
            OpenPage("/sign-in/passkey", sent=self.passkey),
            OpenPage("/sign-out", sent=self.sign_out),
        )
        self.own = (OwnPage("/password", self.password, self.password),)

    async def welcome(self, request: Request) -> Response:
        """Make the first user, with the code that the terminal shows."""
        if not await self._sign_in.is_first_run():
            return see_other("/sign-in")
        if request.method != "POST":
            return self._shown(request, "welcome.html", {})
        form = await form_of(request)
        if form.get("password") != form.get("again"):
            faults = {"again": ["is not the same"]}
            return self._shown(request, "welcome.html", form, faults, 400)
        given = (form.get("code", ""), form.get("name", ""), Secret(form.get("password", "")))
        try:
            signed_in = await self._sign_in.welcome(*given, self._rooms.visitor(request))
        except InvalidRecord as error:
            return self._shown(request, "welcome.html", form, error.attributes, 400)
        except SignInLocked as error:
            return self._shown(request, "welcome.html", form, {"code": [str(error)]}, TOO_MANY)
        return begun(self._rooms, request, signed_in)

    async def sign_in(self, request: Request) -> Response:
        """Sign in by name and password."""
        if request.method != "POST":
            # A code is typed, and in no address: those are kept in histories and logs.
            form = {"code": ""} if request.query_params.get("by") == "code" else {}
            if not form and await self._sign_in.is_first_run():
                return see_other("/welcome")
            form["back"] = request.query_params.get("back", "")
            return self._shown(request, "sign_in.html", form)
        form = await form_of(request)
        first = "code" if "code" in form else "name"
        try:
            signed_in = await self._by(request, form)
        except InvalidRecord as error:
            return self._shown(request, "sign_in.html", form, error.attributes, 400)
        except SignInRefused as error:
            return self._shown(request, "sign_in.html", form, {first: [str(error)]}, 400)
        except SignInLocked as error:
            return self._shown(request, "sign_in.html", form, {first: [str(error)]}, TOO_MANY)
        return begun(self._rooms, request, signed_in, form.get("back"))

    async def passkey(self, request: Request) -> Response:
        """Tell a script of ours what a browser is to show a passkey by."""
        await form_of(request)
        site = self._rooms.passkey_site(request)
        if site is None:
            raise NotFound(request.url.path)
        return json_answer(await self._passkeys.options(site))

    async def _by(self, request: Request, form: dict[str, str]) -> SignedIn | HalfSignedIn:
        site, visitor = self._rooms.passkey_site(request), self._rooms.visitor(request)
        if site is not None and form.get("answer"):
            return await self._passkeys.sign_in(site, form["answer"], visitor)
        if "code" in form:
            return await self._sign_in.by_code(form["code"], visitor)
        password = Secret(form.get("password", ""))
        return await self._sign_in.by_password(form.get("name", ""), password, visitor)

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        form, token = await form_of(request), self._rooms.session_of(request)
        signed_in = None if token is None else await self._sign_in.of(token)
        if signed_in is not None:
            check_key(form, signed_in)
            await self._sign_in.sign_out(signed_in)
        is_secure, where = self._rooms.is_secure(request.scope), way_in(self._rooms, request)
        answer = see_other(where, "signed-in-again" if where == "/" else None)
        return without_session(answer, is_secure=is_secure)

    async def password(self, asked: Asked) -> Response:
        """Change one's own password."""
        request, faults = asked.request, dict[str, list[str]]()
        if request.method == "POST":
            faults = await self._changed(asked)
            if not faults:
                return see_other("/", "password")
        status = 400 if faults else 200
        return self._renderer.page(
            request, "password.html", status, who=asked.who, form={}, faults=faults
        )

    async def _changed(self, asked: Asked) -> dict[str, list[str]]:
        """Change a password as a form says; return what is wrong with that, if something is."""
        form = asked.form
        if form.get("password") != form.get("again"):
            return {"again": ["is not the same"]}
        given = (Secret(form.get("old_password", "")), Secret(form.get("password", "")))
        try:
            await self._sign_in.change_password(asked.who, *given)
        except InvalidRecord as error:
            return error.attributes
        except SignInLocked as error:
            return {"old_password": [str(error)]}
        return {}

    def _shown(
        self,
        request: Request,
        template: str,
        form: dict[str, str],
        faults: dict[str, list[str]] | None = None,
        status: int = 200,
    ) -> Response:
        # What was secret is not sent back.
        kept = {name: form[name] for name in ("name", "code") if name in form}
        told = {"form": kept, "faults": faults or {}, "back": page_of(form.get("back", ""))}
        site = self._rooms.passkey_site(request)
        return self._renderer.page(request, template, status, site=site, **told)


def begun(
    rooms: Rooms, request: Request, found: SignedIn | HalfSignedIn, back: str | None = None
) -> Response:
    """Have the browser go on, signed in or to the second step; `back` is where to, if it may be."""
    token, is_secure = found.token.reveal(), rooms.is_secure(request.scope)
    if isinstance(found, HalfSignedIn):
        lasts = HALF_LASTS // 1000
        second = see_other(with_back("/sign-in/second", back))
        return with_half(second, token, is_secure=is_secure, lasts=lasts)
    lasts = LONGEST // 1000
    page = see_other(page_of(back or "") or "/")
    return without_half(with_session(page, token, is_secure=is_secure, lasts=lasts))


def refused_options(error: SignInLocked) -> Response:
    """Tell a script of ours that there is a wait."""
    return json_answer(json.encode({"why": str(error)}).decode(), TOO_MANY)
