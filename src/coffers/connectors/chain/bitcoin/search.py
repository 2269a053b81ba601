"""Finds the addresses of a wallet that were ever paid, and which of them are asked for again.

The addresses of a branch are asked for in their order until 20 in a row were never paid. Every
reading asks again for those after the last paid one, and for all that may hold something.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from coffers.connectors.chain.bitcoin.backend import Backend, Summary, ask_all
from coffers.connectors.chain.bitcoin.memory import UNTOLD, BranchMemory, Memory
from coffers.connectors.chain.bitcoin.wallet import Branch, Spot, Wallet

GAP = 20
"""So many unpaid addresses in a row end a branch, as wallets hold it (BIP-44)."""

EMPTIED_AT_ONCE = 500
"""Emptied addresses that one reading asks for again; more of them take turns."""

_NOTHING = BranchMemory()


@dataclass(slots=True)
class _Way:
    """How far a branch is searched: its last paid place, and the first place not asked for."""

    branch: Branch
    used: int
    searched: int

    @property
    def wanted(self) -> int:
        return self.used + 1 + GAP if self.branch.is_ranged else 1


class Search:
    """The search through a wallet's branches in one reading.

    Args:
        backend: who is asked.
        wallet: the branches.
        memory: what the reading before told.
        is_late: whether time is up; then the search stops and goes on at the next reading.
    """

    def __init__(
        self, backend: Backend, wallet: Wallet, memory: Memory, is_late: Callable[[], bool]
    ) -> None:
        self._backend = backend
        self._memory = memory
        self._is_late = is_late
        self._is_guess = wallet.is_guess
        self._ways = {branch.id: self._way(branch) for branch in _kept(wallet, memory)}
        self.summaries: dict[Spot, Summary] = {}
        self.turn = memory.turn

    @property
    def places(self) -> Mapping[str, tuple[int, int]]:
        """The last paid place and the first unasked one of each branch that is kept."""
        return {id_: (way.used, way.searched) for id_, way in self._ways.items()}

    @property
    def paid(self) -> int:
        """How many addresses were found that somebody paid."""
        known = sum(way.used + 1 for way in self._ways.values())
        return known - sum(not one.is_used for one in self._inner())

    async def find(self) -> bool:
        """Go on until every branch ends; False where time was up before."""
        is_begun = False
        while spots := [spot for way in self._ways.values() for spot in _next(way)]:
            if is_begun and self._is_late():
                return False
            is_begun = True
            await self.ask(spots)
        self._drop_unused()
        return True

    async def look_again(self) -> None:
        """Ask for the addresses of earlier readings that may have changed since."""
        known = [spot for way in self._ways.values() for spot in self._known(way)]
        emptied = [spot for spot in known if self._is_emptied(spot)]
        resting = set(emptied) - set(self._turn_of(emptied))
        await self.ask(spot for spot in known if spot not in resting)

    async def ask(self, spots: Iterable[Spot]) -> None:
        """Ask for addresses and note how far the branches go."""
        asked = list(spots)
        found = await ask_all(self._summary, asked)
        for spot, summary in zip(asked, found, strict=True):
            self.summaries[spot] = summary
            way = self._ways[spot.branch]
            way.searched = max(way.searched, spot.place + 1)
            if summary.is_used:
                way.used = max(way.used, spot.place)

    def script(self, spot: Spot) -> bytes:
        """Return the script of an address."""
        return self._ways[spot.branch].branch.script(spot.place)

    def asked(self) -> dict[bytes, Spot]:
        """Return the addresses that were asked for, by their scripts.

        Branches may have one in common, as `wpkh(X/0/*)` and `wpkh(X/0/3)`: it is there once.
        """
        found: dict[bytes, Spot] = {}
        for spot in self.summaries:
            found.setdefault(self.script(spot), spot)
        return found

    def own(self) -> dict[bytes, Spot]:
        """Return every address that was searched, by its script; as `asked` where it was asked."""
        searched = {
            way.branch.script(place): Spot(way.branch.id, place)
            for way in self._ways.values()
            for place in range(way.searched)
        }
        return searched | self.asked()

    async def _summary(self, spot: Spot) -> Summary:
        return await self._backend.summary(self.script(spot))

    def _way(self, branch: Branch) -> _Way:
        known = self._memory.branches.get(branch.id, _NOTHING)
        # Once the end was found, all after the last paid address is asked for again.
        begin = known.used + 1 if self._memory.is_found else known.searched
        return _Way(branch, known.used, begin)

    def _drop_unused(self) -> None:
        """Keep only the kinds of script that were ever paid, where the wallet left it open."""
        kinds = {way.branch.kind for way in self._ways.values() if way.used >= 0}
        if self._is_guess and kinds:
            self._ways = {id_: way for id_, way in self._ways.items() if way.branch.kind in kinds}
            self.summaries = {
                spot: summary
                for spot, summary in self.summaries.items()
                if spot.branch in self._ways
            }

    def _known(self, way: _Way) -> Iterator[Spot]:
        spots = (Spot(way.branch.id, place) for place in range(way.used + 1))
        return (spot for spot in spots if spot not in self.summaries)

    def _is_emptied(self, spot: Spot) -> bool:
        """Whether an address held nothing, is told of, and lies well before the last paid one."""
        known = self._memory.branches.get(spot.branch, _NOTHING)
        is_past = spot.place < known.used - GAP
        is_told = known.told_of(spot.place) != UNTOLD
        return is_past and is_told and spot.place not in known.holding

    def _turn_of(self, emptied: list[Spot]) -> list[Spot]:
        if len(emptied) <= EMPTIED_AT_ONCE:
            return emptied
        begin = self._memory.turn % len(emptied)
        self.turn = begin + EMPTIED_AT_ONCE
        return (emptied + emptied)[begin : self.turn]

    def _inner(self) -> Iterator[Summary]:
        for spot, summary in self.summaries.items():
            if spot.place <= self._ways[spot.branch].used:
                yield summary


def _kept(wallet: Wallet, memory: Memory) -> list[Branch]:
    """Return the branches to read: all, or those that an earlier search kept."""
    if not memory.is_found or not wallet.is_guess:
        return list(wallet.branches)
    return [branch for branch in wallet.branches if branch.id in memory.branches]


def _next(way: _Way) -> list[Spot]:
    return [Spot(way.branch.id, place) for place in range(way.searched, way.wanted)]
