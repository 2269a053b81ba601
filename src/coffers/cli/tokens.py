"""`coffers token`: the API tokens that clients sign their requests with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coffers.cli.console import err, out, print_json, print_table
from coffers.cli.rooms import opened_store, opened_vault, run_async, settings_for
from coffers.clock import Millis, SystemClock, iso
from coffers.errors import UsageError

if TYPE_CHECKING:
    from coffers.portfolio.tokens import IssuedToken, Wanted
    from coffers.settings import Settings
    from coffers.store.records import Token

LONGEST_KEY_FILE = 64 * 1024
"""Characters of a key file that are read: any RSA key is shorter."""

app = typer.Typer(help="Make, list and revoke API tokens.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
UserName = Annotated[str, typer.Option("--user", help="Whose token it is.")]


@app.command("create")
def create(
    user: UserName,
    name: Annotated[str, typer.Option(help="What to call it, to tell it from others.")] = "",
    permissions: Annotated[
        str, typer.Option(help="Commas apart: accounts_read, accounts_write, ...")
    ] = "accounts_read",
    rsa_public_key: Annotated[
        Path | None, typer.Option(help="A PEM file: you sign with its private key.")
    ] = None,
    allow_ip: Annotated[
        list[str] | None, typer.Option(help="An address or network (CIDR); may be repeated.")
    ] = None,
    expires: Annotated[
        int | None, typer.Option(min=1, max=99_999, help="Days until it expires.")
    ] = None,
    require_timestamp: Annotated[
        bool, typer.Option("--require-timestamp", help="Refuse requests that are sent twice.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a token. Its secret is shown once, and never again."""
    from coffers.portfolio.tokens import Wanted

    pem = None if rsa_public_key is None else _read(rsa_public_key)
    wanted = Wanted(
        permissions=tuple(permissions.split(",")),
        rsa_public_key=pem,
        networks=tuple(allow_ip or ()),
        expires=None if expires is None else f"{expires}d",
        require_timestamp=require_timestamp,
        name=name,
    )
    issued = run_async(_create(settings_for(), user, wanted))
    secret = None if issued.secret is None else issued.secret.reveal()
    if as_json:
        print_json({**_plain(issued.token, SystemClock().now()), "secret": secret})
        return
    out.print(f"API key: {issued.token.api_key}", soft_wrap=True)
    if secret is not None:
        out.print(f"Secret:  {secret}", soft_wrap=True)
        err.print("The secret is not shown again; keep it in a safe place.")


@app.command("list")
def list_tokens(user: UserName, as_json: Json = False) -> None:
    """List a user's tokens; their secrets are not shown."""
    tokens = run_async(_of_user(settings_for(), user))
    now = SystemClock().now()
    if as_json:
        print_json([_plain(token, now) for token in tokens])
        return
    for token in tokens:
        out.print(f"{token.api_key} {token.name}".strip(), style="bold", markup=False)
        print_table(
            ["state", "kind", "permissions", "allowed from", "expires", "last used"],
            [
                (
                    _state(token, now),
                    token.kind,
                    ", ".join(sorted(token.permissions)),
                    ", ".join(token.allowed_networks) or "anywhere",
                    None if token.expires_at is None else _minute(token.expires_at),
                    _last_use(token),
                )
            ],
        )


@app.command("revoke")
def revoke(
    user: UserName,
    api_key: Annotated[str, typer.Argument(help="The token's API key.")],
    as_json: Json = False,
) -> None:
    """Make a token invalid from now on."""
    run_async(_revoke(settings_for(), user, api_key))
    if as_json:
        print_json({"revoked": api_key})
    else:
        out.print("Revoked.")


def _read(path: Path) -> str:
    try:
        with path.open() as file:
            return file.read(LONGEST_KEY_FILE)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{path} cannot be read: {reason}") from error


async def _create(settings: "Settings", user_name: str, wanted: "Wanted") -> "IssuedToken":
    from coffers.portfolio.tokens import Tokens
    from coffers.portfolio.users import Users

    async with opened_store(settings) as store:
        user = await Users(store, SystemClock()).named(user_name)
        vault = await opened_vault(settings, store)
        return await Tokens(store, vault, SystemClock()).create(user.id, wanted)


async def _of_user(settings: "Settings", user_name: str) -> "list[Token]":
    from coffers.portfolio.tokens import Tokens
    from coffers.portfolio.users import Users

    async with opened_store(settings) as store:
        user = await Users(store, SystemClock()).named(user_name)
        vault = await opened_vault(settings, store)
        return await Tokens(store, vault, SystemClock()).of_user(user.id)


async def _revoke(settings: "Settings", user_name: str, api_key: str) -> None:
    from coffers.portfolio.tokens import Tokens
    from coffers.portfolio.users import Users

    async with opened_store(settings) as store:
        user = await Users(store, SystemClock()).named(user_name)
        vault = await opened_vault(settings, store)
        await Tokens(store, vault, SystemClock()).revoke(user.id, api_key)


def _state(token: "Token", now: Millis) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "valid"


def _minute(at: Millis) -> str:
    return iso(at)[:16]


def _last_use(token: "Token") -> str | None:
    return None if token.used_at is None else f"{_minute(token.used_at)}, {token.used_from}"


def _plain(token: "Token", now: Millis) -> dict[str, object]:
    return {
        "name": token.name,
        "api_key": token.api_key,
        "kind": token.kind,
        "state": _state(token, now),
        "permissions": sorted(token.permissions),
        "allowed_networks": list(token.allowed_networks),
        "require_timestamp": token.require_timestamp,
        "expires_at": None if token.expires_at is None else iso(token.expires_at),
        "created_at": iso(token.created_at),
        "used_at": None if token.used_at is None else iso(token.used_at),
        "used_from": token.used_from,
    }
