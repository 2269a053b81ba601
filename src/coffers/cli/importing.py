"""`coffers import`: takes accounts and their past over from another service."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import err, print_json, print_table, printable, progress
from coffers.cli.rooms import (
    load_exchange_library,
    opened_store,
    opened_vault,
    opened_venues,
    run_async,
    settings_for,
)
from coffers.clock import SystemClock
from coffers.errors import UsageError

if TYPE_CHECKING:
    from coffers.cli.import_secrets import Asking
    from coffers.client import SignedAuth
    from coffers.portfolio.import_plan import Planned
    from coffers.portfolio.import_source import SourceStopped
    from coffers.portfolio.importing import Brought, Hands, Importing, Seen
    from coffers.settings import Settings
    from coffers.store.engine import Store
    from coffers.store.records import Account

app = typer.Typer(help="Move in from another service.", no_args_is_help=True)

_WAYS = {
    "go_on": "go on with account {id} here",
    "adopt": "take its past over to account {id} here, which has its key or address",
    "connect": "connect it; asks {asks}",
    "wallet": "connect it by its address",
    "manual": "keep it by hand, with what it holds there",
    "skip": "nothing: {reason}",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command is to do, and how."""

    user: str
    base_url: str
    auth: "SignedAuth"
    asking: "Asking"
    is_dry: bool
    as_json: bool


@app.callback()
def _group() -> None:
    """Keep the name of the service a word of its own, though there is one only."""


@app.command("3commas")
def three_commas(
    user: Annotated[str, typer.Option("--user", help="Whose accounts they will be.")],
    base_url: Annotated[
        str | None, typer.Option(help="The address of the API; without it the published one.")
    ] = None,
    secrets_file: Annotated[
        Path | None, typer.Option(help="A TOML file with the secrets, that only you can read.")
    ] = None,
    skip_secrets: Annotated[
        bool, typer.Option("--skip-secrets", help="Ask for none: leave those accounts for later.")
    ] = False,
    rsa_private_key: Annotated[
        Path | None, typer.Option(help="Sign with this PEM file, for a key of your own there.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be done; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take over accounts, their names and settings, and what they were worth before."""
    from coffers.cli.import_secrets import (
        Asking,
        SecretsFile,
        read_secrets,
        source_key,
        source_secret,
    )
    from coffers.cli.three_commas import ADDRESS
    from coffers.client import RsaKey, SignedAuth

    held = SecretsFile() if secrets_file is None else read_secrets(secrets_file)
    settings = settings_for()
    key = source_key(held)
    if rsa_private_key is not None:
        try:
            auth = SignedAuth(key, RsaKey(rsa_private_key.read_bytes()))
        except OSError as fault:
            raise UsageError(f"{rsa_private_key} cannot be read: {fault.strerror}") from fault
        except ValueError as fault:
            raise UsageError(f"{rsa_private_key}: {fault}") from fault
    else:
        auth = SignedAuth(key, source_secret(held))
    asking = Asking(held, skips=skip_secrets)
    asked = _Asked(user, base_url or ADDRESS, auth, asking, dry_run, as_json)
    run_async(_import(settings, asked))


async def _import(settings: "Settings", asked: _Asked) -> None:
    from coffers.cli.three_commas import opened
    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.importing import Importing
    from coffers.portfolio.users import Users

    clock = SystemClock()
    async with (
        opened_store(settings) as store,
        opened(asked.base_url, asked.auth, _tell_wait) as source,
    ):
        user = await Users(store, clock).named(asked.user)
        importing = Importing(store, catalogue_of(settings), clock, source, user.id)
        with err.status("asking the source for its accounts"):
            planned = await importing.plan()
        if asked.is_dry:
            _tell_plan(planned, as_json=asked.as_json)
            return
        async with _opened_hands(settings, store, planned) as (hands, seen):
            brought, stopped = await _bring(importing, planned, hands, seen, asked.asking)
    _tell_summary(brought, as_json=asked.as_json)
    if stopped is not None:
        raise stopped
    if any(each.state == "failed" for each in brought):
        raise typer.Exit(1)


async def _bring(
    importing: "Importing",
    planned: Sequence["Planned"],
    hands: "Hands",
    seen: "Seen",
    asking: "Asking",
) -> tuple[list["Brought"], "SourceStopped | None"]:
    from coffers.portfolio.import_source import SourceStopped

    brought: list[Brought] = []
    with progress() as shown:
        task = shown.add_task("accounts", total=len(planned))

        def asked_unseen(which: "Planned") -> "dict[str, str] | None":
            # A display that is redrawn would write over the question.
            shown.stop()
            given = asking(which)
            shown.start()
            return None if given is None else dict(given)

        for each in planned:
            told = _teller(lambda text: shown.update(task, description=text), each.name)
            try:
                brought.append(await importing.bring(each, hands, asked_unseen, seen, told))
            except SourceStopped as stopped:
                return brought, stopped
            shown.advance(task)
    return brought, None


def _teller(show: Callable[[str], None], name: str) -> Callable[[str], None]:
    # Brackets in a name are no markup.
    shown = printable(name).replace("[", "(").replace("]", ")")
    return lambda text: show(f"{shown}: {text}")


@asynccontextmanager
async def _opened_hands(
    settings: "Settings", store: "Store", planned: Sequence["Planned"]
) -> AsyncIterator[tuple["Hands", "Seen"]]:
    from coffers.markets.chains import catalogue_of
    from coffers.portfolio.connecting import Connecting
    from coffers.portfolio.importing import Hands
    from coffers.portfolio.loose import LooseAccounts
    from coffers.portfolio.token_keys import added_chains
    from coffers.portfolio.wallets import ConnectingWallets

    clock, catalogue = SystemClock(), catalogue_of(settings)
    vault = await opened_vault(settings, store)
    with err.status("loading the exchange library"):
        load_exchange_library()
    async with opened_venues(settings, store, vault, clock, catalogue) as rooms:
        hands = Hands(
            Connecting(store, vault, catalogue, rooms.connector, clock, settings.key_policy),
            ConnectingWallets(store, vault, catalogue, rooms.chains, clock),
            LooseAccounts(store, clock, added_chains(catalogue)),
        )

        async def read(account: "Account") -> None:
            await rooms.prices.refresh()
            # A reading that fails is tried again by the worker, and tells its reason in the list.
            await rooms.syncer.sync(account.user_id, account.id)

        if any(each.way == "manual" for each in planned):
            # What a hand-kept account opens with is reckoned at once.
            await rooms.prices.refresh()
        yield hands, read


def _tell_wait(seconds: float) -> None:
    err.print(f"The source asks for patience: going on in {seconds:.0f} seconds.", markup=False)


def _tell_plan(planned: Sequence["Planned"], *, as_json: bool) -> None:
    if as_json:
        print_json([_plain(each) | {"would": each.way, "reason": each.reason} for each in planned])
        return
    print_table(
        ["id there", "name", "market", "would"],
        [(each.source.id, each.name, each.source.market_code, _would(each)) for each in planned],
    )
    typer.echo("Nothing was changed.", err=True)


def _would(planned: "Planned") -> str:
    text = _WAYS[planned.way].format(
        id=planned.account_id, asks=", ".join(planned.asks) or "nothing", reason=planned.reason
    )
    if planned.way == "skip":
        return text
    return f"{text}; its past is here" if planned.has_history else f"{text}; take its past over"


def _tell_summary(brought: Sequence["Brought"], *, as_json: bool) -> None:
    if as_json:
        print_json([_outcome(each) for each in brought])
        return
    print_table(
        ["id there", "name", "market", "id here", "values", "outcome"],
        [
            (
                each.planned.source.id,
                each.planned.name,
                each.planned.source.market_code,
                each.account_id,
                each.values,
                f"{each.state}: {each.told}" if each.told else each.state,
            )
            for each in brought
        ],
    )
    counts = Counter(each.state for each in brought)
    told = ", ".join(f"{counts[state]} {state}" for state in ("done", "left", "skipped", "failed"))
    typer.echo(f"Accounts: {told}.", err=True)
    if counts["left"] or counts["failed"]:
        typer.echo("Run it again to go on with what is left or failed.", err=True)


def _outcome(brought: "Brought") -> dict[str, object]:
    return _plain(brought.planned) | {
        "state": brought.state,
        "account_id": brought.account_id,
        "values": brought.values,
        "told": brought.told,
    }


def _plain(planned: "Planned") -> dict[str, object]:
    return {
        "source_id": planned.source.id,
        "name": planned.name,
        "market_code": planned.source.market_code,
        "account_id": planned.account_id,
        "asks": list(planned.asks),
    }
