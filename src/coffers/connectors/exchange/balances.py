"""The parts of an account, one call each -> positions, open contracts, and what is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coffers.connectors.exchange.contracts import (
    read_contracts,
    read_hedge_mode,
    settled,
    told_hedge_mode,
)
from coffers.connectors.exchange.identity import identity_of
from coffers.connectors.exchange.rules import EVERY_VENUE, Wallet, first, wallets
from coffers.connectors.exchange.session import VenueSession
from coffers.connectors.exchange.wallets import read_wallet
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.markets.catalogue import Market
from coffers.valuation.contract import Contract
from coffers.valuation.model import Position


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was read of an account, and what could not be, with the reason.

    `identity` is what names the account at the venue, as `Reading.identity`.
    """

    wallets: frozenset[str]
    positions: tuple[Position, ...]
    missing: Mapping[str, str]
    contracts: tuple[Contract, ...] = ()
    hedge_mode: bool | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a reading brought."""

    wallet: str
    positions: tuple[Position, ...] = ()
    contracts: tuple[Contract, ...] = ()
    hedged: bool | None = None
    identity: str | None = None


async def read_holdings(
    session: VenueSession, market: Market, parts_of_another: Sequence[Wallet] = ()
) -> Holdings:
    """Return what all parts of a market hold; the first one must be read, others may fail.

    Args:
        session: the talk with the venue.
        market: the market.
        parts_of_another: what is read in place of the market's own parts, such as a sub-account's.

    Raises:
        ConnectorFailure: of the first part, of any that met a rate limit, or `UNSUPPORTED` where
            no kind of the market's wallets can be read.
    """
    plans, missing = (parts_of_another, {}) if parts_of_another else _plans(session, market)
    parts: list[Part] = []
    for plan in plans:
        try:
            parts.append(await _read_part(session, plan))
        except ConnectorFailure as failure:
            if not parts or failure.kind is FailureKind.RATE_LIMITED:
                raise
            missing[plan.wallet] = str(failure)
    return Holdings(
        # A wallet may have two calls, for two modes: the one that is left out says nothing of it.
        frozenset(part.wallet for part in parts) - missing.keys(),
        tuple(position for part in parts for position in part.positions),
        missing,
        tuple(contract for part in parts for contract in part.contracts),
        await _hedge_mode(session, plans, parts),
        next((part.identity for part in parts if part.identity), None),
    )


def plans_of(family: Sequence[str], market: Market) -> tuple[list[Wallet], list[str]]:
    """Return the parts that are read of a market, and those of its kinds that cannot be."""
    by_kind = {**wallets()[EVERY_VENUE], **(first(wallets(), family) or {})}
    kinds = kinds_of(market)
    plans = [plan for kind in kinds for plan in by_kind.get(kind, ())]
    return plans, [kind for kind in kinds if kind not in by_kind]


def kinds_of(market: Market) -> tuple[str, ...]:
    """Return what a market's parts are found by: its wallet, or else its types."""
    return (market.wallet,) if market.wallet else market.market_types


def _plans(session: VenueSession, market: Market) -> tuple[Sequence[Wallet], dict[str, str]]:
    plans, lacking = plans_of(session.venue.family, market)
    if not plans:
        raise _unsupported(session, market)
    return plans, {
        kind: f"Coffers does not read {kind} accounts at {session.venue.name} yet."
        for kind in lacking
    }


def _unsupported(session: VenueSession, market: Market) -> ConnectorFailure:
    kinds = " or ".join(market.market_types) or "unnamed"
    message = f"Coffers does not read {kinds} accounts at {session.venue.name} yet."
    return ConnectorFailure(FailureKind.UNSUPPORTED, message, code="market_type")


async def _hedge_mode(
    session: VenueSession, plans: Iterable[Wallet], parts: Iterable[Part]
) -> bool | None:
    if not any(plan.contracts for plan in plans):
        return None
    told = settled([part.hedged for part in parts])
    asked = await read_hedge_mode(session)
    return told if asked is None else asked


def _has_part(session: VenueSession, plan: Wallet) -> bool:
    options = session.exchange.options
    return all(_is_one_of(options.get(name), meant) for name, meant in plan.only.items())


def _is_one_of(option: object, meant: bool | list[int]) -> bool:
    return option in meant if isinstance(meant, list) else bool(option) is meant


async def _read_part(session: VenueSession, plan: Wallet) -> Part:
    if not _has_part(session, plan):
        return Part(plan.wallet)
    if plan.contracts is not None:
        found = await read_contracts(session, plan, plan.contracts)
        return Part(plan.wallet, found.profits, found.contracts, found.hedged)
    try:
        positions = await read_wallet(session, plan)
    except ConnectorFailure as failure:
        if failure.code not in plan.unopened:
            raise
        return Part(plan.wallet)
    answer = session.heard.answer
    hedged = told_hedge_mode(answer, plan.hedge) if plan.hedge else None
    identity = identity_of(session.venue, plan.wallet, answer)
    return Part(plan.wallet, positions, hedged=hedged, identity=identity)
