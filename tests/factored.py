"""Somebody with second factors: signed in, with an app whose codes the tests make themselves."""

from dataclasses import dataclass

from argon2 import PasswordHasher
from pyotp import TOTP

from coffers.access.passwords import Passwords
from coffers.clock import ManualClock
from coffers.portfolio.guessing import Visitor
from coffers.portfolio.second_factors import HalfSignedIn, SecondFactors
from coffers.portfolio.sessions import SignedIn
from coffers.portfolio.sign_in import SignIn
from coffers.portfolio.totp import STEP, TotpApps
from coffers.secret import Secret
from coffers.store.engine import Store
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import NOW

GOOD = Secret("a long password 1")
OTHER = Secret("another password 2")
HOME = Visitor("192.0.2.1", "Browser 1")
ELSEWHERE = Visitor("198.51.100.7", "Browser 2")


def quick() -> Passwords:
    """Return passwords whose hashes cost next to nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


class Signing:
    """What signs people in, on one database and one clock."""

    def __init__(self, store: Store, vault: Vault | None = None) -> None:
        ring = KeyRing([new_key()])
        self.store = store
        self.clock = ManualClock(NOW)
        self.vault = vault or Vault(lambda: ring)
        self.sign_in = SignIn(store, quick(), self.clock)
        self.factors = SecondFactors(store, self.vault, self.clock)
        self.apps = TotpApps(store, self.vault, self.clock)

    async def begun(self, name: str = "ann") -> SignedIn:
        """Make a user, and sign the user in."""
        code = await self.sign_in.first_run_code()
        assert code is not None
        return await self.sign_in.welcome(code, name, GOOD, HOME)

    async def with_app(self, who: SignedIn) -> tuple["App", list[str]]:
        """Set an app up; return it with the recovery codes."""
        await self.apps.begin(who)
        enrolment = await self.apps.waiting(who, "coffers.test")
        assert enrolment is not None
        app = App(enrolment.secret, self.clock)
        codes = await self.apps.confirm(who, app.code())
        # The code of this step is used.
        self.clock.advance(STEP)
        return app, codes

    async def half(self, visitor: Visitor = HOME) -> HalfSignedIn:
        """Give the right password of somebody with a second factor."""
        found = await self.sign_in.by_password("ann", GOOD, visitor)
        assert isinstance(found, HalfSignedIn)
        return found

    async def kinds(self, user_id: int) -> list[str]:
        """Return what the trail says of a user, the newest last."""
        async with self.store.reading() as tx:
            return [event.kind for event in reversed(await tx.audit.of_user(user_id))]


@dataclass(frozen=True, slots=True)
class App:
    """An authenticator app."""

    secret: Secret
    clock: ManualClock

    def code(self, later: int = 0) -> str:
        """The code that it shows now, or so many steps later."""
        return TOTP(self.secret.reveal()).at(self.clock.now() // 1000, counter_offset=later)

    def wrong(self) -> str:
        """Six digits that are none of its codes by now."""
        near = {self.code(step) for step in range(-3, 4)}
        return next(
            text
            for text in ("000000", "111111", *map(str, range(200000, 200009)))
            if text not in near
        )
