"""What a user chooses for the pages: the currency, how numbers and dates are written, the zone."""

from collections.abc import Mapping

from starlette.responses import Response

from coffers.errors import InvalidRecord
from coffers.portfolio.manners import WRITTEN, time_zones
from coffers.portfolio.users import Manner, Users
from coffers.pricing.currencies import DISPLAY_CURRENCIES
from coffers.store.records import User
from coffers.web.answers import Renderer, see_other
from coffers.web.rooms import Asked, OwnPage, Rooms


class SettingsPage:
    """Shows and takes somebody's choices."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._renderer = renderer
        self._users = Users(rooms.store, rooms.clock)
        self.own = (
            OwnPage("/settings", self.show, self.choose),
            OwnPage("/settings/mode", sent=self.choose_mode),
        )

    async def show(self, asked: Asked) -> Response:
        """Return the page."""
        return self._shown(asked, _chosen(asked.who.user), {})

    async def choose(self, asked: Asked) -> Response:
        """Show what the form says from now on."""
        form = asked.form
        manner = Manner(form.get("currency"), form.get("written_as"), form.get("time_zone"))
        try:
            await self._users.choose(asked.who.user, manner)
        except InvalidRecord as error:
            return self._shown(asked, form, error.attributes)
        return see_other("/settings", "settings")

    async def choose_mode(self, asked: Asked) -> Response:
        """Show the real accounts, or those on paper, from now on."""
        try:
            await self._users.choose_mode(asked.who.user.id, asked.form.get("mode", ""))
        except InvalidRecord as error:
            return self._shown(asked, _chosen(asked.who.user), error.attributes)
        return see_other("/", "mode")

    def _shown(
        self, asked: Asked, form: Mapping[str, str], faults: Mapping[str, list[str]]
    ) -> Response:
        return self._renderer.page(
            asked.request,
            "settings.html",
            400 if faults else 200,
            who=asked.who,
            form=form,
            faults=faults,
            currencies=sorted(DISPLAY_CURRENCIES),
            written=WRITTEN,
            zones=time_zones(),
        )


def _chosen(user: User) -> dict[str, str]:
    return {
        "currency": user.display_currency,
        "written_as": user.written_as,
        "time_zone": user.time_zone,
    }
