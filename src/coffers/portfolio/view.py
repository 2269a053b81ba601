"""An account as a list shows it: its record, its figures, and how far they can be trusted."""

import msgspec

from coffers.clock import Millis
from coffers.store.records import Account
from coffers.valuation.figures import Figures


class Quality(msgspec.Struct, frozen=True):
    """What is missing from an account's figures, and how old their inputs are.

    `unpriced` are assets that are held and have no price; `missing_wallets` could not be read the
    last time; `flows_known` is False where the venue tells no deposits and withdrawals, or one of
    them could not be valued. `read_at` is None before the first reading. `ignored` are assets that
    are held and count for nothing, since the user wants it so: the figures miss nothing by that.
    `is_ahead` says that `as_of` lies ahead of the clock: a reading or the prices are of nobody
    knows when, and no gain of a day or a month can be told.
    """

    as_of: Millis
    read_at: Millis | None
    unpriced: tuple[str, ...]
    missing_wallets: tuple[str, ...]
    flows_known: bool
    ignored: tuple[str, ...] = ()
    is_ahead: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether the figures speak of all that the account covers."""
        return self.read_at is not None and not (self.unpriced or self.missing_wallets)

    def is_stale(self, now: Millis, stale_after: Millis) -> bool:
        """Return whether the figures are of too old a reading, or may be."""
        return self.read_at is not None and (self.is_ahead or now - self.read_at > stale_after)


class AccountView(msgspec.Struct, frozen=True):
    """One account with its figures at one price book."""

    account: Account
    figures: Figures
    quality: Quality
