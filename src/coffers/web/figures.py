"""Figures as pages show them: each leads to what it is made of, and one that is not whole looks so.

Not written as templates, since a page has hundreds of them: they took half of its time.
"""

from decimal import Decimal

from markupsafe import Markup, escape

from coffers.valuation.figures import Gain
from coffers.web.formats import DRAWN
from coffers.web.numbers import UNKNOWN, tone
from coffers.web.trust import Standing


def figure(
    amount: Decimal | None,
    currency: str,
    href: str,
    standing: Standing = "good",
    *,
    signed: bool = False,
) -> Markup:
    """Return an amount that leads to its explanation, with how far it can be trusted."""
    if amount is None:
        return _safe(f'<a class="figure unknown" href="{escape(href)}">{UNKNOWN}</a>')
    kind = "figure" if standing == "good" else f"figure {standing}"
    text = escape(DRAWN.get().money(amount, currency, signed=signed))
    return _safe(f'<a class="{kind}" href="{escape(href)}" data-value="{amount:f}">{text}</a>')


def worth(amount: Decimal | None, currency: str, href: str, standing: Standing) -> Markup:
    """Return what something is worth: that is whole where a profit alone is doubtful."""
    return figure(amount, currency, href, "good" if standing == "doubtful" else standing)


def change(gain: Gain | None, currency: str, href: str, standing: Standing) -> Markup:
    """Return a profit with its percentage below it."""
    if gain is None:
        return figure(None, currency, href)
    profit = figure(gain.profit, currency, href, standing, signed=True)
    share = escape(DRAWN.get().percent(gain.percentage, signed=True))
    small = f'<small class="{tone(gain.percentage, 2)}">{share}</small>'
    return _safe(f'<span class="{tone(gain.profit)}">{profit}<br>{small}</span>')


def _safe(html: str) -> Markup:
    # Parts are escaped one by one where they are put in: the library's way to do that for a whole
    # text took three times as long.
    return Markup(html)  # noqa: S704 - see above
