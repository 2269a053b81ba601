"""Figures as pages show them: each leads to what it is made of, and one that is not whole looks so.

Not written as templates, since a page has hundreds of them: they took half of its time.
"""

from decimal import Decimal

from markupsafe import Markup, escape

from coffers.valuation.figures import Gain
from coffers.web.formats import DRAWN
from coffers.web.numbers import UNKNOWN, tone
from coffers.web.trust import TrustLevel


def figure(
    amount: Decimal | None,
    currency: str,
    href: str,
    standing: TrustLevel = "good",
    *,
    signed: bool = False,
) -> Markup:
    """Return an amount that leads to its explanation, with how far it can be trusted."""
    if amount is None:
        return _safe(f'<a class="figure unknown" href="{escape(href)}">{UNKNOWN}</a>')
    kind = "figure" if standing == "good" else f"figure {standing}"
    text = escape(DRAWN.get().money(amount, currency, signed=signed))
    return _safe(f'<a class="{kind}" href="{escape(href)}" data-value="{amount:f}">{text}</a>')


def worth(amount: Decimal | None, currency: str, href: str, standing: TrustLevel) -> Markup:
    """Return what something is worth: that is whole where a profit alone is doubtful."""
    return figure(amount, currency, href, "good" if standing == "doubtful" else standing)


def in_percent(gain: Gain | None, amount: Decimal | None) -> Decimal | None:
    """Return a profit in percent of what was there without it; `amount` is what is there with it.

    None also where nothing was there, or less: there the API tells 0, or a percentage whose sign is
    not that of the profit.
    """
    if gain is None or amount is None or amount <= gain.profit:
        return None
    return gain.percentage


def grown(gain: Gain, amount: Decimal | None) -> Markup:
    """Return the percentage of a profit, see `in_percent`."""
    share = in_percent(gain, amount)
    why = ' title="Nothing was there without it that it could be a part of"'
    text = escape(DRAWN.get().percent(share, signed=True))
    return _safe(f'<small class="{tone(share, 2)}"{why if share is None else ""}>{text}</small>')


def change(
    gain: Gain | None, amount: Decimal | None, currency: str, href: str, standing: TrustLevel
) -> Markup:
    """Return a profit with its percentage below it, see `in_percent`."""
    if gain is None:
        return figure(None, currency, href)
    profit = figure(gain.profit, currency, href, standing, signed=True)
    return _safe(f'<span class="{tone(gain.profit)}">{profit}<br>{grown(gain, amount)}</span>')


def _safe(html: str) -> Markup:
    # Parts are escaped one by one where they are put in: the library's way to do that for a whole
    # text took three times as long.
    return Markup(html)  # noqa: S704 - see above
