"""Pages as answers: rendered, with the headers that keep a browser from harm."""

from collections.abc import Callable
from contextvars import copy_context
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from coffers.portfolio.sessions import SignedIn
from coffers.serving.encodings import CODINGS, Coding, coding_for, encoded, packed
from coffers.web import numbers
from coffers.web.faults import typed
from coffers.web.figures import change, figure, grown, in_percent, worth
from coffers.web.formats import DRAWN, PLAIN, Formats, formats_of
from coffers.web.forms import HALF, cookie_name
from coffers.web.moments import ago, until

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NOTICES: Final = {
    "password": "The password was changed; your other browsers are signed out.",
    "settings": "Saved. It counts from now on.",
    "mode": "These accounts are shown from now on, here and in the API.",
    "made-before": "That token was made already, and no second one now. Its secret was shown then; "
    "if it is lost, revoke the token and make another one.",
    "revoked": "The token is revoked: whatever signs with it is refused.",
    "connected": "Connected, and read for the first time.",
    "unread": "Connected, and not read yet; it is tried again soon: its page tells of that.",
    "reconnected": "It has the new key, and its history as before.",
    "kept": "Made. It holds what you said, which counts as put in now.",
    "kept-before": "Made already, and no second one now. For another one, open the form anew.",
    "holdings": "Changed. What came or went counts as put in or taken out now, and as no profit.",
    "paper": "Made, with what it starts with. Paper accounts are listed apart from real ones.",
    "moved": "Done; it is no profit and no loss.",
    "reset": "It begins anew.",
    "read": "Read just now.",
    "failed": "It could not be read; below stands why.",
    "not-read": "No worker could be asked to read it; look at it in a while.",
    "changed": "Changed.",
    "balance": "The rebalancing is set as you said.",
    "removed": "The account is removed, with its key and its history.",
    "portfolio": "Kept. Accounts that have it go to it from their next run on.",
    "portfolio-removed": "The portfolio is removed.",
    "dropped": "Forgotten; nothing was stored.",
    "unchecked": "Show first that it is you; nothing was changed.",
    "checked": "Thank you. What signs you in can be changed for ten minutes.",
    "totp-added": "The app is set up: its codes are asked for from now on.",
    "totp-before": "The app was set up already. Recovery codes were shown then, once; if you have "
    "not seen them, make new ones below.",
    "totp-removed": "The app was removed: its codes count no more.",
    "passkey-added": "The passkey is there: it signs you in from now on.",
    "passkey-renamed": "The passkey has its new name.",
    "passkey-removed": "The passkey was removed here. Remove it from your device too.",
    "session-ended": "That browser is signed out.",
    "others-ended": "Your other browsers are signed out.",
    "signed-out": "You were signed out; nothing was saved.",
    "signed-in-again": "You were signed out, and in again: this demo lets in whoever comes from "
    "this machine.",
    "half-over": "That took too long, or was done. Begin with the password again.",
}
"""What a page says above itself once a form was taken, by what its address ends with."""

_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_A_YEAR: Final = "public, max-age=31536000, immutable"


class Shelf:
    """The files that pages use, from memory; their addresses change with what is in them.

    All lie in one folder, so that modules find each other by name.
    """

    def __init__(self) -> None:
        found = files("coffers.web").joinpath("static")
        names = sorted(each.name for each in found.iterdir() if each.is_file())
        bodies = {name: found.joinpath(name).read_bytes() for name in names}
        # One for all of them, so that scripts find each other beside themselves.
        self._home = f"/static/{sha256(b''.join(bodies.values())).hexdigest()[:12]}"
        self._bodies: dict[tuple[str, Coding], bytes] = {
            (f"{self._home}/{name}", coding): packed(body, coding)
            for name, body in bodies.items()
            for coding in CODINGS
        }

    def address(self, name: str) -> str:
        """Return where a file is to be had."""
        return f"{self._home}/{name}"

    def answer(self, path: str, coding: Coding) -> Response | None:
        """Return the file at an address, None where there is none."""
        body = self._bodies.get((path, coding))
        if body is None:
            return None
        kind = _TYPES[path.rpartition(".")[2]]
        headers = {"Cache-Control": _A_YEAR, "X-Content-Type-Options": "nosniff"}
        return Response(body, headers=headers | coded(coding), media_type=kind)


class Renderer:
    """Fills templates; `is_secure` tells whether the browser came by TLS, proxies seen through.

    `demo_user` names the user as whom visitors are signed in, None where everybody signs in.
    """

    def __init__(
        self, shelf: Shelf, is_secure: Callable[[Scope], bool], demo_user: str | None
    ) -> None:
        self._shelf = shelf
        self._demo_user = demo_user
        self._is_secure = is_secure

    def page(self, request: Request, template: str, status: int = 200, **told: object) -> Response:
        """Return a page; nothing of it is kept by caches."""
        notice = NOTICES.get(request.query_params.get("done", ""))
        told = {"live": None, **told, "path": request.url.path, "notice": notice}
        who = told.get("who")
        formats = formats_of(who.user) if isinstance(who, SignedIn) else PLAIN
        body = copy_context().run(self._filled, template, formats, told).encode()
        coding = coding_of(request)
        headers = {**SECURITY, "Cache-Control": "no-store", **coded(coding)}
        if self._is_secure(request.scope):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return Response(encoded(body, coding), status, headers, media_type="text/html")

    def _filled(self, template: str, formats: Formats, told: dict[str, object]) -> str:
        DRAWN.set(formats)
        return self._environment.get_template(template).render(told)

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=PackageLoader("coffers.web"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        shown: dict[str, Any] = {
            **{name: _by_formats(name) for name in ("money", "units", "percent", "moment")},
            "zone": lambda: DRAWN.get().zone_name,
            "tone": numbers.tone,
            "span": numbers.span,
            "figure": figure,
            "worth": worth,
            "change": change,
            "grown": grown,
            "in_percent": in_percent,
            "ago": ago,
            "until": until,
            "right": numbers.right,
            "file": self._shelf.address,
            "typed": typed,
            "demo_user": self._demo_user,
        }
        environment.globals.update(shown)
        return environment


def coding_of(request: Request) -> Coding:
    """Return the content coding that a browser likes best."""
    return coding_for(request.headers.get("accept-encoding", "").encode("latin-1"))


def coded(coding: Coding) -> dict[str, str]:
    """Return the headers that tell a content coding."""
    vary = {"Vary": "Accept-Encoding"}
    return vary if coding == "identity" else {**vary, "Content-Encoding": coding}


def _by_formats(name: str) -> Callable[..., str]:
    """Return what writes by the formats of whoever the page is drawn for."""

    def written(*given: object, **named: object) -> str:
        text: str = getattr(DRAWN.get(), name)(*given, **named)
        return text

    return written


def see_other(path: str, done: str | None = None) -> Response:
    """Return an answer that sends the browser to another page of ours, which says what was done."""
    path = path if done is None else f"{path}?done={done}"
    return RedirectResponse(path, 303, {**SECURITY, "Cache-Control": "no-store"})


def json_answer(text: str, status: int = 200) -> Response:
    """Return an answer to a script of ours."""
    headers = {**SECURITY, "Cache-Control": "no-store"}
    return Response(text, status, headers, media_type="application/json")


def with_session(answer: Response, token: str, *, is_secure: bool, lasts: int) -> Response:
    """Have the browser hold a session; `lasts` is in seconds."""
    answer.set_cookie(
        cookie_name(is_secure=is_secure),
        token,
        max_age=lasts,
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def with_half(answer: Response, token: str, *, is_secure: bool, lasts: int) -> Response:
    """Have the browser hold what stands for the first step of signing in; `lasts` is in seconds."""
    answer.set_cookie(
        HALF,
        token,
        max_age=lasts,
        path="/sign-in",
        secure=is_secure,
        httponly=True,
        samesite="strict",
    )
    return answer


def without_half(answer: Response) -> Response:
    """Have the browser forget that."""
    answer.delete_cookie(HALF, path="/sign-in", httponly=True, samesite="strict")
    return answer


def without_session(answer: Response, *, is_secure: bool) -> Response:
    """Have the browser forget its session."""
    name = cookie_name(is_secure=is_secure)
    answer.delete_cookie(name, path="/", secure=is_secure, httponly=True, samesite="lax")
    return answer
