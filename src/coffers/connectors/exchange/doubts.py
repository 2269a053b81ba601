"""What may be missing among an account's flows for good, remembered from reading to reading.

Euros that came in untold may be bitcoin by the next reading, and a row that nobody understood falls
out of the time that is looked back at. Both would count as profit from then on, unmarked.
"""

from dataclasses import replace
from typing import Self

import msgspec

from coffers import __version__
from coffers.clock import DAY, Millis
from coffers.connectors.exchange.flows import FoundFlows
from coffers.connectors.exchange.library import ccxt
from coffers.connectors.reading import ReadRequest

PROGRAM = f"{__version__} with {ccxt.__version__}"
"""Who reads: another one may understand more."""


class Doubts(msgspec.Struct, frozen=True):
    """What was seen of an account that its flows do not tell.

    `is_untold` says that it held money whose deposits are in no history. `unclear_since` is the
    time of the earliest row that was not understood, None where there is none; `program` is who
    looked last for all since then, another one for as long as a look goes on over several readings.
    """

    is_untold: bool = False
    unclear_since: int | None = None
    program: str = ""

    def __bool__(self) -> bool:
        """Whether anything is in doubt."""
        return self.is_untold or self.unclear_since is not None

    @classmethod
    def opened(cls, text: str | None) -> Self:
        """Return what was remembered; nothing where it cannot be read any more."""
        try:
            return cls() if text is None else msgspec.json.decode(text, type=cls)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return cls()

    def closed(self) -> str:
        """Return the text to be remembered."""
        return msgspec.json.encode(self).decode()

    def widened(self, request: ReadRequest) -> ReadRequest:
        """Return a request that goes back to what is unclear, once for each other program."""
        begin = self._begin()
        if begin is None or request.flows_since is None or self.program == PROGRAM:
            return request
        return replace(request, flows_since=min(begin, request.flows_since))

    def after(self, asked: ReadRequest, found: FoundFlows) -> "Doubts":
        """Return what is in doubt once these flows were found."""
        begin, since = self._begin(), asked.flows_since
        is_asked = found.is_asked and since is not None and (begin is None or since <= begin)
        left = None if is_asked and found.is_read else self.unclear_since
        goes_on = not found.is_asked
        if left is not None and is_asked and (found.read_until or 0) > left:
            # It came a part of the way: the next reading goes on from there.
            left, goes_on = found.read_until, True
        times = [found.unclear_since, left]
        unclear = min((at for at in times if at is not None), default=None)
        program = self.program if goes_on and unclear == left else PROGRAM
        return Doubts(self.is_untold or found.is_untold, unclear, program)

    def is_cleared_by(self, left: "Doubts", at: Millis) -> bool:
        """Return whether a new flow of a moment may be what was unclear, with what is left now.

        It may have been in the balances for as long.
        """
        is_cleared = self.unclear_since is not None and self.unclear_since != left.unclear_since
        return is_cleared and at >= (self.unclear_since or 0)

    def _begin(self) -> Millis | None:
        """Return from when on to look for it, whatever clocks are ahead."""
        return None if self.unclear_since is None else Millis(self.unclear_since - DAY)
