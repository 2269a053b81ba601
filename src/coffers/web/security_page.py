"""What signs somebody in, on one page: password, app, passkeys, recovery codes, sessions."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from coffers.errors import InvalidRecord
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.passkeys import Passkeys
from coffers.portfolio.recovery_codes import RecoveryCodes
from coffers.portfolio.sessions import Sessions
from coffers.portfolio.trail import Trail
from coffers.secret import Secret
from coffers.store.audit import TrailFilter
from coffers.web.answers import Renderer, see_other
from coffers.web.back import page_of
from coffers.web.browsers import browser_of
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.sign_in_pages import TOO_MANY

Faults = Mapping[str, list[str]]

NEWEST: Final = 5
"""Events of the trail that the page shows; the others are on the trail's own."""


class SecurityPage:
    """Shows what signs its user in, and changes it for who showed lately who they are."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._sessions = Sessions(rooms.store, rooms.clock)
        self._codes = RecoveryCodes(rooms.store, rooms.clock)
        self._passkeys = Passkeys(rooms.store, rooms.clock)
        self._trail = Trail(rooms.store)
        self.own = (
            OwnPage("/security", self.shown),
            OwnPage("/security/check", sent=self.check),
            OwnPage("/security/recovery", self.ask_to_renew, self.renew),
            OwnPage("/security/sessions/end", sent=self.end),
            OwnPage("/security/sessions/end-others", sent=self.end_others),
        )

    async def shown(self, asked: Asked) -> Response:
        """Show everything."""
        return await self.page(asked, {})

    async def check(self, asked: Asked) -> Response:
        """Take the password of who wants to change something."""
        try:
            password = Secret(asked.form.get("password", ""))
            await self._rooms.sign_in.confirm(asked.who, password)
        except InvalidRecord as error:
            return await self.page(asked, error.attributes)
        except SignInLocked as error:
            return await self.page(asked, {"password": [str(error)]}, TOO_MANY)
        back = page_of(asked.form.get("back", ""))
        return see_other("/security", "checked") if back is None else see_other(back)

    async def ask_to_renew(self, asked: Asked) -> Response:
        """Ask whether new recovery codes shall take the place of those that are left.

        Raises:
            CheckNeeded: where the user has not shown for a while who they are.
        """
        who = asked.who
        who.require_check(self._rooms.clock.now())
        async with self._rooms.store.reading() as tx:
            ways = await tx.factors.ways(who.user.id)
        if not ways.is_second_asked:
            return see_other("/security")
        left = ways.recovery_codes
        return self._renderer.page(asked.request, "recovery_renew.html", who=who, left=left)

    async def renew(self, asked: Asked) -> Response:
        """Make new recovery codes, and show them this once."""
        return codes_page(self._renderer, asked, await self._codes.renew(asked.who))

    async def end(self, asked: Asked) -> Response:
        """Sign one browser out."""
        await self._sessions.end(asked.who, asked.form.get("session", ""))
        return see_other("/security", "session-ended")

    async def end_others(self, asked: Asked) -> Response:
        """Sign all other browsers out."""
        await self._sessions.end_others(asked.who)
        return see_other("/security", "others-ended")

    async def page(self, asked: Asked, faults: Faults, status: int = 400) -> Response:
        """Return the page, with what is wrong with a form, and that form's status."""
        request, who, now = asked.request, asked.who, self._rooms.clock.now()
        async with self._rooms.store.reading() as tx:
            ways = await tx.factors.ways(who.user.id)
            has_password = await tx.sign_ins.password(who.user.id) is not None
        newest = await self._trail.page(TrailFilter(who.user.id), limit=NEWEST)
        return self._renderer.page(
            request,
            "security.html",
            status if faults else 200,
            who=who,
            ways=ways,
            has_password=has_password,
            back=request.query_params.get("back", "") or asked.form.get("back", ""),
            is_checked=who.is_checked(now),
            sessions=await self._sessions.all(who),
            passkeys=await self._passkeys.all(who),
            events=newest.events,
            site=self._rooms.passkey_site(request),
            base=self._rooms.base_url(request.scope),
            form={"name": asked.form.get("name", "")},
            browser=browser_of,
            now=now,
            faults=faults,
        )


def codes_page(renderer: Renderer, asked: Asked, codes: list[str]) -> Response:
    """Return the page that shows recovery codes, once."""
    request: Request = asked.request
    return renderer.page(request, "recovery_codes.html", who=asked.who, codes=codes)
