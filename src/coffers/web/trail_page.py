"""The trail of all that was done in a user's name, page by page."""

from starlette.responses import Response

from coffers.portfolio.trail import Trail
from coffers.store.audit import TrailFilter
from coffers.web.answers import Renderer
from coffers.web.rooms import Asked, OwnPage, Rooms


class TrailPages:
    """Shows the trail of whoever is signed in."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._renderer = renderer
        self._trail = Trail(rooms.store)
        self.own = (OwnPage("/security/trail", self.show),)

    async def show(self, asked: Asked) -> Response:
        """Show a page of it, from the newest event on or from behind one.

        Raises:
            NotFound: where that one is none of this user's.
        """
        text = asked.request.query_params.get("before", "")
        before = int(text) if text.isdecimal() and len(text) <= _DIGITS else None
        page = await self._trail.page(TrailFilter(asked.who.user.id), before=before)
        return self._renderer.page(asked.request, "trail.html", who=asked.who, page=page)


_DIGITS = 10
"""Those of the highest number that an event can have; others name none."""
