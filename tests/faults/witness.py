"""What may be answered, and what was: every answer under load is held against what is true.

An answer is wrong if it shows an amount that never was, one older than another answer showed
before it was asked for, an unknown as a number, an account of somebody else, or as complete what
is not. An error is wrong unless the fault under way explains it.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from served import Caller

STALE_AFTER = 6.0
SLACK = 2.0
"""Seconds by which a mark may be late on a busy machine."""

ZERO, FLOWS = "0.0", "flows_unknown"


class Truth:
    """All that something has been, in order, and how far answers have come in that."""

    def __init__(self, first: object) -> None:
        self.states = [first]
        self.floor = 0

    def becomes(self, state: object) -> int:
        """Take note of what it is from now on, or may be; return its place."""
        self.states.append(state)
        return len(self.states) - 1

    def was_told(self, state: object, floor: int) -> bool:
        """Return whether it is or was this, and nothing newer had been told when it was asked."""
        if state not in self.states[floor:]:
            return False
        self.floor = max(self.floor, self.states.index(state))
        return True


@dataclass
class Held:
    """An account at the venue, of bitcoin alone, and maybe of a coin that has no price."""

    number: int
    """Of its owner's accounts; its deposits are so small that a sum of all tells each one."""
    key: str
    secret: str
    has_orphan: bool
    amount: Truth
    name: Truth
    id: int = 0
    deposits: dict[str, Decimal] = field(default_factory=dict)

    @property
    def step(self) -> Decimal:
        """What each deposit is of."""
        return Decimal(1).scaleb(-2 * self.number - 2)


@dataclass
class Owner:
    """A user with accounts and a token."""

    caller: Caller
    accounts: list[Held]

    def floors(self) -> dict[int, tuple[int, int]]:
        """Return how far answers had come by now, for each account."""
        return {held.id: (held.amount.floor, held.name.floor) for held in self.accounts}

    def stranger(self, owners: list["Owner"]) -> int:
        """Return the id of an account of another owner."""
        return next(each for each in owners if each is not self).accounts[0].id


@dataclass(frozen=True)
class Asked:
    """A request: of whom, when, and what had been told by then."""

    owner: Owner
    what: str
    floors: Mapping[int, tuple[int, int]]
    at: float = field(default_factory=time.monotonic)


@dataclass
class Trouble:
    """A span in which requests may fail: answered 503, or left without an answer."""

    breaks_lines: bool
    since: float
    until: float = float("inf")

    def explains(self, asked: Asked, ended: float, *, was_answered: bool) -> bool:
        return (
            asked.at <= self.until and ended >= self.since and (was_answered or self.breaks_lines)
        )


@dataclass(frozen=True)
class Failure:
    """A request that was not answered as it should be, with a fault that may explain it."""

    asked: Asked
    ended: float
    was_answered: bool
    said: str


class Witness:
    """Holds answers against what is true, and keeps what does not agree."""

    def __init__(self, owners: list[Owner]) -> None:
        self.owners = owners
        self.good: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.failures: list[Failure] = []
        self.troubles: list[Trouble] = []
        self.worths: set[tuple[str, str, str]] = set()
        """(moment of the prices, BTC, USD) of every account that was shown."""
        self.unread_since = float("inf")
        """Since when the venue has been out of reach."""
        self.marked_stale = 0
        self.notes = [(time.monotonic(), "the start")]
        """When what was done to the program; told with an error that nothing explains."""
        self.may_lack_worths = False
        """Whether deposits may be marked as of unknown worth: no price is known of a false hour."""

    @contextmanager
    def trouble(self, *, breaks_lines: bool = False) -> Iterator[None]:
        """Let requests fail that are under way within the block."""
        self.note("requests may fail")
        span = Trouble(breaks_lines, time.monotonic())
        self.troubles.append(span)
        try:
            yield
        finally:
            span.until = time.monotonic()
            self.note("requests may fail no longer")

    def note(self, what: str) -> None:
        """Take note of what is done to the program now."""
        self.notes.append((time.monotonic(), what))

    def fail(self, asked: Asked, said: str, *, was_answered: bool) -> None:
        self.failures.append(Failure(asked, time.monotonic(), was_answered, said))

    def unexplained(self) -> list[str]:
        """Return the errors that no trouble explains."""
        return [
            f"{failure.asked.what}, asked {self._when(failure.asked.at)}: "
            f"{failure.said} {self._when(failure.ended)}"
            for failure in self.failures
            if not any(
                trouble.explains(failure.asked, failure.ended, was_answered=failure.was_answered)
                for trouble in self.troubles
            )
        ]

    def _when(self, at: float) -> str:
        since, what = max(note for note in self.notes if note[0] <= at)
        return f"{at - since:.3f} s after {what!r}"

    def answered(self, asked: Asked, status: int, got: httpx.Response) -> bool:
        """Return whether an answer has the status that it should have; count it, or keep it."""
        if got.status_code == status:
            self.good[asked.what] += 1
            return True
        said = f"{got.status_code} {got.text[:200]}"
        # Whatever is away, a refusal is never right, nor an error that nobody foresaw.
        if got.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.fail(asked, said, was_answered=True)
        else:
            self.wrong.append(f"{asked.what}: {said}")
        return False

    def saw_list(self, asked: Asked, got: httpx.Response) -> None:
        """Check a list of the published form."""
        shown = got.json()
        self._same(asked, [each["id"] for each in shown], self._ids(asked))
        reasons = _reasons(got.headers.get("x-accounts-incomplete-why", ""))
        for each in shown:
            self._entity(asked, each, reasons.get(each["id"], set()), got.headers)

    def saw_one(self, asked: Asked, got: httpx.Response) -> None:
        """Check a single account of the published form."""
        shown = got.json()
        reasons = _reasons(got.headers.get("x-accounts-incomplete-why", ""))
        self._entity(asked, shown, reasons.get(shown["id"], set()), got.headers)

    def saw_own(self, asked: Asked, got: httpx.Response) -> None:
        """Check a list with the quality of each account."""
        shown = got.json()["accounts"]
        self._same(asked, [each["id"] for each in shown], self._ids(asked))
        for each in shown:
            held = self._held(asked, each["id"])
            if held is None:
                continue
            bitcoin, quality = each["figures"]["btc"], each["quality"]
            self._told(asked, held, bitcoin["amount"], each["name"])
            reasons = {FLOWS if "flows" in why else why for why in quality["reasons"]}
            self._profits(asked, reasons, bitcoin["total_profit"])
            self._marks(asked, held, reasons)
            self._same(asked, quality["is_complete"], not held.has_orphan)

    def saw_summary(self, asked: Asked, got: httpx.Response) -> None:
        """Check the sum of all accounts, of which each is as new as it was told before."""
        shown = got.json()
        self._same(asked, shown["account_ids"], self._ids(asked))
        self._same(asked, shown["is_complete"], False)
        bitcoin = shown["figures"]["btc"]
        reasons = {why for each in shown["incomplete"] for why in each["reasons"]}
        reasons = {FLOWS if "flows" in why else why for why in reasons}
        self._profits(asked, reasons, bitcoin["total_profit"])
        rest = Decimal(bitcoin["amount"] or 0) - sum(
            Decimal(str(held.amount.states[0])) for held in asked.owner.accounts
        )
        for held in sorted(asked.owner.accounts, key=lambda held: held.number):
            count = int(rest / held.step)
            rest -= count * held.step
            amount = Decimal(str(held.amount.states[0])) + count * held.step
            self._told(asked, held, str(amount), None)
        self._same(asked, rest, Decimal(0))

    def saw_renamed(self, asked: Asked, held: Held, place: int) -> None:
        """Take note that a name is stored: no later answer may show one before it."""
        held.name.floor = max(held.name.floor, place)

    def _entity(
        self, asked: Asked, shown: Mapping[str, Any], reasons: set[str], headers: httpx.Headers
    ) -> None:
        held = self._held(asked, shown["id"])
        if held is None:
            return
        self._same(asked, shown["api_key"], held.key)
        self._same(asked, shown["is_locked"], False)
        self._told(asked, held, shown["btc_amount"], shown["name"])
        self._profits(asked, reasons, shown["day_profit_btc"], shown["total_btc_profit"])
        self._marks(asked, held, reasons)
        self.worths.add((headers["x-prices-at"], shown["btc_amount"], shown["usd_amount"]))

    def _told(self, asked: Asked, held: Held, amount: str | None, name: str | None) -> None:
        amounts, names = asked.floors[held.id]
        if amount is None or not held.amount.was_told(Decimal(amount), amounts):
            newest = held.amount.states[amounts:]
            self.wrong.append(f"{asked.what}: {held.key} holds {amount}, not one of {newest}")
        if name is not None and not held.name.was_told(name, names):
            self.wrong.append(f"{asked.what}: {name!r}, not one of {held.name.states[names:]}")

    def _profits(self, asked: Asked, reasons: set[str], *profits: str | None) -> None:
        """Check that a deposit is no profit, where it is not said that it may be.

        That of a day is null where a reading lies ahead of the clock, which is told as stale.
        """
        if FLOWS not in reasons:
            told = {each for each in profits if each is not None or "stale" not in reasons}
            self._same(asked, told, {ZERO})

    def _marks(self, asked: Asked, held: Held, reasons: set[str]) -> None:
        self._same(asked, "unpriced" in reasons, held.has_orphan)
        unsure = {"unpriced", "stale", *({FLOWS} if self.may_lack_worths else ())}
        self._same(asked, reasons - unsure, set())
        self.marked_stale += "stale" in reasons
        if asked.at - self.unread_since > STALE_AFTER + SLACK and "stale" not in reasons:
            self.wrong.append(f"{asked.what}: {held.key} is told as fresh, and cannot be")

    def _held(self, asked: Asked, account_id: int) -> Held | None:
        for held in asked.owner.accounts:
            if held.id == account_id:
                return held
        self.wrong.append(f"{asked.what}: account {account_id} is somebody else's")
        return None

    def _ids(self, asked: Asked) -> list[int]:
        return [held.id for held in asked.owner.accounts]

    def _same(self, asked: Asked, shown: object, true: object) -> None:
        if shown != true:
            self.wrong.append(f"{asked.what}: {shown!r}, not {true!r}")


def _reasons(header: str) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for part in filter(None, header.split(", ")):
        number, *reasons = part.split(";")
        found[int(number)] = {reason.partition("=")[0] for reason in reasons}
    return found
