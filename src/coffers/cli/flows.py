"""`coffers flows`: the deposits and withdrawals of an account, and how far back they are known."""

from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.accounts import AccountId, Json, UserName
from coffers.cli.console import amount, out, print_json, print_table, printable
from coffers.cli.rooms import opened_store, run_async, settings_for
from coffers.clock import SystemClock, iso
from coffers.money import plain

if TYPE_CHECKING:
    from coffers.portfolio.flows import FlowPage, FlowView
    from coffers.settings import Settings

_ROLES = {"apart": "set apart", "made": "made here"}


def flows(
    user: UserName,
    account_id: AccountId,
    limit: Annotated[
        int, typer.Option(min=1, max=500, help="How many are shown, from the newest on.")
    ] = 50,
    cursor: Annotated[
        str | None, typer.Option(help="Where to go on: what the page before told.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show an account's deposits and withdrawals, and how far back they are known."""
    from coffers.portfolio.flows import as_plain

    page = run_async(_page(settings_for(), user, account_id, limit, cursor))
    if as_json:
        print_json(as_plain(page))
        return
    print_table(
        ["at", "", "asset", "amount", "USD", "id", "own", "figures"],
        [_row(view) for view in page.flows],
        whole={"at", "amount", "USD"},
    )
    for line in _lines(page):
        out.print(line, soft_wrap=True, markup=False)


async def _page(
    settings: "Settings", user_name: str, account_id: int, limit: int, cursor: str | None
) -> "FlowPage":
    from coffers.portfolio.accounts import AccountKeeping
    from coffers.portfolio.flows import AccountFlows
    from coffers.portfolio.users import Users

    clock = SystemClock()
    async with opened_store(settings) as store:
        user = await Users(store, clock).named(user_name)
        shown = AccountFlows(store, AccountKeeping(store, clock))
        return await shown.page(user.id, account_id, limit=limit, cursor=cursor)


def _row(view: "FlowView") -> tuple[object, ...]:
    flow, pair = view.flow, view.paired_with
    return (
        iso(flow.at)[:19],
        flow.direction,
        flow.asset,
        plain(flow.amount),
        None if flow.value is None else amount(flow.value.usd, 2),
        flow.external_id,
        None
        if pair is None
        else f"{'to' if flow.direction == 'out' else 'from'} {pair.account_id}",
        _ROLES.get(view.role),
    )


def _lines(page: "FlowPage") -> list[str]:
    from coffers.portfolio.flows import history_of

    history = history_of(page)
    lines = [_known(history)]
    if history["has_gaps"]:
        lines.append("gaps     the exchange did not tell everything of that time")
    if history["last_error"]:
        lines.append(f"stopped  {printable(str(history['last_error']))}")
    if page.next_cursor:
        lines.append(f"older    --cursor {page.next_cursor}")
    return lines


def _known(history: dict[str, object]) -> str:
    since = history["known_since"]
    if since is None:
        is_walked = history["is_complete"] is True
        return "known    " + ("unknown: the exchange tells none" if is_walked else "not read yet")
    if history["is_complete"]:
        return f"known    since {since}, nothing older is looked for"
    return f"known    since {since}, {float(str(history['progress'])):.0%} of the way back"
