"""What a user decides about assets: names, prices, meanings of venues' codes, what to ignore."""

from dataclasses import dataclass, replace
from typing import Final

from coffers.clock import Clock
from coffers.errors import InvalidRecord, NotFound
from coffers.markets.assets import LONGEST_CODE, spellings, token_of
from coffers.markets.catalogue import MANUAL, PAPER, Catalogue
from coffers.markets.chains import shipped_chains
from coffers.portfolio.secrecy import secret_fault, told
from coffers.portfolio.token_keys import is_known_chain, known_token
from coffers.portfolio.visibility import visible
from coffers.pricing.sources.coins import KEY, is_coin_key
from coffers.store.engine import Store, Transaction
from coffers.store.records import AssetMapping, AssetOverride, AuditEvent

MOST_SAID: Final = 500
"""Overrides and mappings that one user can have: each may be a price to be asked for."""

LONGEST_NAME: Final = 100
LONGEST_SYMBOL: Final = 30

_ODD: Final = "does not have a valid value"

_SHORT_NAMES: Final = frozenset(
    chain.id for chain in shipped_chains() if chain.family in {"evm", "bitcoin", "tron", "solana"}
)
"""Chains none of whose tokens is named by 64 hex digits, which are a private key there."""


@dataclass(frozen=True, slots=True)
class OverrideWanted:
    """What a user says of an asset, as it was given.

    `coingecko_id` and `contract` ("ethereum:0xdac1...") both tell what other sources price it as;
    only one can be given.
    """

    name: str | None = None
    symbol: str | None = None
    coingecko_id: str | None = None
    contract: str | None = None
    is_ignored: bool = False
    by_symbol: bool = True


class Overrides:
    """Keeps what users say of assets; all of it applies to what is stored, too."""

    def __init__(self, store: Store, catalogue: Catalogue, clock: Clock) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock

    async def set(self, user_id: int, asset: str, wanted: OverrideWanted) -> None:
        """Put what a user says of an asset in the place of what was said before.

        Raises:
            InvalidRecord: naming the field that cannot be accepted.
        """
        said = override_of(asset, wanted)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.choices.override(user_id, said, now)
            await _check_number(tx, user_id)
            event = AuditEvent(user_id, now, "asset_override_set", asset, f"{wanted}")
            await tx.audit.add(event)

    async def unset(self, user_id: int, asset: str) -> None:
        """Forget what a user says of an asset; it is as for everybody again.

        Raises:
            NotFound: when nothing was said.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if not await tx.choices.remove_override(user_id, asset):
                raise NotFound(f"nothing is said of {told(asset)}")
            await tx.audit.add(AuditEvent(user_id, now, "asset_override_removed", asset, ""))

    async def mappings(self, user_id: int) -> list[AssetMapping]:
        """Return what a user says that venues' codes mean."""
        async with self._store.reading() as tx:
            return await tx.choices.mappings(user_id)

    async def map(self, user_id: int, said: AssetMapping) -> AssetMapping:
        """Take a venue's code for another asset, in all accounts of a market.

        Returns:
            What is said, with the code of the asset where it was named in small letters ("btc").

        Raises:
            InvalidRecord: naming the field that cannot be accepted.
        """
        self._check(said)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            said = replace(said, asset=await _meant(tx, user_id, said.asset))
            await tx.choices.map(user_id, said, now)
            await _check_number(tx, user_id)
            subject = f"{said.market_code} {said.venue_code}"
            await tx.audit.add(AuditEvent(user_id, now, "asset_mapped", subject, said.asset))
        return said

    async def unmap(self, user_id: int, market_code: str, venue_code: str) -> None:
        """Forget what a user says that a venue's code means.

        Raises:
            NotFound: when nothing was said.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if not await tx.choices.unmap(user_id, market_code, venue_code):
                raise NotFound(f"nothing is said of {told(venue_code)} at {market_code!r}")
            subject = f"{market_code} {venue_code}"
            await tx.audit.add(AuditEvent(user_id, now, "asset_unmapped", subject, ""))

    def _chain(self, market_code: str) -> str | None:
        market = self._catalogue.get(market_code)
        return None if market is None else market.chain

    def _market_faults(self, market_code: str) -> list[str]:
        if market_code in {MANUAL, PAPER}:
            return ["has no codes of its own: what such an account holds is called as it is here"]
        return [] if self._catalogue.get(market_code) else [_ODD]

    def _check(self, said: AssetMapping) -> None:
        faults = {
            "market_code": self._market_faults(said.market_code),
            "venue_code": _code_faults(said.venue_code, self._chain(said.market_code)),
            "asset": _asset_faults(said.asset),
        }
        _refuse(faults)


def override_of(asset: str, wanted: OverrideWanted) -> AssetOverride:
    """Return an override, checked.

    Raises:
        InvalidRecord: naming the field that cannot be accepted.
    """
    contract = None if wanted.contract is None else _contract_key(wanted.contract)
    coin = None if wanted.coingecko_id is None else f"{KEY}{wanted.coingecko_id}"
    faults = {
        "asset": _asset_faults(asset),
        "name": _name_faults(wanted.name, LONGEST_NAME),
        "symbol": _name_faults(wanted.symbol, LONGEST_SYMBOL),
        "coingecko_id": _coin_faults(wanted.coingecko_id, coin),
        "contract": _contract_faults(wanted, contract),
    }
    _refuse(faults)
    priced_as = coin or contract
    said = AssetOverride(
        asset, wanted.name, wanted.symbol, priced_as, wanted.is_ignored, wanted.by_symbol
    )
    if said == AssetOverride(asset):
        raise InvalidRecord({"override": ["says nothing; to remove one, delete it"]})
    return said


def _contract_key(text: str) -> str:
    """Return a contract's key in its one form: small letters in an address of Ethereum's kind."""
    if (known := known_token(text)) is not None:
        return known
    chain, _, contract = text.partition(":")
    return f"{chain}:{contract.lower()}" if contract.lower().startswith("0x") else text


def _contract_faults(wanted: OverrideWanted, contract: str | None) -> list[str]:
    if contract is None:
        return []
    if wanted.coingecko_id is not None:
        return ["cannot be given together with coingecko_id"]
    is_token = token_of(contract) is not None and not contract.startswith(KEY)
    if not is_token:
        return ["must be a chain and an address, a colon between"]
    if faults := _asset_faults(contract):
        return faults
    chain, _, _ = contract.partition(":")
    # Other sources price tokens of more chains than are known here.
    is_odd = is_known_chain(chain) and known_token(contract) is None
    return [f"is no address that a token of {chain} can have"] if is_odd else []


def _coin_faults(text: str | None, key: str | None) -> list[str]:
    if text is None or key is None:
        return []
    if fault := secret_fault(text):
        return [fault]
    return [] if is_coin_key(key) else ["is invalid"]


def _asset_faults(code: str) -> list[str]:
    """Return what is wrong with the name of an asset: its own code, or a token's chain and key."""
    chain, colon, _ = code.partition(":")
    return _code_faults(code, chain if colon else None)


def _code_faults(code: str, chain: str | None) -> list[str]:
    """Return what is wrong with a code at an exchange, or on a chain where one is named."""
    if fault := secret_fault(code, is_hex_usual=chain is not None and chain not in _SHORT_NAMES):
        return [fault]
    return _text_faults(code, LONGEST_CODE)


def _name_faults(text: str | None, most: int) -> list[str]:
    fault = None if text is None else secret_fault(text)
    return _text_faults(text, most) if fault is None else [fault]


def _text_faults(text: str | None, most: int) -> list[str]:
    if text is None:
        return []
    if len(text) > most:
        return [f"is too long (maximum is {most} characters)"]
    is_usable = bool(text) and text.isprintable() and text == text.strip()
    return [] if is_usable else ["is invalid"]


def _refuse(faults: dict[str, list[str]]) -> None:
    if found := {field: reasons for field, reasons in faults.items() if reasons}:
        raise InvalidRecord(found)


async def _meant(tx: Transaction, user_id: int, text: str) -> str:
    """Return the asset that a text means; one that nothing is known of is kept as it is written."""
    known = await visible(tx, user_id, await tx.prices.newest(), spellings(text))
    return known.named(text) or text


async def _check_number(tx: Transaction, user_id: int) -> None:
    """Undo the transaction where a user says too much."""
    if await tx.choices.said(user_id) > MOST_SAID:
        raise InvalidRecord({"asset": [f"is one too many (maximum is {MOST_SAID} overrides)"]})
