"""The people whose accounts are kept here."""

from dataclasses import dataclass

from coffers.clock import Clock
from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.manners import WRITTEN, time_zones
from coffers.pricing.currencies import DISPLAY_CURRENCIES
from coffers.store.engine import Store
from coffers.store.records import AuditEvent, Mode, User

LONGEST_NAME = 64

LOCALES = ("ru", "en", "pt", "zh", "es", "fr", "tr", "de", "it")
"""Languages that a user can choose."""

_MODES: dict[str, Mode] = {"real": "real", "paper": "paper"}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a user is shown amounts and moments; what is None stays as it is.

    `written_as` is one of `WRITTEN`, `time_zone` the name of an IANA zone.
    """

    currency: str | None = None
    written_as: str | None = None
    time_zone: str | None = None


class Users:
    """Adds and finds users by name."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(self, name: str) -> User:
        """Add a user.

        Raises:
            InvalidRecord: for a name that cannot be one; `NameTaken` for one that is in use.
        """
        name = checked_name(name)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            user = await tx.users.add(name, now)
            await tx.audit.add(AuditEvent(user.id, now, "user_added", name, ""))
        return user

    async def show_in(self, name: str, currency: str) -> User:
        """Show a user's amounts in this currency from now on.

        Raises:
            NotFound: when there is no such user.
            InvalidRecord: for a currency of which no rates are kept.
        """
        return await self.choose(await self.named(name), Manner(currency=currency))

    async def choose(self, user: User, manner: Manner) -> User:
        """Show a user amounts and moments in this manner from now on; return the user as it is.

        Raises:
            InvalidRecord: naming `currency`, `written_as` and `time_zone` where they cannot be.
        """
        code = (manner.currency or user.display_currency).strip().upper()
        written_as = user.written_as if manner.written_as is None else manner.written_as
        zone = (manner.time_zone or user.time_zone).strip()
        _check(code, written_as, zone)
        now = self._clock.now()
        async with self._store.transaction() as tx:
            if code != user.display_currency:
                await tx.users.set_display_currency(user.id, code)
                await tx.audit.add(AuditEvent(user.id, now, "currency_chosen", user.name, code))
            if (written_as, zone) != (user.written_as, user.time_zone):
                await tx.users.set_written_as(user.id, written_as, zone)
                told = f"{written_as or 'plain'}, {zone}"
                await tx.audit.add(AuditEvent(user.id, now, "formats_chosen", user.name, told))
        return await self.get(user.id)

    async def choose_mode(self, user_id: int, mode: str) -> None:
        """Show a user the accounts of this mode from now on, where a request does not say.

        Raises:
            InvalidRecord: for a mode that there is not.
        """
        chosen = _MODES.get(mode)
        if chosen is None:
            raise InvalidRecord({"mode": ["does not have a valid value"]})
        async with self._store.transaction() as tx:
            await tx.users.set_mode(user_id, chosen)
            now = self._clock.now()
            await tx.audit.add(AuditEvent(user_id, now, "mode_chosen", str(user_id), chosen))

    async def choose_locale(self, user_id: int, locale: str) -> None:
        """Explain errors to a user in this language from now on, where there is a text in it.

        Raises:
            InvalidRecord: for a language that cannot be chosen.
        """
        if locale not in LOCALES:
            raise InvalidRecord({"locale": ["does not have a valid value"]})
        async with self._store.transaction() as tx:
            await tx.users.set_locale(user_id, locale)
            now = self._clock.now()
            await tx.audit.add(AuditEvent(user_id, now, "locale_chosen", str(user_id), locale))

    async def named(self, name: str) -> User:
        """Return the user of this name.

        Raises:
            NotFound: when there is none, with the way to add one.
        """
        async with self._store.reading() as tx:
            user = await tx.users.by_name(name)
        if user is None:
            raise NotFound(f"there is no user {name!r} (add one with: coffers user add {name})")
        return user

    async def get(self, user_id: int) -> User:
        """Return the user of this id.

        Raises:
            NotFound: when there is none.
        """
        async with self._store.reading() as tx:
            user = await tx.users.get(user_id)
        if user is None:
            raise NotFound(f"there is no user {user_id}")
        return user

    async def all(self) -> list[User]:
        """Return all users in order of id."""
        async with self._store.reading() as tx:
            return await tx.users.all()


def _check(code: str, written_as: str, zone: str) -> None:
    faults = {}
    if code not in DISPLAY_CURRENCIES:
        faults["currency"] = [f"must be one of {', '.join(sorted(DISPLAY_CURRENCIES))}"]
    if written_as not in WRITTEN:
        faults["written_as"] = [f"must be one of {', '.join(filter(None, WRITTEN))}"]
    if zone not in time_zones():
        faults["time_zone"] = ["is none that is known, such as Europe/Berlin"]
    if faults:
        raise InvalidRecord(faults)


def checked_name(name: str) -> str:
    """Return a user's name as it is kept.

    Raises:
        InvalidRecord: for a name that cannot be one.
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRecord({"name": [f"must be 1 to {LONGEST_NAME} printable characters"]})
    return name
