"""What browsers send: forms, within bounds and from our own pages only, and cookies."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from coffers.errors import CoffersError
from coffers.portfolio.second_factors import HalfSignedIn
from coffers.portfolio.sessions import SignedIn
from coffers.secret import Secret

COOKIE: Final = "coffers_session"
HALF: Final = "coffers_half"
"""What a browser holds between the two steps of signing in."""

LONGEST_FORM: Final = 64_000
MOST_FIELDS: Final = 1_000
FORM_KEY: Final = "form_key"


class BadForm(CoffersError):
    """A form that no page of ours sent, or that is too long."""


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that a page of this server sent.

    Raises:
        BadForm: for one of another site, or one that cannot be read.
    """
    if not _is_our_own(request):
        raise BadForm("this form was not sent from a page of this server; open the page again")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise BadForm("this form is too long")
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError:
        raise BadForm("this form cannot be read") from None
    # PostgreSQL takes no text with a NUL, and no browser lets one be typed.
    if any("\0" in value for _, value in fields):
        raise BadForm("this form cannot be read")
    return dict(fields)


def _is_our_own(request: Request) -> bool:
    """Return whether a form comes from a page of this server.

    Every browser of today tells the page's origin with a form; one that does not is refused.
    """
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return request.headers.get("sec-fetch-site") == "same-origin"
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


def check_key(form: Mapping[str, str], who: SignedIn | HalfSignedIn) -> None:
    """Refuse a form that no page of this session sent.

    Raises:
        BadForm: for such a form.
    """
    if not who.has_made(form.get(FORM_KEY, "")):
        raise BadForm("this page is of an earlier session; open it again")


def cookie_name(*, is_secure: bool) -> str:
    """Return what the cookie of a session is called.

    Over TLS a browser takes one with this prefix from this host alone: none that a neighbour under
    the same domain has set for it.
    """
    return f"__Host-{COOKIE}" if is_secure else COOKIE


def held(request: Request, cookie: str) -> Secret | None:
    """Return what the browser holds as a cookie, None where it holds nothing."""
    token = request.cookies.get(cookie)
    return Secret(token) if token else None
