"""The calls of accounts with their quality, and of their tables as CSV."""

from typing import Literal

from msgspec.json import Decoder

from coffers.client import own_accounts as form
from coffers.client.call import Call, Moment, Of, Parameter, moment

Table = Literal["positions", "flows", "history"]

_account = Decoder(form.OwnAccount).decode
_accounts = Decoder(form.OwnAccounts).decode
_summary = Decoder(form.OwnSummary).decode
_explained = Decoder(form.Explained).decode
_explained_summary = Decoder(form.ExplainedSummary).decode
_snapshots = Decoder(form.Snapshots).decode
_history = Decoder(form.History).decode
_positions = Decoder(form.OwnPositions).decode

_A = "/v1/accounts"


def own_account_page(
    *, limit: int | None = None, cursor: str | None = None
) -> Call[form.OwnAccounts]:
    """One page of accounts with their quality, by id."""
    return Call("GET", _A, _accounts, {"limit": limit, "cursor": cursor})


def own_account(account_id: int) -> Call[form.OwnAccount]:
    """One account with its quality."""
    return Call("GET", f"{_A}/{account_id}", _account)


def own_summary() -> Call[form.OwnSummary]:
    """All accounts of a mode as one, with its quality."""
    return Call("GET", f"{_A}/summary", _summary)


def explain(account_id: int) -> Call[form.Explained]:
    """Tell what the figures of an account are made of."""
    return Call("GET", f"{_A}/{account_id}/explain", _explained)


def explain_summary(
    *, limit: int | None = None, cursor: str | None = None
) -> Call[form.ExplainedSummary]:
    """Tell what the summary is made of: a page of its accounts."""
    asked = {"limit": limit, "cursor": cursor}
    return Call("GET", f"{_A}/summary/explain", _explained_summary, asked)


def snapshot_page(
    account_id: Of = "summary",
    *,
    limit: int | None = None,
    cursor: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Call[form.Snapshots]:
    """One page of values as readings found them, newest first."""
    asked: dict[str, Parameter] = {"limit": limit, "cursor": cursor}
    asked |= {"from": moment(since), "to": moment(until)}
    return Call("GET", f"{_A}/{account_id}/snapshots", _snapshots, asked)


def history(
    account_id: Of = "summary", *, since: Moment | None = None, until: Moment | None = None
) -> Call[form.History]:
    """Value over time, gaps marked."""
    asked = {"from": moment(since), "to": moment(until)}
    return Call("GET", f"{_A}/{account_id}/history", _history, asked)


def position_page(
    account_id: Of = "summary", *, limit: int | None = None, cursor: str | None = None
) -> Call[form.OwnPositions]:
    """One page of what is held, wallet by wallet."""
    asked = {"limit": limit, "cursor": cursor}
    return Call("GET", f"{_A}/{account_id}/positions", _positions, asked)


def export_csv(
    table: Table,
    account_id: Of = "summary",
    *,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Call[bytes]:
    """Return a table as CSV, whole."""
    asked = {"from": moment(since), "to": moment(until)}
    headers = {"Accept": "text/csv"}
    return Call("GET", f"{_A}/{account_id}/export/{table}.csv", bytes, asked, headers)
