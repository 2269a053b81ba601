"""Who finds out anew what venues list: one row a subject, claimed by one worker at a time.

An API process asks and waits; a worker takes what is due, does it, and says how it ended and when
it is due again. A worker that dies keeps its claim until that runs out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from coffers.clock import Millis
from coffers.store.connection import AsyncConnection
from coffers.store.notices import Topic, announce
from coffers.store.statements import changed, insert
from coffers.store.tables import venue_tasks

PAIRS, CURRENCIES = "pairs", "currencies"
"""The subjects of which each venue has one."""

_RATE = "rate "
_T = venue_tasks.c
_IS_RATE = _T.subject.startswith(_RATE, autoescape=True)


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be found out of a venue."""

    venue: str
    subject: str

    @property
    def symbol(self) -> str | None:
        """The pair whose rate it is about, None for anything else."""
        return self.subject.removeprefix(_RATE) if self.subject.startswith(_RATE) else None


@dataclass(frozen=True, slots=True)
class TaskStanding:
    """Where a task stands.

    `turns` counts its ends, good or bad. `done_at` is the age of what is known, None before
    anything is. `failed_at`, `failure` (a `FailureKind`) and its message are of the last try, None
    after a good one.
    """

    asked_at: Millis
    due_at: Millis | None
    turns: int
    done_at: Millis | None
    failed_at: Millis | None
    failures: int
    failure: str | None
    failure_message: str | None


# Ties are broken, so that two workers who claim several never wait for each other.
_IN_ORDER = (_T.due_at, _T.venue, _T.subject)
_STANDING = tuple(_T[name] for name in TaskStanding.__slots__)


def rate_of(venue: str, symbol: str) -> Task:
    """Return the task of finding out what a pair is traded at."""
    return Task(venue, _RATE + symbol)


class VenueTasks:
    """The tasks of all venues."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask(self, task: Task, now: Millis, *, is_due: bool) -> None:
        """Note that a task is asked for, due now or, if it is new, at no time yet."""
        due_at = now if is_due else None
        statement = insert(self._connection, venue_tasks).values(
            venue=task.venue, subject=task.subject, asked_at=now, due_at=due_at, turns=0, failures=0
        )
        changes = {"asked_at": now, **({"due_at": now} if is_due else {})}
        key = [_T.venue, _T.subject]
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_=changes)
        )
        if is_due:
            await announce(self._connection, Topic.ASKED, task.venue, task.subject)

    async def schedule(self, task: Task, due_at: Millis) -> None:
        """Make a task due at a moment, unless it is due at one already."""
        statement = insert(self._connection, venue_tasks).values(
            venue=task.venue, subject=task.subject, asked_at=0, due_at=due_at, turns=0, failures=0
        )
        key = [_T.venue, _T.subject]
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=key, set_={"due_at": due_at}, where=_T.due_at.is_(None)
            )
        )

    async def standing(self, task: Task) -> TaskStanding | None:
        """Return where a task stands, None where nobody ever asked."""
        statement = select(*_STANDING).where(_is(task))
        row = (await self._connection.execute(statement)).first()
        return None if row is None else TaskStanding(*row)

    async def of_subject(self, subject: str) -> dict[str, TaskStanding]:
        """Return where a subject stands, by venue."""
        statement = select(_T.venue, *_STANDING).where(_T.subject == subject)
        return {row[0]: TaskStanding(*row[1:]) for row in await self._connection.execute(statement)}

    async def due(self, now: Millis, limit: int, *, only_rates: bool = False) -> Sequence[Task]:
        """Return tasks that are due and that nobody works at, the longest due first."""
        statement = select(_T.venue, _T.subject).where(_is_free(now))
        if only_rates:
            statement = statement.where(_IS_RATE)
        rows = await self._connection.execute(statement.order_by(*_IN_ORDER).limit(limit))
        return [Task(row.venue, row.subject) for row in rows]

    async def take(self, task: Task, holder: str, now: Millis, until: Millis) -> bool:
        """Claim a task up to a moment; False where it is no longer due, or somebody has it."""
        statement = update(venue_tasks).where(_is(task), _is_free(now))
        claim = statement.values(taken_by=holder, taken_until=until)
        return await changed(self._connection, claim) > 0

    async def done(self, task: Task, holder: str, done_at: Millis, due_at: Millis | None) -> bool:
        """End a task well: what is known is of `done_at`. False where another one has the claim."""
        values = {"done_at": done_at, "failed_at": None, "failures": 0}
        return await self._end(task, holder, due_at, values, None, None)

    async def failed(
        self,
        task: Task,
        holder: str,
        failed_at: Millis,
        due_at: Millis | None,
        failure: str,
        message: str,
    ) -> bool:
        """End a task badly: what was known stays. False where another one has the claim."""
        values = {"failed_at": failed_at, "failures": _T.failures + 1}
        return await self._end(task, holder, due_at, values, failure, message)

    async def found(self, task: Task, now: Millis) -> None:
        """Note that somebody found it out without a claim, on the way of something else."""
        await self.ask(task, now, is_due=False)
        statement = update(venue_tasks).where(_is(task))
        values = {"done_at": now, "turns": _T.turns + 1, "failed_at": None, "failures": 0}
        await self._connection.execute(
            statement.values(**values, failure=None, failure_message=None)
        )

    async def forget_rates(self, before: Millis) -> None:
        """Forget the tasks of rates that nobody asked for since a moment; the rates stay."""
        await self._connection.execute(delete(venue_tasks).where(_IS_RATE, _T.asked_at < before))

    async def _end(
        self,
        task: Task,
        holder: str,
        due_at: Millis | None,
        values: Mapping[str, object],
        failure: str | None,
        message: str | None,
    ) -> bool:
        own = update(venue_tasks).where(_is(task), _T.taken_by == holder)
        ended = {"taken_by": None, "taken_until": None, "turns": _T.turns + 1, "due_at": due_at}
        said = {"failure": failure, "failure_message": message}
        is_ended = await changed(self._connection, own.values(**values, **ended, **said)) > 0
        if is_ended:
            await announce(self._connection, Topic.FOUND, task.venue, task.subject)
        return is_ended


def _is(task: Task) -> ColumnElement[bool]:
    return and_(_T.venue == task.venue, _T.subject == task.subject)


def _is_free(now: Millis) -> ColumnElement[bool]:
    nobodys = or_(_T.taken_until.is_(None), _T.taken_until < now)
    return and_(_T.due_at <= now, nobodys)
