"""Every setting of Coffers: `COFFERS_*` environment variables, checked before anything starts.

An unknown `COFFERS_` variable is an error that suggests the nearest known one, since a setting
that is misspelt and silently ignored is the worst kind.
"""

import difflib
import os
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from coffers.database import POSTGRESQL, read_database
from coffers.errors import SettingsError
from coffers.valkey.address import read_address

PREFIX = "COFFERS_"
_STALE_AFTER = 1_800.0

_IN_FILES = ("database_url", "database_direct_url", "valkey_url")
"""Settings that hold passwords: each may be in a file, which others see less easily."""

_DIRECT_IS_A_SERVER = f"must begin with postgresql://, as {PREFIX}DATABASE_URL must beside it"


def is_this_machine(host: str) -> bool:
    """Return whether a host is this machine by a name or an address that no other one reaches."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _plain_http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("must be an http:// or https:// address")
    return url.rstrip("/")


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return Path(base) / "coffers" if base else Path.home() / ".local/share/coffers"


HttpUrl = Annotated[str, AfterValidator(_plain_http)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
PriceFallback = Literal["coingecko", "defillama", "frankfurter"]


class Settings(BaseSettings):
    """The settings, with their defaults. Spans of time are in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Where the database and the master key file live by default.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; "
        "by default coffers.db in the data directory.",
    )
    database_url_file: Path | None = Field(
        default=None, description="A file whose content is database_url."
    )
    database_direct_url: SecretStr | None = Field(
        default=None,
        description="Where database_url leads through a pooler in transaction mode: the address "
        "of the PostgreSQL server itself, for what needs a session of its own.",
    )
    database_direct_url_file: Path | None = Field(
        default=None, description="A file whose content is database_direct_url."
    )
    master_key: SecretStr | None = Field(
        default=None, description="Master keys, the current one first: base64 or hex, commas apart."
    )
    master_key_file: Path | None = Field(
        default=None, description="A file with the master keys; master.key in the data directory."
    )
    host: str = Field(default="127.0.0.1", description="The address that the server listens on.")
    port: int = Field(default=8787, ge=0, le=65_535, description="The port; 0 takes a free one.")
    base_url: HttpUrl | None = Field(
        default=None,
        description="How clients reach the server, for addresses in answers; by default as asked.",
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Networks whose X-Forwarded-For is believed, commas apart; none by default.",
    )
    exchange_gateway: HttpUrl | None = Field(
        default=None,
        description="Sends every call to an exchange, or to another source of prices, to "
        "GATEWAY/<name>/<original host><path>.",
    )
    chains_file: Path | None = Field(
        default=None,
        description="A TOML file with the nodes of chains, and with chains of the operator's own.",
    )
    public_nodes: bool = Field(
        default=True,
        description="Whether wallets are read from public nodes where the chains file names none. "
        "Whoever runs a public node sees which wallets are asked for.",
    )
    venue_timeout: Seconds = Field(default=15, description="How long one exchange call may take.")
    price_interval: Seconds = Field(default=30, description="The time between two price books.")
    price_venues: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("binance", "kraken", "coinbase"),
        description="Exchanges that are asked for the prices of what lies at none, such as in "
        "wallets; by the exchange library's ids, commas apart.",
    )
    price_floor: Annotated[float, Field(ge=0)] = Field(
        default=10_000, description="Pairs with less volume a day, in USD, give no price."
    )
    price_fallbacks: Annotated[tuple[PriceFallback, ...], NoDecode] = Field(
        default=(),
        description="Who is asked for prices that no exchange tells, the most trusted first, "
        "commas apart: coingecko, defillama, frankfurter. None by default: whoever is asked "
        "learns that somebody here asks.",
    )
    price_spike: Annotated[float, Field(gt=1, le=1_000)] = Field(
        default=5,
        description="A price that one source alone says is held back when it rises or falls more "
        "than so many times within 10 minutes.",
    )
    sync_interval: Seconds = Field(
        default=300, description="The time between two readings of an account."
    )
    sync_concurrency: int = Field(
        default=16, ge=1, le=1_000, description="How many accounts a worker reads at once."
    )
    venue_concurrency: int | None = Field(
        default=None,
        ge=1,
        le=1_000,
        description="How many of these may be of one exchange or chain; by default at most half of "
        "what the others leave free, so that one that hangs stops only itself.",
    )
    history_pause: Seconds = Field(
        default=60,
        description="The time between two steps back through an account's old deposits and "
        "withdrawals.",
    )
    worker_metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Where `coffers worker` serves /metrics when it runs by itself; by default "
        "nowhere. A worker of `coffers serve` counts in the server's /metrics.",
    )
    stale_after: Annotated[float, Field(gt=0, le=604_800)] | None = Field(
        default=None,
        description="Age of a reading at which an account is marked stale; by default half an "
        "hour, or three sync_interval where that is longer.",
    )
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Networks beside the public internet that webhooks may lead into, commas "
        "apart: 127.0.0.0/8 for receivers on this machine. None by default.",
    )
    key_policy: Literal["refuse_withdraw", "accept_all"] = Field(
        default="refuse_withdraw",
        description="Whether a key that may withdraw is refused on connect, or accepted.",
    )
    trading: bool = Field(
        default=False,
        description="Whether orders and transfers may be placed at exchanges: selling all, "
        "conversions, moves between wallets, auto-balance. Paper accounts need no leave.",
    )
    trading_slippage: Annotated[float, Field(gt=0, le=0.5)] = Field(
        default=0.03,
        description="An order is not placed when the exchange's book pays worse than known prices "
        "by more than this share.",
    )
    mask_api_keys: bool = Field(
        default=False, description="Show only the ends of exchange API keys in answers."
    )
    demo_user: str | None = Field(
        default=None,
        description="The name of a user as whom the pages sign in whoever comes from this machine, "
        "without a password: for trying things out. The host must be a loopback address.",
    )
    limits_enabled: bool = Field(default=True, description="Whether request limits and bans act.")
    limit_requests: int = Field(default=100, ge=1, description="Requests per token and window.")
    stream_limit: int = Field(
        default=500,
        ge=1,
        le=100_000,
        description="Streams of events that an API process holds open.",
    )
    limit_window: Seconds = Field(default=60, description="The window of the request limit.")
    limit_lockout: Seconds = Field(
        default=300, description="How long a token stays refused once it went over the limit."
    )
    ban_after: int = Field(
        default=50, ge=1, description="Refused requests after which an address is banned."
    )
    ban_first: Seconds = Field(
        default=120, description="The first ban; each next is twice as long."
    )
    ban_longest: Annotated[float, Field(gt=0)] = Field(
        default=259_200, description="The longest ban."
    )
    valkey_url: SecretStr | None = Field(
        default=None,
        description="A Redis or Valkey server by which all processes share limits, bans, used "
        "signatures and the pace at which exchanges are asked: redis://USER:PASSWORD@HOST:PORT/0.",
    )
    valkey_url_file: Path | None = Field(
        default=None, description="A file whose content is valkey_url."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is logged."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, text, or auto: text on a terminal."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: dict[str, object]) -> dict[str, object]:
        """Take the settings that hold passwords from files, where those are named instead."""
        told = {
            name: _content(
                name, Path(str(given[f"{name}_file"])), is_told=given.get(name) is not None
            )
            for name in _IN_FILES
            if given.get(f"{name}_file") is not None
        }
        return {**given, **told}

    @field_validator(
        "trusted_proxies", "price_fallbacks", "price_venues", "webhook_networks", mode="before"
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("price_fallbacks", "price_venues")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator(
        "data_dir",
        "master_key_file",
        "chains_file",
        *(f"{name}_file" for name in _IN_FILES),
    )
    @classmethod
    def _at_home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser().absolute()

    @field_validator("valkey_url")
    @classmethod
    def _names_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_address(value.get_secret_value())
        return value

    @field_validator("database_url")
    @classmethod
    def _names_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_database(value.get_secret_value())
        return value

    @field_validator("database_direct_url")
    @classmethod
    def _names_database_server(cls, value: SecretStr | None) -> SecretStr | None:
        told = None if value is None else read_database(value.get_secret_value())
        if told is not None and told.drivername != POSTGRESQL:
            raise ValueError(_DIRECT_IS_A_SERVER)
        return value

    @field_validator("demo_user")
    @classmethod
    def _at_this_machine(cls, value: str | None, given: ValidationInfo) -> str | None:
        if value is not None and not is_this_machine(given.data.get("host", "")):
            raise ValueError(
                "lets everybody in who reaches the pages: COFFERS_HOST has to be a loopback "
                "address, such as 127.0.0.1"
            )
        return value

    @property
    def key_file(self) -> Path:
        """The file that the master keys are read from when no variable gives them."""
        return self.master_key_file or self.data_dir / "master.key"

    @property
    def stale_age(self) -> float:
        """Seconds after which a reading is old: never so few that a punctual one would be."""
        if self.stale_after is not None:
            return self.stale_after
        return max(_STALE_AFTER, 3 * self.sync_interval)

    @property
    def is_pooled(self) -> bool:
        """Whether the database is reached through a pooler that hands out transactions."""
        return self.database_direct_url is not None

    def database(self) -> str:
        """Return the database's URL as the store takes it, with the driver's name."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir / 'coffers.db'}"
        return _with_driver(self.database_url)

    def direct_database(self) -> str:
        """Return the URL for what needs a session of its own; without a pooler it is the same."""
        url = self.database()
        if self.database_direct_url is None:
            return url
        if not url.startswith(POSTGRESQL):
            raise SettingsError(f"{PREFIX}DATABASE_DIRECT_URL: {_DIRECT_IS_A_SERVER}")
        return _with_driver(self.database_direct_url)


def _content(name: str, path: Path, *, is_told: bool) -> str:
    variable = PREFIX + name.upper()
    if is_told:
        raise SettingsError(f"{variable}_FILE: {variable} is set as well; set one of them")
    try:
        return path.expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"{variable}_FILE: {path} cannot be read: {reason}") from None


def _with_driver(url: SecretStr) -> str:
    scheme, _, rest = url.get_secret_value().partition("://")
    return f"{scheme}+asyncpg://{rest}" if scheme == POSTGRESQL else f"{scheme}://{rest}"


def load_settings(**overrides: object) -> Settings:
    """Return the settings of the environment, with overrides (of the command line) on top.

    Raises:
        SettingsError: naming the variable, what is wrong with it, and the near name if unknown.
    """
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in _variables():
            raise SettingsError(_unknown(variable))
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks each value
    except ValidationError as error:
        raise SettingsError(_first_fault(error)) from None


def _variables() -> list[str]:
    return [PREFIX + name.upper() for name in Settings.model_fields]


def _unknown(variable: str) -> str:
    near = difflib.get_close_matches(variable.upper(), _variables(), n=1)
    hint = f"; did you mean {near[0]}?" if near else "; see docs/settings.md"
    return f"{variable} is no setting of Coffers{hint}"


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    name = PREFIX + str(fault["loc"][0]).upper()
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
