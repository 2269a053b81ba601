"""Brings the answers about many addresses to one moment of the chain.

Addresses are asked one after the other while blocks and payments come in. What was seen fits
together when no block came meanwhile and every unconfirmed transaction was seen from each of the
addresses that it touches; or when asking for all of them again gives the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coffers.connectors.chain.bitcoin.backend import Backend, Summary, Tip, Transaction, ask_all
from coffers.connectors.chain.bitcoin.search import Search
from coffers.connectors.chain.bitcoin.wallet import Spot

PASSES = 3
"""How often all addresses are asked for before a reading is given up as unsettled."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What all addresses had at one moment, up to the block `tip`, and what is in no block yet."""

    tip: Tip
    summaries: Mapping[Spot, Summary]
    unconfirmed: Mapping[str, Transaction]
    own: Mapping[bytes, Spot]

    @property
    def confirmed(self) -> int:
        """The sum of all addresses, in the smallest unit, by what is in blocks."""
        return sum(summary.confirmed for summary in self.summaries.values())


async def surveyed(backend: Backend, search: Search, tip: Tip) -> Survey | None:
    """Return what a search's addresses have, None where the chain did not keep still.

    `tip` is the last block from before the search.
    """
    before: Survey | None = None
    for _ in range(PASSES):
        summaries = {spot: search.summaries[spot] for spot in search.asked().values()}
        listed = await _listed(backend, search, summaries)
        unconfirmed = {one.txid: one for some in listed.values() for one in some}
        survey = Survey(tip, summaries, unconfirmed, search.own())
        strays = _strays(survey, listed)
        after = await backend.tip()
        stands = tip.hash == after.hash or _is_same(before, survey)
        if not strays and stands and _is_complete(survey, listed):
            return survey
        before, tip = survey, after
        await search.ask({*search.summaries, *strays})
        if not await search.find():
            return None
    return None


def _is_same(before: Survey | None, now: Survey) -> bool:
    return (
        before is not None
        and before.summaries == now.summaries
        and before.unconfirmed.keys() == now.unconfirmed.keys()
    )


async def _listed(
    backend: Backend, search: Search, summaries: Mapping[Spot, Summary]
) -> dict[Spot, list[Transaction]]:
    """Return the unconfirmed transactions of each address that has some."""
    spots = [spot for spot, summary in summaries.items() if summary.pending]

    async def asked(spot: Spot) -> list[Transaction]:
        return await backend.unconfirmed(search.script(spot))

    return dict(zip(spots, await ask_all(asked, spots), strict=True))


def _strays(survey: Survey, listed: Mapping[Spot, list[Transaction]]) -> set[Spot]:
    """Return own addresses that a transaction touches whose own answer does not know of it."""
    seen = {spot: {one.txid for one in some} for spot, some in listed.items()}
    return {
        spot
        for transaction in survey.unconfirmed.values()
        for spot in _touched(survey, transaction)
        if transaction.txid not in seen.get(spot, ())
    }


def _touched(survey: Survey, transaction: Transaction) -> set[Spot]:
    spent = {one.script for one in transaction.inputs}
    paid = {one.script for one in transaction.outputs}
    return {survey.own[script] for script in (spent | paid) & survey.own.keys()}


def _is_complete(survey: Survey, listed: Mapping[Spot, list[Transaction]]) -> bool:
    """Whether each address listed as many as it counted, and no two spend the same output."""
    counts = all(len(some) == survey.summaries[spot].pending for spot, some in listed.items())
    spent = [
        (one.txid, one.place)
        for transaction in survey.unconfirmed.values()
        for one in transaction.inputs
    ]
    return counts and len(spent) == len(set(spent))
