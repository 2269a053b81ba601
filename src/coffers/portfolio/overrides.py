"""What a user decides about assets: names, prices, meanings of venues' codes, what to ignore."""

from dataclasses import dataclass
from typing import Final

from coffers.clock import Clock
from coffers.errors import InvalidRecord, NotFound
from coffers.markets.assets import token_of
from coffers.markets.catalogue import Catalogue
from coffers.pricing.sources.coins import KEY, is_coin_key
from coffers.store.engine import Store, Transaction
from coffers.store.records import AssetMapping, AssetOverride, AuditEvent

MOST_SAID: Final = 500
"""Overrides and mappings that one user can have: each may be a price to be asked for."""

LONGEST_CODE: Final = 150
LONGEST_NAME: Final = 100
LONGEST_SYMBOL: Final = 30

_ODD: Final = "does not have a valid value"


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
            await tx.assets.meet([asset], now)
            await tx.choices.override(user_id, said, now)
            await _check_number(tx, user_id)
            told = f"{wanted}"
            await tx.audit.add(AuditEvent(user_id, now, "asset_override_set", asset, told))

    async def unset(self, user_id: int, asset: str) -> None:
        """Forget what a user says of an asset; it is as for everybody again.

        Raises:
            NotFound: when nothing was said.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if not await tx.choices.remove_override(user_id, asset):
                raise NotFound(f"nothing is said of {asset!r}")
            await tx.audit.add(AuditEvent(user_id, now, "asset_override_removed", asset, ""))

    async def mappings(self, user_id: int) -> list[AssetMapping]:
        """Return what a user says that venues' codes mean."""
        async with self._store.reading() as tx:
            return await tx.choices.mappings(user_id)

    async def map(self, user_id: int, said: AssetMapping) -> None:
        """Take a venue's code for another asset, in all accounts of a market.

        Raises:
            InvalidRecord: naming the field that cannot be accepted.
        """
        self._check(said)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            await tx.assets.meet([said.asset], now)
            await tx.choices.map(user_id, said, now)
            await _check_number(tx, user_id)
            subject = f"{said.market_code} {said.venue_code}"
            await tx.audit.add(AuditEvent(user_id, now, "asset_mapped", subject, said.asset))

    async def unmap(self, user_id: int, market_code: str, venue_code: str) -> None:
        """Forget what a user says that a venue's code means.

        Raises:
            NotFound: when nothing was said.
        """
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if not await tx.choices.unmap(user_id, market_code, venue_code):
                raise NotFound(f"nothing is said of {venue_code!r} at {market_code!r}")
            subject = f"{market_code} {venue_code}"
            await tx.audit.add(AuditEvent(user_id, now, "asset_unmapped", subject, ""))

    def _check(self, said: AssetMapping) -> None:
        faults = {
            "market_code": [] if self._catalogue.get(said.market_code) else [_ODD],
            "venue_code": _text_faults(said.venue_code, LONGEST_CODE),
            "asset": _text_faults(said.asset, LONGEST_CODE),
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
        "asset": _text_faults(asset, LONGEST_CODE),
        "name": _text_faults(wanted.name, LONGEST_NAME),
        "symbol": _text_faults(wanted.symbol, LONGEST_SYMBOL),
        "coingecko_id": [] if coin is None or is_coin_key(coin) else ["is invalid"],
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
    """Return a contract's key with an address of Ethereum's kind in its one form: small letters."""
    chain, _, contract = text.partition(":")
    return f"{chain}:{contract.lower()}" if contract.lower().startswith("0x") else text


def _contract_faults(wanted: OverrideWanted, contract: str | None) -> list[str]:
    if contract is None:
        return []
    if wanted.coingecko_id is not None:
        return ["cannot be given together with coingecko_id"]
    is_token = token_of(contract) is not None and not contract.startswith(KEY)
    return [] if is_token else ["must be a chain and an address, a colon between"]


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


async def _check_number(tx: Transaction, user_id: int) -> None:
    """Undo the transaction where a user says too much."""
    if await tx.choices.said(user_id) > MOST_SAID:
        raise InvalidRecord({"asset": [f"is one too many (maximum is {MOST_SAID} overrides)"]})
