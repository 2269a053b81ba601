"""`coffers export`: what accounts hold, their flows or their past, as a CSV table."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.accounts import UserName
from coffers.cli.new_file import new_file
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import DAY, Millis, SystemClock

if TYPE_CHECKING:
    from coffers.settings import Settings


def export(
    user: UserName,
    table: Annotated[str, typer.Argument(help="positions, flows or history.")],
    account: Annotated[
        int | None, typer.Option(help="One account's id; else all of the user's mode that count.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Flows and history from a day (UTC) on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", formats=["%Y-%m-%d"], help="The same, to the end of a day."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The new file to write; else it is printed.")
    ] = None,
) -> None:
    """Write a table of accounts as CSV: exact amounts, times in UTC."""
    from coffers.portfolio.exports import TABLES

    if table not in TABLES:
        raise typer.BadParameter(f"is none of {', '.join(TABLES)}", param_hint="TABLE")
    if since is not None and until is not None and until < since:
        raise typer.BadParameter("is before --from", param_hint="--to")
    begin = _millis(since)
    end = None if until is None else Millis((_millis(until) or 0) + DAY - 1)
    run_async(_write(settings_for(), user, table, account, (begin, end), output))


async def _write(
    settings: "Settings",
    name: str,
    table: str,
    account_id: int | None,
    span: tuple[Millis | None, Millis | None],
    output: Path | None,
) -> None:
    from coffers.portfolio.accounts import AccountKeeping
    from coffers.portfolio.bookshelf import BookShelf
    from coffers.portfolio.exports import TABLES, Exports
    from coffers.portfolio.listing import Listing
    from coffers.portfolio.users import Users

    clock = SystemClock()
    known = next(each for each in TABLES if each == table)
    async with opened_store(settings) as store:
        user = await Users(store, clock).named(name)
        keeping = AccountKeeping(store, clock)
        if account_id is None:
            accounts = await keeping.in_summary(user.id, user.mode)
        else:
            accounts = [await keeping.get(user.id, account_id)]
        book = await BookShelf(store).newest()
        worked = await Listing(store, clock).worked(user.id, accounts, book, user.display_currency)
        rows = Exports(store).rows(known, worked, now=clock.now(), since=span[0], until=span[1])
        if output is None:
            # In UTF-8, whatever the terminal speaks: it may lack what others wrote.
            async for part in rows:
                sys.stdout.buffer.write(part.encode())
            return
        with new_file(output) as file:
            # Lines end as the table says, not as the system would have it.
            async for part in rows:
                file.write(part.encode())


def _millis(day: datetime | None) -> Millis | None:
    return None if day is None else Millis(round(day.replace(tzinfo=UTC).timestamp()) * 1000)
