"""Work that needs an exchange, handed from an API process to a worker and awaited.

An API process never loads the exchange library. It seals what is asked, adds it to the errands in
the database, and waits; a worker takes it, does it and writes what came of it.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from coffers import metrics
from coffers.clock import HOUR, MINUTE, Clock, Millis
from coffers.connectors.reading import ConnectorFailure, FailureKind
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.logs import logger
from coffers.portfolio.errand_forms import CHECK, CHECKED
from coffers.secret import Secret
from coffers.store.engine import Store, Transaction
from coffers.store.errands import Errand
from coffers.store.errors import AlreadyConnected
from coffers.store.notices import Notice, Topic, joined
from coffers.vault.vault import Vault

LASTS = Millis(2 * MINUTE)
"""How long a worker may take over one errand, and how long one waits to be taken."""

KEPT = Millis(HOUR)
"""How long what came of an errand can be asked for."""

TAKEN_WITHIN = 5.0
"""Seconds within which a worker takes an errand, if one is at work at all."""

LOOKS = (0.02, 0.05, 0.1)
"""Seconds between the looks for an outcome, the last one again and again."""

LOOKS_TOLD = (0.2, 1.0)
"""The same while notices tell of outcomes: so late, should one be missed."""

LOOK_FOR_WORK = 0.1
"""Seconds between two looks for errands: what an errand costs beside its work."""

LOOK_FOR_WORK_TOLD = 2.0
"""The same while notices tell of errands."""

HELD = Millis(15_000)
"""How long an errand that can be done again is kept without a sign of life of its worker."""

SIGN_OF_LIFE = 2.0
"""Seconds between two of them."""

FORGET_EVERY = 60.0
"""Seconds after which keys that were checked and not connected are looked for."""

AGAIN = frozenset({"refresh"})
"""The kinds of errands that harm nothing when they are done twice: an account is read once more."""

AT_ONCE = 8
"""Errands that a worker does at the same time."""

MOST_OPEN = 8
"""What one user may have begun that is not done yet: more would take all places from others."""

_log = logger("coffers.errands")

Handler = Callable[[int, bytes], Awaitable[object]]
"""Does an errand of a user: takes what was asked as JSON, returns what is told as JSON."""


class NoWorker(CoffersError):
    """No worker took what was asked."""

    def __init__(self) -> None:
        super().__init__("no worker is at work that could ask the exchange; nothing was changed")


class NoErrand(NotFound):
    """There is no errand of this number, or not any more."""


class TookTooLong(CoffersError):
    """A worker did not come to an end in time; it may still."""

    def __init__(self) -> None:
        super().__init__(
            "the exchange did not answer in time; look at the account in a while, since what was "
            "asked may still be done"
        )


class TooManyOpen(CoffersError):
    """A user has begun so much that is not done yet."""

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_OPEN} things that you began are not done yet; wait for one of them"
        )


class _Outcome(msgspec.Struct, omit_defaults=True):
    """What came of an errand: what is told, or one of the faults that a caller can act upon."""

    told: msgspec.Raw = msgspec.Raw(b"null")
    attributes: dict[str, list[str]] | None = None
    connected_as: int | None = None
    failure: str | None = None
    code: str = ""
    message: str | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something has come that was begun, and how long ago; `told` once it is done."""

    state: Literal["waiting", "at_work", "done"]
    waited: Millis
    told: bytes | None = None


class Errands:
    """Where an API process asks for work."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def ask(self, user_id: int, kind: str, asked: object) -> bytes:
        """Have something done by a worker and return what it tells, as JSON.

        Raises:
            InvalidRecord, AlreadyConnected, NotFound, ConnectorFailure, CoffersError: as the work
                itself does.
            NoWorker, TookTooLong: when nobody took it, or did not end in time.
        """
        errand_id = await self._add(user_id, kind, msgspec.json.encode(asked))
        return _told(await self._outcome(user_id, errand_id))

    async def begin(self, user_id: int, kind: str, asked: object) -> int:
        """Ask for something and do not wait for it; return the number that `look` takes.

        Raises:
            TooManyOpen: when too much of this user's is not done yet.
        """
        async with self._store.reading() as tx:
            if await tx.errands.count_open(user_id, self._clock.now()) >= MOST_OPEN:
                raise TooManyOpen
        return await self._add(user_id, kind, msgspec.json.encode(asked))

    async def look(self, user_id: int, errand_id: int) -> Progress:
        """Return how far something has come that was begun.

        Raises:
            NotFound: when this user has nothing of this number, or not any more.
            NoWorker: when nobody has taken it in time; it is taken back then.
            TookTooLong: when a worker took it, and has not ended in time.
            InvalidRecord, AlreadyConnected, ConnectorFailure, CoffersError: as the work itself.
        """
        async with self._store.reading() as tx:
            found = await tx.errands.standing(user_id, errand_id)
        if found is None:
            raise NoErrand(f"there is no errand {errand_id}")
        waited = Millis(max(0, self._clock.now() - found.created_at))
        if found.outcome is not None:
            told = _told(msgspec.json.decode(found.outcome, type=_Outcome))
            return Progress("done", waited, told)
        if found.is_taken:
            if waited > LASTS:
                raise TookTooLong
            return Progress("at_work", waited)
        if waited > TAKEN_WITHIN * 1000 and await self._withdrawn(user_id, errand_id):
            raise NoWorker
        return Progress("waiting", waited)

    async def _add(self, user_id: int, kind: str, body: bytes) -> int:
        now = self._clock.now()
        async with self._store.transaction() as tx:
            errand_id = await tx.errands.new_id()
            sealed = self._vault.seal(Secret(body.decode()), _context(user_id, errand_id))
            errand = Errand(user_id, errand_id, kind, sealed)
            await tx.errands.add(errand, now, Millis(now + LASTS))
            await tx.errands.forget(Millis(now - KEPT))
        return errand_id

    async def _outcome(self, user_id: int, errand_id: int) -> _Outcome:
        loop = asyncio.get_running_loop()
        ended = Notice(Topic.OUTCOMES, joined(user_id, errand_id))
        ear = self._store.notices.ear(ended.__eq__)
        began, looks = loop.time(), 0
        while (waited := loop.time() - began) < LASTS / 1000:
            await ear.wait(_pause(LOOKS, looks), _pause(LOOKS_TOLD, looks))
            looks += 1
            async with self._store.reading() as tx:
                text = await tx.errands.outcome(user_id, errand_id)
            if text is not None:
                return msgspec.json.decode(text, type=_Outcome)
            if waited > TAKEN_WITHIN and await self._withdrawn(user_id, errand_id):
                raise NoWorker
        raise TookTooLong

    async def _withdrawn(self, user_id: int, errand_id: int) -> bool:
        async with self._store.reading() as tx:
            if await tx.errands.is_taken(user_id, errand_id):
                return False
        async with self._store.transaction() as tx:
            return await tx.errands.withdraw(user_id, errand_id)


class ErrandDesk:
    """Where a worker does errands, several at a time, until it is stopped.

    Args:
        store: where the errands lie.
        vault: opens what was asked.
        clock: the time.
        handlers: who does what, by the errand's kind.
    """

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, handlers: Mapping[str, Handler]
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._handlers = handlers
        self._stopping = asyncio.Event()
        self._ear = store.notices.ear(lambda notice: notice.topic is Topic.ERRANDS)

    async def run(self) -> None:
        """Do errands until `stop`; what is under way is finished first."""
        free = asyncio.Semaphore(AT_ONCE)
        loop = asyncio.get_running_loop()
        forgot_at = loop.time()
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                await free.acquire()
                taken = await self._take()
                if taken is None:
                    free.release()
                    if loop.time() - forgot_at > FORGET_EVERY:
                        forgot_at = loop.time()
                        await self._forget_checked()
                    await self._ear.wait(LOOK_FOR_WORK, LOOK_FOR_WORK_TOLD)
                    continue
                task = group.create_task(self._do(*taken))
                task.add_done_callback(lambda _: free.release())

    def stop(self) -> None:
        """Come to an end."""
        self._stopping.set()
        self._ear.ring()

    async def _take(self) -> tuple[Errand, str] | None:
        """Take an errand for a holder of its own; None where none waits, or none can be taken."""
        holder = uuid.uuid4().hex
        try:
            while await self._is_waiting():
                now = self._clock.now()
                async with self._store.transaction() as tx:
                    errand = await tx.errands.take(holder, now, Millis(now + LASTS))
                if errand is not None:
                    return errand, holder
                # Another worker was quicker; there may be a next one.
        except CoffersError as error:
            _log.warning("errands not read", reason=str(error))
        return None

    async def _forget_checked(self) -> None:
        """Forget the keys that somebody had checked, and never said yes to."""
        try:
            async with self._store.transaction() as tx:
                await forget_checked(tx, self._clock.now())
        except CoffersError as error:
            _log.warning("checked keys not forgotten", reason=str(error))

    async def _is_waiting(self) -> bool:
        async with self._store.reading() as tx:
            return await tx.errands.is_waiting(self._clock.now())

    async def _do(self, errand: Errand, holder: str) -> None:
        held = asyncio.create_task(self._hold(errand, holder)) if errand.kind in AGAIN else None
        try:
            outcome = await self._came(errand)
        finally:
            if held is not None:
                held.cancel()
        metrics.errands.labels(errand.kind, "failed" if outcome.message else "done").inc()
        try:
            async with self._store.transaction() as tx:
                text = msgspec.json.encode(outcome).decode()
                await tx.errands.finish(errand.user_id, errand.id, holder, text)
        except CoffersError as error:
            _log.warning("errand not ended", kind=errand.kind, reason=str(error))

    async def _hold(self, errand: Errand, holder: str) -> None:
        """Tell again and again that the errand is being done, so that it is not left for long."""
        while True:
            await asyncio.sleep(SIGN_OF_LIFE)
            until = Millis(self._clock.now() + HELD)
            try:
                async with self._store.transaction() as tx:
                    if not await tx.errands.hold(errand.user_id, errand.id, holder, until):
                        return
            except CoffersError as error:
                _log.warning("errand not held", kind=errand.kind, reason=str(error))

    async def _came(self, errand: Errand) -> _Outcome:
        try:
            body = self._vault.open(errand.sealed, _context(errand.user_id, errand.id))
            async with asyncio.timeout(LASTS / 1000):
                told = await self._handlers[errand.kind](errand.user_id, body.reveal().encode())
        except CoffersError as error:
            return _refusal(error)
        except TimeoutError:
            return _refusal(TookTooLong())
        except Exception as error:  # noqa: BLE001 - the job boundary: counted and logged
            metrics.worker_failures.labels(type(error).__name__).inc()
            _log.exception("errand failed", kind=errand.kind)
            return _Outcome(message="something went wrong here; the server's log says more")
        return _Outcome(told=msgspec.Raw(msgspec.json.encode(told)))


async def forget_checked(tx: Transaction, now: Millis) -> None:
    """Forget the keys that were checked or to be checked, once their time is up."""
    await tx.errands.forget_kept(CHECKED, now)
    await tx.errands.forget_untaken(CHECK, now)


def _refusal(error: CoffersError) -> _Outcome:
    message = str(error)
    match error:
        case AlreadyConnected():
            return _Outcome(
                connected_as=error.account_id, attributes=error.attributes, message=message
            )
        case InvalidRecord():
            return _Outcome(attributes=error.attributes, message=message)
        case ConnectorFailure():
            return _Outcome(failure=error.kind.value, code=error.code, message=message)
        case NotFound():
            return _Outcome(missing=True, message=message)
        case _:
            return _Outcome(message=message)


def _told(outcome: _Outcome) -> bytes:
    """Return what an errand told, or raise what was raised where it was done."""
    if outcome.message is None:
        return bytes(outcome.told)
    if outcome.connected_as is not None:
        raise AlreadyConnected(outcome.connected_as)
    if outcome.attributes is not None:
        raise InvalidRecord(outcome.attributes)
    if outcome.failure is not None:
        kind = FailureKind(outcome.failure)
        raise ConnectorFailure(kind, outcome.message, code=outcome.code)
    raise NotFound(outcome.message) if outcome.missing else CoffersError(outcome.message)


def _pause(pauses: Sequence[float], looks: int) -> float:
    return pauses[min(looks, len(pauses) - 1)]


def _context(user_id: int, errand_id: int) -> str:
    return f"errand:{user_id}:{errand_id}"
