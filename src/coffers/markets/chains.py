"""The chains whose wallets can be read, the nodes that are asked, and what an operator adds.

The shipped chains lie in `data/chains.json`. A file of the operator's, in TOML, gives a chain nodes
of its own or adds an EVM chain; `docs/wallets.md` describes it.
"""

import functools
import importlib.resources
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from coffers.errors import SettingsError
from coffers.markets.catalogue import Catalogue, Market, load_catalogue
from coffers.secret import Secret
from coffers.settings import Settings

Family = Literal["evm", "bitcoin", "solana", "tron", "xrp", "ton", "cosmos", "cardano"]

SERVICES = ("urls", "blockscout", "beacon", "electrum")
"""What may be asked about a chain: its nodes, and what knows more than a node does."""

_OWN_CHAIN = ("chain_id", "name", "asset")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a chain is asked, by service; several addresses stand in for one another.

    The addresses are secrets, since many carry a key of the operator's. `are_public` says that
    nobody chose them: whoever runs them sees which wallets are asked for.
    """

    services: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    are_public: bool = False

    def of(self, service: str) -> tuple[Secret, ...]:
        """Return the addresses of a service, none where it is not configured."""
        return self.services.get(service, ())


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain as wallets see it.

    `id` names it in settings and in the keys of its unlisted tokens ("ethereum:0x..."), `code` is
    the market code of its wallets. `asset` is the native coin, `decimals` its places after the
    point. `parameters` are the family's own ("chain_id", "network", "prefix"); "beside" is the id
    of a chain whose services stand in for those that this one has not.
    """

    id: str
    code: str
    name: str
    family: Family
    asset: str
    decimals: int
    parameters: Mapping[str, str | int]
    endpoints: Endpoints = Endpoints()


class _Shipped(msgspec.Struct):
    id: str
    code: str
    name: str
    family: Family
    asset: str
    decimals: int
    parameters: dict[str, str | int]
    public: dict[str, tuple[str, ...]]


class Chains:
    """All chains by the market code of their wallets."""

    def __init__(self, chains: Mapping[str, Chain]) -> None:
        self._chains = chains

    def get(self, code: str) -> Chain | None:
        """Return the chain whose wallets have this market code, None where there is none."""
        return self._chains.get(code)

    def __iter__(self) -> Iterator[Chain]:
        return iter(self._chains.values())


@functools.cache
def shipped_chains() -> Chains:
    """Return the chains that ship with this version, with public nodes, read once per process."""
    data = importlib.resources.files("coffers.markets").joinpath("data/chains.json")
    stored = msgspec.json.decode(data.read_bytes(), type=list[_Shipped])
    return Chains({entry.code: _chain(entry) for entry in stored})


def load_chains(settings: Settings) -> Chains:
    """Return the chains as the settings have them.

    Raises:
        SettingsError: naming the file, the chain and the key that is wrong.
    """
    chains = {chain.id: chain for chain in shipped_chains()}
    if not settings.public_nodes:
        chains = {id_: replace(chain, endpoints=Endpoints()) for id_, chain in chains.items()}
    if settings.chains_file is not None:
        for id_, table in _tables(settings.chains_file).items():
            chain = _given(settings.chains_file, id_, table, chains.get(id_))
            if id_ not in chains:
                _check_new(settings.chains_file, chain, chains.values())
            chains[id_] = chain
    return Chains({chain.code: chain for chain in chains.values()})


def catalogue_of(settings: Settings) -> Catalogue:
    """Return the catalogue with the wallets of every chain in it.

    Raises:
        SettingsError: as `load_chains`.
    """
    return joined(load_catalogue(), load_chains(settings))


def joined(catalogue: Catalogue, chains: Chains) -> Catalogue:
    """Return a catalogue in which the chains' wallets can be connected."""
    markets = {market.code: market for market in catalogue}
    for chain in chains:
        known = markets.get(chain.code)
        markets[chain.code] = _market(chain) if known is None else replace(known, chain=chain.id)
    return Catalogue(markets)


def _chain(entry: _Shipped) -> Chain:
    services = {
        name: tuple(Secret(url) for url in urls) for name, urls in entry.public.items() if urls
    }
    return Chain(
        entry.id,
        entry.code,
        entry.name,
        entry.family,
        entry.asset,
        entry.decimals,
        entry.parameters,
        Endpoints(services, are_public=True),
    )


def _tables(path: Path) -> dict[str, Mapping[str, object]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the chains file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the chains file {path} is no TOML: {error}") from None
    for id_, table in tables.items():
        if not isinstance(table, dict):
            raise SettingsError(f"the chains file {path}: {id_} stands outside of a [chain]")
    return tables


def _given(path: Path, id_: str, table: Mapping[str, object], known: Chain | None) -> Chain:
    fault = f"the chains file {path}: [{id_}]"
    allowed = SERVICES if known is not None else (*SERVICES, *_OWN_CHAIN)
    if unknown := sorted(table.keys() - set(allowed)):
        raise SettingsError(f"{fault} has no key {unknown[0]!r}; there are {', '.join(allowed)}")
    services = {name: _urls(fault, name, table[name]) for name in SERVICES if name in table}
    endpoints = Endpoints(services)
    return replace(known or _own(fault, id_, table), endpoints=endpoints)


def _check_new(path: Path, chain: Chain, known: Iterable[Chain]) -> None:
    """Refuse a chain that is there already under another name: its money would count twice."""
    chain_id = chain.parameters["chain_id"]
    for each in known:
        if each.parameters.get("chain_id") == chain_id:
            told = f"has the chain_id {chain_id} of [{each.id}]; give that one nodes instead"
            raise SettingsError(f"the chains file {path}: [{chain.id}] {told}")


def _own(fault: str, id_: str, table: Mapping[str, object]) -> Chain:
    if not id_.isascii() or not id_.replace("_", "").isalnum() or id_ != id_.lower():
        raise SettingsError(f"{fault}: a chain's name is made of a-z, 0-9 and _")
    values = [table.get(key) for key in _OWN_CHAIN]
    chain_id, name, asset = values
    if not isinstance(chain_id, int) or isinstance(chain_id, bool) or chain_id < 1:
        raise SettingsError(f"{fault} is no shipped chain and needs chain_id, a whole number")
    if not isinstance(name, str) or not name or not isinstance(asset, str) or not asset:
        raise SettingsError(f"{fault} is no shipped chain and needs name and asset, both texts")
    return Chain(id_, f"{id_}_wallet", name, "evm", asset, 18, {"chain_id": chain_id})


def _urls(fault: str, key: str, value: object) -> tuple[Secret, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise SettingsError(f"{fault}: {key} must be an address or a list of them")
    schemes = ("tcp", "ssl") if key == "electrum" else ("http", "https")
    for text in texts:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not parts.netloc:
            ways = " or ".join(f"{scheme}://" for scheme in schemes)
            raise SettingsError(f"{fault}: {key} must begin with {ways}")
        if not _has_usable_host(parts, needs_port=key == "electrum"):
            needed = "a host and a port" if key == "electrum" else "a host, and no odd port"
            raise SettingsError(f"{fault}: {key} must have {needed}")
    return tuple(Secret(text.rstrip("/")) for text in texts)


def _has_usable_host(parts: SplitResult, *, needs_port: bool) -> bool:
    try:
        port = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and (port is not None or not needs_port)


def _market(chain: Chain) -> Market:
    name = f"{chain.name} Wallet"
    return Market(
        code=chain.code,
        venue=None,
        name=name,
        exchange_name=name,
        pretty_display_type="".join(part.capitalize() for part in chain.code.split("_")),
        required_fields=("address",),
        optional_fields=(),
        connection_flows=("form",),
        market_types=(),
        wallet=None,
        hedge_mode_available=False,
        smart_trading_supported=False,
        stats_supported=True,
        trading_supported=False,
        market_buy_supported=False,
        market_sell_supported=False,
        conditional_buy_supported=False,
        bots_allowed=False,
        bots_ttp_allowed=False,
        bots_tsl_allowed=False,
        gordon_bots_available=False,
        multi_bots_allowed=False,
        grid_bots_allowed=False,
        fast_convert_available=False,
        deposit_enabled=False,
        available_include_in_summary=True,
        chain=chain.id,
    )
