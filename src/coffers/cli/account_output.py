"""How accounts look at the terminal and in the command line's JSON."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import typer

from coffers import money
from coffers.cli.console import amount, out, print_json, print_table, printable
from coffers.clock import Millis, is_ahead, iso

if TYPE_CHECKING:
    from coffers.portfolio.view import AccountView
    from coffers.store.records import Account
    from coffers.sync.syncer import Result


def print_accounts(views: "Sequence[AccountView]", now: Millis, stale_after: float) -> None:
    """Print accounts as tables of 80 columns or less: paper ones apart, as no money is in them."""
    paper = [view for view in views if view.account.mode == "paper"]
    real = [view for view in views if view.account.mode != "paper"]
    if real or not paper:
        _print_table(real, now, stale_after)
    if paper:
        out.print(f"{chr(10) if real else ''}Paper accounts, whose money is made up:")
        _print_table(paper, now, stale_after)


def _print_table(views: "Sequence[AccountView]", now: Millis, stale_after: float) -> None:
    print_table(
        ["id", "name", "market", "USD", "BTC", "state"],
        [
            (
                view.account.id,
                view.account.name,
                view.account.market_code,
                amount(view.figures.usd.amount, 2),
                amount(view.figures.btc.amount, 8),
                _state(view, now, stale_after),
            )
            for view in views
        ],
    )


def plain(view: "AccountView", now: Millis, stale_after: float) -> dict[str, object]:
    """Return an account as JSON shows it; amounts are texts, unknown ones null."""
    account, quality = view.account, view.quality
    return {
        "id": account.id,
        "name": account.name,
        "market_code": account.market_code,
        "mode": account.mode,
        "usd_amount": _text(view.figures.usd.amount),
        "btc_amount": _text(view.figures.btc.amount),
        "as_of": iso(quality.as_of),
        "read_at": None if quality.read_at is None else iso(quality.read_at),
        "complete": quality.is_complete,
        "stale": _is_stale(view, now, stale_after),
        "unpriced": list(quality.unpriced),
        "ignored": list(quality.ignored),
        "missing_wallets": list(quality.missing_wallets),
        "flows_known": quality.flows_known,
        "api_keys_state": account.key_state,
        "may_trade": account.rights.trade,
        "may_withdraw": account.rights.withdraw,
        "is_locked": account.is_locked,
        "failure": account.sync.failure_message,
    }


CONNECTED, READ = "Connected", "Read"
"""What was done, as the sentence of `tell_result` begins."""


def tell_result(account: "Account", result: "Result", *, as_json: bool, done: str) -> None:
    """Tell what came of a reading; exit code 1 where an account that was to be read was not."""
    failure, outcome = result.failure, result.outcome.value
    if as_json:
        print_json(
            {
                "id": account.id,
                "name": account.name,
                "market_code": account.market_code,
                "outcome": outcome,
                "failure": None if failure is None else str(failure),
            }
        )
    elif failure is None:
        typer.echo(f"{done} account {account.id} ({printable(account.name)}): {_SAID[outcome]}.")
    else:
        said = printable(str(failure))
        typer.echo(f"Account {account.id} could not be read: {said}", err=True)
    if failure is not None or (outcome == "busy" and done == READ):
        raise typer.Exit(1)


_SAID = {
    "complete": "all of it was read",
    "partial": "a part could not be read and keeps what was known of it",
    "held_back": "the reading lost most of what was known, so a second one must agree, "
    "a minute later or more",
    "busy": "another process is at it, look again in a moment",
    "gone": "it was removed meanwhile",
}


def _state(view: "AccountView", now: Millis, stale_after: float) -> str:
    doubts = _doubts(view, now, stale_after) or ["ok"]
    return "; ".join([*doubts, _age(view, now)] if view.quality.read_at else doubts)


def _doubts(view: "AccountView", now: Millis, stale_after: float) -> list[str]:
    account, quality = view.account, view.quality
    said = {
        f"locked: {account.lock_reason}": account.is_locked,
        "not read yet": quality.read_at is None,
        "stale": _is_stale(view, now, stale_after),
        "held back: a second reading must agree": account.sync.suspect is not None,
        f"unpriced: {', '.join(quality.unpriced)}": bool(quality.unpriced),
        f"missing: {', '.join(quality.missing_wallets)}": bool(quality.missing_wallets),
        "flows unknown": not quality.flows_known,
        "key may withdraw": account.rights.withdraw is True,
    }
    return [sentence for sentence, holds in said.items() if holds]


def _is_stale(view: "AccountView", now: Millis, stale_after: float) -> bool:
    return view.quality.is_stale(now, Millis(round(stale_after * 1000)))


def _age(view: "AccountView", now: Millis) -> str:
    read_at = view.quality.read_at or now
    if is_ahead(read_at, now):
        return f"of {iso(read_at)}, which lies ahead"
    seconds = max(0, now - read_at) // 1000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} old"
    return f"{seconds} s old"


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else money.plain(amount)
