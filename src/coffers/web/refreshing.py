"""Reading an account now: waited for, or followed by a script."""

from typing import Final

import msgspec
from starlette.responses import JSONResponse, Response

from coffers.connectors.reading import FailureKind
from coffers.errors import CoffersError, NotFound
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.errand_forms import REFRESH, RefreshAsked, Refreshed
from coffers.portfolio.errands import Errands
from coffers.web.answers import SECURITY, see_other
from coffers.web.faults import faults_of
from coffers.web.judged import advice_on
from coffers.web.rooms import Asked, OwnPage, Rooms

_DONE: Final = {
    "complete": "Read, all of it.",
    "partial": "Read, but for some parts.",
    "held_back": "Most of what was known is gone: a second reading must agree.",
    "busy": "It is being read already.",
}
_AT_WORK: Final = {"waiting": "Waiting for a worker…", "at_work": "Reading…"}


class Refreshing:
    """Has accounts read now."""

    def __init__(self, rooms: Rooms) -> None:
        self._keeping = AccountKeeping(rooms.store, rooms.clock)
        self._errands = Errands(rooms.store, rooms.vault, rooms.clock)
        self.own = (
            OwnPage("/accounts/{id:id}/refresh", sent=self.refresh),
            OwnPage("/accounts/{id:id}/refresh/{errand:id}", self.progress),
        )

    async def refresh(self, asked: Asked) -> Response:
        """Have an account read and lead back to it; a script is told what to follow instead.

        Raises:
            NotFound: when this user has no account of this id.
        """
        user_id = asked.who.user.id
        await self._keeping.get(user_id, asked.id)
        wanted = RefreshAsked(asked.id)
        if "follow" in asked.form:
            try:
                number = await self._errands.begin(user_id, REFRESH, wanted)
            except CoffersError as error:
                return _json(*_refused(error))
            return _json({"follow": f"/accounts/{asked.id}/refresh/{number}"})
        try:
            told = await self._errands.ask(user_id, REFRESH, wanted)
        except NotFound:
            raise
        except CoffersError:
            return see_other(f"/accounts/{asked.id}", "not-read")
        outcome = msgspec.json.decode(told, type=Refreshed)
        return see_other(f"/accounts/{asked.id}", "read" if outcome.failure is None else "failed")

    async def progress(self, asked: Asked) -> Response:
        """Tell a script how far a reading has come."""
        number: int = asked.request.path_params["errand"]
        try:
            found = await self._errands.look(asked.who.user.id, number)
        except CoffersError as error:
            told, _ = _refused(error)
            return _json(told)
        if found.told is None:
            return _json({"is_over": False, "is_good": True, "told": _AT_WORK[found.state]})
        refreshed = msgspec.json.decode(found.told, type=Refreshed)
        return _json(_told(refreshed))


def _told(refreshed: Refreshed) -> dict[str, object]:
    if refreshed.failure is None:
        is_good = refreshed.outcome in {"complete", "busy"}
        told = _DONE.get(refreshed.outcome, refreshed.outcome)
        return {"is_over": True, "is_good": is_good, "told": told}
    advice = advice_on(FailureKind(refreshed.failure))
    return {
        "is_over": True,
        "is_good": False,
        "told": f"{refreshed.message or ''} {advice}".strip(),
    }


def _refused(error: CoffersError) -> tuple[dict[str, object], int]:
    """Return what a script is told of a fault, and its status.

    Raises:
        NotFound: what is nobody's is told by a page.
    """
    faults = faults_of(error, ())
    return {"is_over": True, "is_good": False, "told": " ".join(faults.told)}, faults.status


def _json(told: dict[str, object], status: int = 200) -> Response:
    return JSONResponse(told, status, headers={**SECURITY, "Cache-Control": "no-store"})
