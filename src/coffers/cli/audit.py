"""`coffers audit`: the trail of what users and the operator did, and of what was refused."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import err, out, print_json, print_table
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import Millis, SystemClock, iso

if TYPE_CHECKING:
    from coffers.portfolio.trail import TrailPage
    from coffers.settings import Settings
    from coffers.store.audit import KeptEvent

_DAY, _SECOND, _EXACT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ"


def audit(
    user: Annotated[str | None, typer.Option(help="Whose events; else everybody's.")] = None,
    kind: Annotated[
        str, typer.Option(help="These kinds alone, commas apart, such as signed_in.")
    ] = "",
    since: Annotated[
        datetime | None,
        typer.Option(formats=[_DAY, _SECOND, _EXACT], help="From a day or time (in UTC) on."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="How many are shown, from the newest on.")
    ] = 50,
    before: Annotated[
        int | None, typer.Option(help="Where to go on: what the page before told.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines: one object for each event.")
    ] = False,
) -> None:
    """Show what was done and by whom, newest first: sign-ins, keys, tokens, accounts, orders."""
    from coffers.portfolio.trail import as_plain

    kinds = tuple(dict.fromkeys(each.strip() for each in kind.split(",") if each.strip()))
    begin = None if since is None else Millis(int(since.replace(tzinfo=UTC).timestamp() * 1000))
    page = run_async(_page(settings_for(), user, (kinds, begin), limit, before))
    if as_json:
        for each in page.events:
            print_json(as_plain(each))
    else:
        print_table(
            ["at", "user", "kind", "of", "details"],
            [_row(each) for each in page.events],
            whole={"at", "kind"},
        )
        if page.older is not None:
            out.print(f"older    --before {page.older}", markup=False)
    if page.unknown:
        there = ", ".join(page.kinds) or "none at all"
        told = f"No event is of kind {', '.join(page.unknown)}; there are: {there}."
        err.print(told, markup=False, soft_wrap=True)


async def _page(
    settings: "Settings",
    user_name: str | None,
    asked: tuple[tuple[str, ...], Millis | None],
    limit: int,
    before: int | None,
) -> "TrailPage":
    from coffers.portfolio.trail import Trail
    from coffers.portfolio.users import Users
    from coffers.store.audit import TrailFilter

    kinds, since = asked
    async with opened_store(settings) as store:
        user = None if user_name is None else await Users(store, SystemClock()).named(user_name)
        wanted = TrailFilter(None if user is None else user.id, kinds, since)
        return await Trail(store).page(wanted, limit=limit, before=before)


def _row(kept: "KeptEvent") -> tuple[object, ...]:
    event = kept.event
    return iso(event.at)[:19], kept.user_name, event.kind, event.subject, event.details
