"""Write the list of known tokens from packages of npm whose licences allow it.

Run it to bring the list up to date: it fetches the packages by name with npm, refuses one whose
licence is another than before, and writes `connectors/chain/data/tokens.json`. A row is a token:
contract, symbol, places after the point, the asset that it is and its id at CoinGecko; what is not
known is null.

What a token is. `data/token_assets.json` says by hand which contracts are an asset that exchanges
trade: those whose issuer redeems them for it, and the wrapped forms of native coins, which the
contract itself exchanges one for one. A bridged form is an asset of its own. The run ends where a
contract of that file is listed by no package.

Ids at CoinGecko. The package that maps them names one id for all chains, and a bridged form can be
worth less than what it stands for; such an id counts only on Ethereum, or where the token is on no
other chain.
"""

import json
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TOKENS = ROOT / "src/coffers/connectors/chain/data/tokens.json"
ASSETS = Path(__file__).resolve().parent / "data/token_assets.json"
MIRRORS = ROOT / "src/coffers/connectors/chain/data/mirrored_tokens.json"
CHAINS = ROOT / "src/coffers/markets/data/chains.json"

FIELDS = ("contract", "symbol", "decimals", "asset", "coingecko")
MOST_BYTES = 500_000
MOST_SYMBOL = 32

PLATFORMS = {
    "ethereum": 1,
    "optimistic-ethereum": 10,
    "binance-smart-chain": 56,
    "xdai": 100,
    "polygon-pos": 137,
    "base": 8453,
    "arbitrum-one": 42161,
    "avalanche": 43114,
    "linea": 59144,
    "scroll": 534352,
}
"""CoinGecko's names of the chains."""

NATIVE = frozenset(
    {
        "0x0000000000000000000000000000000000000000",
        "0x0000000000000000000000000000000000001010",
        "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0000",
        "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    }
)
"""What stands for the native coin in lists: its balance would be counted twice."""

MIRRORED = frozenset(
    contract for pairs in json.loads(MIRRORS.read_bytes()).values() for contract in pairs
)
"""Contracts that only show the balances of another token: they would be counted twice."""


@dataclass(frozen=True, slots=True)
class Token:
    """What one package says of a token; `chain_id` is the number by which EVM chains are known."""

    chain_id: int
    contract: str
    symbol: str
    decimals: int | None = None
    coingecko: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it is on an EVM chain of ours and has a symbol that can be shown."""
        return (
            self.chain_id in _chain_ids()
            and len(self.contract) == len("0x") + 40
            and self.contract.startswith("0x")
            and self.contract not in NATIVE | MIRRORED
            and 0 < len(self.symbol) <= MOST_SYMBOL
            and self.symbol.isprintable()
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A package, its licence when it was chosen, and how its tokens are found in it."""

    package: str
    version: str
    licence: str
    tokens: Callable[[Path], Iterator[Token]]


def metamask(folder: Path) -> Iterator[Token]:
    """Yield the tokens of a map from contracts on Ethereum to what they are."""
    for contract, told in json.loads((folder / "contract-map.json").read_bytes()).items():
        if told.get("erc20"):
            yield Token(1, contract.lower(), told["symbol"], told.get("decimals"))


def optimism(folder: Path) -> Iterator[Token]:
    """Yield the tokens of a list that is written as a module."""
    return _listed(_exported(folder / "dist/optimism.tokenlist.mjs"))


def yodl(folder: Path) -> Iterator[Token]:
    """Yield the tokens of two lists that tell CoinGecko's ids."""
    for name in ("featured", "generated"):
        path = folder / f"dist/tokenlist-{name}.json"
        yield from _listed(json.loads(path.read_bytes())["tokens"])


def aave(folder: Path) -> Iterator[Token]:
    """Yield the tokens of a list of what is lent, and of the receipts for it."""
    return _listed(json.loads((folder / "tokenlist.json").read_bytes())["tokens"])


def web3icons(folder: Path) -> Iterator[Token]:
    """Yield tokens by CoinGecko's ids; places after the point are not told."""
    for told in _exported(folder / "dist/metadata/tokens.js"):
        contracts = told.get("addresses") or {}
        for platform in PLATFORMS.keys() & contracts.keys():
            is_home = platform == "ethereum" or len(contracts) == 1
            id_ = told["id"] if is_home and told["id"] == told["id"].lower() else None
            chain_id, contract = PLATFORMS[platform], contracts[platform].lower()
            yield Token(chain_id, contract, told["symbol"].upper(), None, id_)


SOURCES = (
    Source("@metamask/contract-metadata", "2.5.0", "ISC", metamask),
    Source("@eth-optimism/tokenlist", "10.0.1757", "MIT", optimism),
    Source("@yodlpay/tokenlists", "0.8.40", "MIT", yodl),
    Source("@bgd-labs/aave-address-book", "4.44.22", "MIT", aave),
    Source("@web3icons/common", "0.11.51", "MIT", web3icons),
)
"""The packages; what an earlier one says counts more."""


def main() -> None:
    """Fetch, merge, check and write."""
    told: dict[tuple[int, str], list[Token]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="coffers-tokens-") as work:
        for source in SOURCES:
            for token in source.tokens(_fetched(source, Path(work))):
                if token.is_usable:
                    told[token.chain_id, token.contract].append(token)
    chains: dict[str, list[list[object]]] = defaultdict(list)
    assets = _assets(told)
    for (chain_id, contract), tokens in sorted(told.items()):
        chains[str(chain_id)].append(_row(tokens, assets.get((chain_id, contract))))
    text = _text(chains)
    if len(text) > MOST_BYTES:
        raise SystemExit(f"The list has {len(text)} bytes, more than {MOST_BYTES}")
    TOKENS.write_text(text, encoding="utf-8")
    print(f"{sum(len(rows) for rows in chains.values())} tokens, {len(text)} bytes")


def _chain_ids() -> frozenset[int]:
    chains = json.loads(CHAINS.read_bytes())
    return frozenset(
        chain["parameters"]["chain_id"] for chain in chains if "chain_id" in chain["parameters"]
    )


def _fetched(source: Source, work: Path) -> Path:
    """Return the folder of a package after a look at its licence."""
    name = f"{source.package}@{source.version}"
    packed = subprocess.run(  # noqa: S603 - names of our own
        ["npm", "pack", "--silent", name],  # noqa: S607 - the npm that is installed
        cwd=work,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[-1]
    folder = work / source.package.replace("/", "_")
    folder.mkdir()
    command = ["tar", "xzf", str(work / packed), "-C", str(folder), "--strip-components=1"]
    subprocess.run(command, check=True)  # noqa: S603 - our own file
    licence = json.loads((folder / "package.json").read_bytes()).get("license")
    if licence != source.licence:
        raise SystemExit(f"{name} is licensed as {licence}, not {source.licence} any more")
    return folder


def _exported(module: Path) -> list[dict[str, Any]]:
    """Return the list `tokens` that a module of JavaScript exports."""
    script = (
        f"const m = await import({json.dumps(str(module))});"
        "process.stdout.write(JSON.stringify(m.tokens ?? m.default))"
    )
    command = ["node", "--input-type=module", "-e", script]
    found = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a pinned package
    listed: list[dict[str, Any]] = json.loads(found.stdout)
    return listed


def _listed(rows: list[dict[str, Any]]) -> Iterator[Token]:
    for row in rows:
        yield Token(
            row["chainId"],
            row["address"].lower(),
            row["symbol"],
            row["decimals"],
            row.get("coinGeckoId") or None,
        )


def _assets(told: dict[tuple[int, str], list[Token]]) -> dict[tuple[int, str], str]:
    rows = json.loads(ASSETS.read_bytes())
    assets = {(row["chain_id"], row["contract"]): row["asset"] for row in rows}
    if unlisted := sorted(assets.keys() - told.keys()):
        raise SystemExit(f"No package lists {unlisted}")
    return assets


def _row(tokens: list[Token], asset: str | None) -> list[object]:
    places = {token.decimals for token in tokens if token.decimals is not None}
    if len(places) > 1:
        raise SystemExit(f"The packages do not agree on the places of {tokens[0]}")
    ids = [token.coingecko for token in tokens if token.coingecko]
    first = tokens[0]
    return [first.contract, first.symbol, next(iter(places), None), asset, next(iter(ids), None)]


def _text(chains: dict[str, list[list[object]]]) -> str:
    """Return the list as JSON with a line for each token, so that changes can be reviewed."""
    sources = [
        {"package": source.package, "version": source.version, "license": source.licence}
        for source in SOURCES
    ]
    parts = [
        f"{json.dumps(chain_id)}: [\n"
        + ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        + "\n]"
        for chain_id, rows in chains.items()
    ]
    head = f'"sources": {json.dumps(sources)},\n"fields": {json.dumps(FIELDS)}'
    return f'{{\n{head},\n"chains": {{\n' + ",\n".join(parts) + "\n}\n}\n"


if __name__ == "__main__":
    main()
