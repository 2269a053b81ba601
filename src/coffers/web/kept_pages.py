"""Accounts that are kept here: by hand, and on paper. Made, changed, and what a change means."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.responses import Response

from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.markets.catalogue import MANUAL
from coffers.money import plain
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.idempotency import Once
from coffers.portfolio.kept import Look
from coffers.portfolio.loose import AMOUNTS, CODES, HandKept, LooseAccounts
from coffers.portfolio.paper import USUAL_FEE, Direction, NewPaper, PaperAccounts
from coffers.portfolio.secrecy import told as repeated
from coffers.portfolio.token_keys import added_chains
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account
from coffers.sync.kept import Amounts
from coffers.valuation.value import holdings_of
from coffers.web.answers import Renderer, see_other
from coffers.web.faults import Faults, faults_of
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.rows import (
    CHANGED_ELSEWHERE,
    Row,
    again,
    mark_of,
    named_rows,
    rows_in,
    rows_of,
    said,
)

_BALANCES = "balances"


class KeptPages:
    """Makes and changes accounts that nobody outside is asked about."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        added = added_chains(rooms.catalogue)
        self._rooms = rooms
        self._renderer = renderer
        self._keeping = AccountKeeping(rooms.store, rooms.clock)
        self._loose = LooseAccounts(rooms.store, rooms.clock, added)
        self._paper = PaperAccounts(rooms.store, rooms.clock, added)
        self.own = (
            OwnPage("/connect/manual", self.new_by_hand, self.new_by_hand),
            OwnPage("/connect/paper_trading", self.new_paper, self.new_paper),
            OwnPage("/accounts/{id:id}/holdings", self.holdings, self.holdings),
            OwnPage("/accounts/{id:id}/paper", self.paper, self.move),
            OwnPage("/accounts/{id:id}/paper/reset", sent=self.reset),
        )

    async def new_by_hand(self, asked: Asked) -> Response:
        """Make a hand-kept account."""
        form = asked.form or {"name": "By hand", "include_in_summary": "1"}
        rows, faults = rows_in(form), Faults(status=200)
        if asked.form and "more" not in form:
            in_summary = "include_in_summary" in form
            wanted = _hand_kept(said(rows), form.get("name", ""), in_summary=in_summary)
            wanted = replace(wanted, once=Once(form=form.get("once")))
            try:
                made = await self._loose.create(asked.who.user.id, wanted)
            except AlreadyConnected as error:
                return see_other(f"/accounts/{error.account_id}", "kept-before")
            except CoffersError as error:
                faults = _faults(error)
            else:
                return see_other(f"/accounts/{made.id}", "kept")
        return self._shown(asked, "kept_new.html", faults, form=_once(form), rows=again(rows))

    async def holdings(self, asked: Asked) -> Response:
        """Change what a hand-kept account holds.

        Raises:
            NotFound: when this user has no hand-kept account of this id.
        """
        user_id, form = asked.who.user.id, asked.form
        account = await self._by_hand(asked)
        async with self._rooms.store.reading() as tx:
            held = holdings_of(await tx.holdings.of_account(user_id, account.id))
        rows, faults = rows_of(held), Faults(status=200)
        if form:
            rows = again(rows_in(form))
        if form and "more" not in form:
            try:
                wanted = _hand_kept(said(rows_in(form), held))
                await self._loose.replace(user_id, account.id, wanted, _as_seen(form))
            except CoffersError as error:
                faults = _faults(error)
            else:
                return see_other(f"/accounts/{account.id}", "holdings")
        # After another one's change, what was typed is shown to be looked at, and can be sent; more
        # rows are no look at that.
        before = form["before"] if "more" in form and "before" in form else mark_of(held)
        shown = {"account": account, "rows": rows, "before": before}
        return self._shown(asked, "holdings.html", faults, **shown)

    async def new_paper(self, asked: Asked) -> Response:
        """Make a paper account."""
        form = asked.form or {"name": "Paper", "fee": USUAL_FEE}
        rows, faults = rows_in(form) if asked.form else [Row("USDT", "10000")], Faults(status=200)
        if asked.form and "more" not in form:
            try:
                fee = form.get("fee", "").strip()
                wanted = NewPaper(
                    form.get("name", ""), _balances(rows), fee, Once(form=form.get("once"))
                )
                made = await self._paper.create(asked.who.user.id, wanted)
            except AlreadyConnected as error:
                return see_other(f"/accounts/{error.account_id}", "kept-before")
            except CoffersError as error:
                faults = _faults(error)
            else:
                return see_other(f"/accounts/{made.account.id}", "paper")
        return self._shown(asked, "paper_new.html", faults, form=_once(form), rows=again(rows))

    async def paper(self, asked: Asked) -> Response:
        """Show what can be done with a paper account.

        Raises:
            NotFound: when this user has no paper account of this id.
        """
        return await self._paper_page(asked, Faults(status=200))

    async def move(self, asked: Asked) -> Response:
        """Put made-up money in, or take it out.

        Raises:
            NotFound: when this user has no paper account of this id.
        """
        form = asked.form
        direction: Direction = "out" if form.get("direction") == "out" else "in"
        given = (form.get("asset", "").strip(), form.get("amount", "").strip())
        try:
            user_id = asked.who.user.id
            await self._paper.move(user_id, asked.id, direction, *given, _as_seen(form))
        except CoffersError as error:
            return await self._paper_page(asked, faults_of(error, ("asset", "amount")))
        return see_other(f"/accounts/{asked.id}", "moved")

    async def reset(self, asked: Asked) -> Response:
        """Begin a paper account anew.

        Raises:
            NotFound: when this user has no paper account of this id.
        """
        form, rows = asked.form, rows_in(asked.form)
        if "more" in form:
            return await self._paper_page(asked, Faults(status=200), rows)
        try:
            if "sure" not in form:
                raise InvalidRecord({"sure": ["say that its past is to be forgotten"]})
            await self._paper.reset(asked.who.user.id, asked.id, _balances(rows))
        except CoffersError as error:
            return await self._paper_page(asked, _faults(error), rows)
        return see_other(f"/accounts/{asked.id}", "reset")

    async def _by_hand(self, asked: Asked) -> Account:
        account = await self._keeping.get(asked.who.user.id, asked.id)
        if account.market_code != MANUAL:
            raise NotFound(f"account {account.id} is not kept by hand")
        return account

    async def _paper_page(
        self, asked: Asked, faults: Faults, rows: Sequence[Row] | None = None
    ) -> Response:
        found = await self._paper.get(asked.who.user.id, asked.id)
        return self._shown(
            asked,
            "paper.html",
            faults,
            account=found.account,
            # All digits, as they are typed: what is shown can be taken out, and leaves nothing.
            held=[row for row in rows_of(found.amounts) if row.code],
            before=mark_of(found.amounts),
            fee=plain(found.terms.fee),
            form=asked.form,
            rows=rows_of(found.terms.start) if rows is None else again(rows),
        )

    def _shown(self, asked: Asked, template: str, faults: Faults, **told: object) -> Response:
        shown = {"who": asked.who, "faults": faults.fields, "told": faults, **told}
        return self._renderer.page(asked.request, template, faults.status, **shown)


def _once(form: Mapping[str, str]) -> Mapping[str, str]:
    """Return a form with what makes it count once: drawn with it, and kept while it is mended."""
    return {**form, "once": form.get("once") or secrets.token_urlsafe(16)}


def _as_seen(form: Mapping[str, str]) -> Look:
    """Return what refuses a form that was drawn of other amounts, such as one that came twice."""

    def look(held: Amounts) -> None:
        if form.get("before") != mark_of(held):
            raise InvalidRecord({"before": [CHANGED_ELSEWHERE]})

    return look


def _hand_kept(
    rows: Sequence[Row], name: str | None = None, *, in_summary: bool | None = None
) -> HandKept:
    codes, amounts = [row.code for row in rows], [row.amount for row in rows]
    return HandKept(codes, amounts, name, in_summary, adds_up=False)


def _balances(rows: Sequence[Row]) -> Mapping[str, str]:
    balances: dict[str, str] = {}
    for row in rows:
        if row.code in balances:
            raise InvalidRecord({_BALANCES: [f"{repeated(row.code)} is there twice"]})
        balances[row.code] = row.amount
    return balances


def _faults(error: CoffersError) -> Faults:
    """Return the faults of a form with rows: what is about a row is told in a sentence."""
    if isinstance(error, InvalidRecord):
        error = named_rows(error, {AMOUNTS: "amount", CODES: "asset", _BALANCES: "balance"})
    return faults_of(error, ("fee",))
