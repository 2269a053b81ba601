"""How far something has come that a worker does: a page, and what its script asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import JSONResponse, Response

from coffers.clock import SECOND
from coffers.portfolio.errands import Progress
from coffers.web.answers import SECURITY, Renderer
from coffers.web.rooms import Asked

_STATES: Final = {
    "waiting": "Waiting for a worker…",
    "at_work": "Asking what is there…",
    "done": "Done.",
}


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is awaited at the path `here`, in words.

    `path` are the pages above it with their names. `drop` is where it is forgotten, None where it
    cannot be.
    """

    title: str
    about: str
    here: str
    path: Sequence[tuple[str, str]]
    drop: str | None = None


def progress_page(
    renderer: Renderer, asked: Asked, awaited: Awaited, progress: Progress
) -> Response:
    """Return the page that waits, and becomes what is awaited once that is there."""
    query = asked.request.url.query
    return renderer.page(
        asked.request,
        "progress.html",
        who=asked.who,
        awaited=awaited,
        again=f"{awaited.here}?{query}" if query else awaited.here,
        progress=_told(progress),
    )


def progress_answer(progress: Progress | None) -> Response:
    """Return what the page's script is told; None is for what went wrong, which the page tells."""
    told: dict[str, object] = {"is_over": True}
    if progress is not None:
        told = {"is_over": progress.told is not None, **_told(progress)}
    return JSONResponse(told, headers={**SECURITY, "Cache-Control": "no-store"})


def _told(progress: Progress) -> dict[str, object]:
    return {"state": _STATES[progress.state], "seconds": progress.waited // SECOND}
