"""What commands print: tables and sentences for people, JSON for programs."""

import sys
from collections.abc import Collection, Iterable, Sequence
from decimal import Context, Decimal

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from coffers import money

out = Console(highlight=False)
"""Results."""
err = Console(stderr=True, highlight=False)
"""Progress, hints and errors: never mixed into results that a program reads."""


_PRICES, _LARGE = Context(prec=6), 1_000


def print_json(value: object) -> None:
    """Print one JSON value on one line: in UTF-8, as JSON is, whatever the terminal speaks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], whole: Collection[str] = ()
) -> None:
    """Print rows under their columns; what is unknown (None) shows as a dash.

    Where a terminal is too narrow, the columns in `whole` are the last to be folded.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in rows:
        # As text, so that brackets in a name are no markup.
        table.add_row(*(Text("-" if cell is None else printable(str(cell))) for cell in row))
    out.print(table)


def printable(text: str) -> str:
    """Return a text from outside fit for a terminal: nothing in it can steer one."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def amount(number: Decimal | None, places: int) -> str | None:
    """Return an amount for a table, to so many decimal places; unknown stays None."""
    return None if number is None else f"{money.rounded(number, places):,f}"


def price(number: Decimal | None) -> str | None:
    """Return a price for a table, to cents or to six digits that matter; unknown stays None."""
    if number is None:
        return None
    return money.plain(money.rounded(number, 2) if number >= _LARGE else _PRICES.plus(number))


def progress() -> Progress:
    """Return a progress display on stderr for work of more than a second."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        console=err,
        transient=True,
        # Without a terminal there is nothing to show it on, and its end would be an empty line.
        disable=not err.is_terminal,
    )
