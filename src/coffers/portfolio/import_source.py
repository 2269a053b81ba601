"""Another service that accounts are taken over from, as far as the taking over needs to know it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from coffers.clock import Millis
from coffers.errors import CoffersError
from coffers.valuation.model import Snapshot


class SourceFailed(CoffersError):
    """The other service did not tell what was asked of it; of another account it may."""


class SourceStopped(SourceFailed):
    """The other service tells nothing more for now: it is away, or refuses the key."""


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """An account of the other service. `created_at` is when it was connected there."""

    id: int
    name: str
    market_code: str
    api_key: str = ""
    address: str | None = None
    customer_id: str | None = None
    subaccount_name: str | None = None
    include_in_summary: bool = True
    created_at: Millis | None = None


class Source(Protocol):
    """Where accounts are taken over from. `name` tells one source from another, for good.

    All methods raise `SourceFailed`, of which `SourceStopped` ends the whole work.
    """

    name: str

    async def accounts(self) -> Sequence[SourceAccount]:
        """Return all real accounts, each once."""
        ...

    async def history(self, account_id: int, since: Millis, until: Millis) -> Sequence[Snapshot]:
        """Return what an account was worth from one moment to another, in order of time."""
        ...

    async def holdings(self, account_id: int) -> Mapping[str, Decimal]:
        """Return what a hand-kept account holds, in units of each asset."""
        ...
