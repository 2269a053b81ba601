"""Portfolios of target shares: listed, made, changed and removed."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from coffers.errors import CoffersError, InvalidRecord
from coffers.money import plain
from coffers.portfolio.portfolios import (
    MOST_PORTFOLIOS,
    USUAL_TOLERANCE,
    Look,
    PortfolioKeeping,
    PortfolioWanted,
)
from coffers.store.records import Portfolio
from coffers.web.answers import Renderer, see_other
from coffers.web.faults import Faults, faults_of
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.rows import CHANGED_ELSEWHERE, Row, again, mark_of, named_rows, rows_in, rows_of


class PortfolioPages:
    """Looks after what accounts are rebalanced to."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._renderer = renderer
        self._keeping = PortfolioKeeping(rooms.store, rooms.clock)
        self.own = (
            OwnPage("/portfolios", self.all),
            OwnPage("/portfolios/new", self.new, self.new),
            OwnPage("/portfolios/{id:id}", self.edit, self.edit),
            OwnPage("/portfolios/{id:id}/remove", sent=self.remove),
        )

    async def all(self, asked: Asked) -> Response:
        """Return all portfolios of a user."""
        found = await self._keeping.page(asked.who.user.id, limit=MOST_PORTFOLIOS)
        return self._renderer.page(
            asked.request, "portfolios.html", who=asked.who, portfolios=found.portfolios
        )

    async def new(self, asked: Asked) -> Response:
        """Make a portfolio."""
        form = asked.form or {"name": "", "tolerance": USUAL_TOLERANCE}
        rows, faults = rows_in(form), Faults(status=200)
        if asked.form and "more" not in form:
            try:
                await self._keeping.create(asked.who.user.id, _wanted(form, rows))
            except CoffersError as error:
                faults = _faults(error)
            else:
                return see_other("/portfolios", "portfolio")
        return self._editor(asked, faults, form, again(rows), None)

    async def edit(self, asked: Asked) -> Response:
        """Change a portfolio.

        Raises:
            NotFound: when this user has none of this id.
        """
        user_id, form, faults = asked.who.user.id, asked.form, Faults(status=200)
        rows = rows_in(form)
        if form and "more" not in form:
            try:
                await self._keeping.replace(user_id, asked.id, _wanted(form, rows), _as_seen(form))
            except CoffersError as error:
                faults = _faults(error)
            else:
                return see_other("/portfolios", "portfolio")
        portfolio = await self._keeping.get(user_id, asked.id)
        if not form:
            rows = rows_of(portfolio.targets)
            return self._editor(asked, faults, _form(portfolio), rows, portfolio)
        return self._editor(asked, faults, form, again(rows), portfolio)

    async def remove(self, asked: Asked) -> Response:
        """Remove a portfolio that no account is rebalanced to.

        Raises:
            NotFound: when this user has none of this id.
        """
        user_id = asked.who.user.id
        portfolio = await self._keeping.get(user_id, asked.id)
        try:
            if "sure" not in asked.form:
                raise InvalidRecord({"sure": ["tick it to have it removed"]})
            await self._keeping.remove(user_id, asked.id)
        except CoffersError as error:
            rows = rows_of(portfolio.targets)
            return self._editor(asked, _faults(error), _form(portfolio), rows, portfolio)
        return see_other("/portfolios", "portfolio-removed")

    def _editor(
        self,
        asked: Asked,
        faults: Faults,
        form: Mapping[str, str],
        rows: Sequence[Row],
        portfolio: Portfolio | None,
    ) -> Response:
        mark = "" if portfolio is None else _mark(portfolio)
        return self._renderer.page(
            asked.request,
            "portfolio.html",
            faults.status,
            who=asked.who,
            portfolio=portfolio,
            # After another one's change, what was typed is shown to be looked at, and can be sent.
            before=form["before"] if "more" in form and "before" in form else mark,
            form=form,
            rows=rows,
            faults=faults.fields,
            told=faults,
        )


def _form(portfolio: Portfolio) -> dict[str, str]:
    form = {"name": portfolio.name, "tolerance": plain(portfolio.tolerance).removesuffix(".0")}
    return form | ({"sells_others": "1"} if portfolio.sells_others else {})


def _mark(portfolio: Portfolio) -> str:
    """Return what is another one as soon as a portfolio was changed."""
    how = plain(portfolio.tolerance), str(portfolio.sells_others), portfolio.name
    return mark_of(portfolio.targets, *how)


def _as_seen(form: Mapping[str, str]) -> Look:
    """Return what refuses a form that was drawn of another portfolio than there is by now."""

    def look(portfolio: Portfolio) -> None:
        if form.get("before") != _mark(portfolio):
            raise InvalidRecord({"before": [CHANGED_ELSEWHERE]})

    return look


def _wanted(form: Mapping[str, str], rows: Sequence[Row]) -> PortfolioWanted:
    targets = {row.code: row.amount for row in rows}
    if len(targets) < len(rows):
        raise InvalidRecord({"targets": ["name an asset twice"]})
    tolerance = form.get("tolerance", "").strip()
    return PortfolioWanted(
        form.get("name", ""), targets, tolerance, sells_others="sells_others" in form
    )


def _faults(error: CoffersError) -> Faults:
    if isinstance(error, InvalidRecord):
        error = named_rows(error, {"targets": "share"})
    return faults_of(error, ("tolerance", "sure"))
