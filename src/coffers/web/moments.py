"""Moments as pages show them: how long ago, in text that static/ages.js lets advance."""

from markupsafe import Markup

from coffers.clock import Millis, iso
from coffers.web.formats import DRAWN
from coffers.web.numbers import age, span


def ago(at: Millis | None, now: Millis) -> Markup:
    """Return how long ago a moment was, or `never`; one that lies ahead is told as such."""
    return Markup("never") if at is None else until(at, now)


def until(at: Millis, now: Millis) -> Markup:
    """Return in how long a moment is, or how long ago it was."""
    return _time(at, f"in {span(at - now)}" if at > now else age(at, now))


def _time(at: Millis, text: str) -> Markup:
    formats = DRAWN.get()
    return Markup('<time datetime="{}" data-at="{}" title="{} {}">{}</time>').format(
        iso(at), int(at), formats.moment(at), formats.zone_name, text
    )
