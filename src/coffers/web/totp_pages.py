"""Setting up an app that makes codes, and taking it away."""

from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.responses import Response

from coffers.errors import InvalidRecord
from coffers.portfolio.totp import TotpApps
from coffers.secret import Secret
from coffers.web.answers import Renderer, see_other
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.security_page import codes_page


class TotpPages:
    """Shows the secret as a picture and as text, until a code of it was given."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._apps = TotpApps(rooms.store, rooms.vault, rooms.clock)
        self.own = (
            OwnPage("/security/totp", self.shown, self.confirm),
            OwnPage("/security/totp/begin", sent=self.begin),
            OwnPage("/security/totp/remove", sent=self.remove),
        )

    async def begin(self, asked: Asked) -> Response:
        """Make a secret."""
        await self._apps.begin(asked.who)
        return see_other("/security/totp")

    async def shown(self, asked: Asked) -> Response:
        """Show it."""
        return await self._page(asked, {})

    async def confirm(self, asked: Asked) -> Response:
        """Take a code of it."""
        try:
            codes = await self._apps.confirm(asked.who, asked.form.get("code", ""))
        except InvalidRecord as error:
            return await self._page(asked, error.attributes)
        if codes:
            return codes_page(self._renderer, asked, codes)
        return see_other("/security", "totp-added")

    async def remove(self, asked: Asked) -> Response:
        """Take the app away."""
        await self._apps.remove(asked.who)
        return see_other("/security", "totp-removed")

    async def _page(self, asked: Asked, faults: dict[str, list[str]]) -> Response:
        request, who = asked.request, asked.who
        host = urlsplit(self._rooms.base_url(request.scope)).hostname or ""
        enrolment = await self._apps.waiting(who, host)
        if enrolment is None:
            # A second press comes too late to be shown the codes that the first one made.
            has_app = "code" in asked.form and await self._apps.is_set_up(who)
            return see_other("/security", "totp-before" if has_app else None)
        return self._renderer.page(
            request,
            "totp.html",
            400 if faults else 200,
            who=who,
            secret=_grouped(enrolment.secret.reveal()),
            uri=enrolment.uri.reveal(),
            picture=_picture(enrolment.uri),
            faults=faults,
        )


def _grouped(text: str) -> str:
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def _picture(uri: Secret) -> Markup:
    """Return a QR code as SVG, black on white whatever the page's colours: cameras want it so."""
    import segno  # noqa: PLC0415 - if it is used

    made = segno.make(uri.reveal(), error="m", micro=False)
    return Markup(made.svg_inline(omitsize=True, dark="#000", light="#fff"))  # noqa: S704 - segno writes paths, no text
