"""One's own passkeys: added, named, removed, and shown in place of the password.

A script of ours asks for options, has the browser answer, and sends that by the form that asked.
"""

from starlette.responses import Response

from coffers.errors import InvalidRecord, NotFound
from coffers.portfolio.authenticators import PasskeySite
from coffers.portfolio.guessing import SignInLocked
from coffers.portfolio.passkey_sign_in import PasskeySignIn
from coffers.portfolio.passkeys import Passkeys
from coffers.web.answers import Renderer, json_answer, see_other
from coffers.web.rooms import Asked, OwnPage, Rooms
from coffers.web.security_page import SecurityPage, codes_page
from coffers.web.sign_in_pages import refused_options


class PasskeyPages:
    """Takes the forms about passkeys; the page that has them is that of security."""

    def __init__(self, rooms: Rooms, renderer: Renderer, security: SecurityPage) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._security = security
        self._passkeys = Passkeys(rooms.store, rooms.clock)
        self._signing = PasskeySignIn(rooms.store, rooms.vault, rooms.clock)
        self.own = (
            OwnPage("/security/passkeys", sent=self.add),
            OwnPage("/security/passkeys/options", sent=self.options),
            OwnPage("/security/passkeys/rename", sent=self.rename),
            OwnPage("/security/passkeys/remove", sent=self.remove),
            OwnPage("/security/check/passkey", sent=self.check),
            OwnPage("/security/check/passkey/options", sent=self.check_options),
        )

    async def options(self, asked: Asked) -> Response:
        """Tell what a browser is to make a passkey by."""
        try:
            return json_answer(await self._passkeys.options(asked.who, self._site(asked)))
        except SignInLocked as error:
            return refused_options(error)

    async def add(self, asked: Asked) -> Response:
        """Keep a passkey that a browser made."""
        name, text = asked.form.get("name", ""), asked.form.get("answer", "")
        try:
            codes = await self._passkeys.add(asked.who, self._site(asked), name, text)
        except InvalidRecord as error:
            return await self._security.page(asked, error.attributes)
        if codes:
            return codes_page(self._renderer, asked, codes)
        return see_other("/security", "passkey-added")

    async def rename(self, asked: Asked) -> Response:
        """Give a passkey another name."""
        name, passkey = asked.form.get("name", ""), asked.form.get("passkey", "")
        try:
            await self._passkeys.rename(asked.who, passkey, name)
        except InvalidRecord as error:
            faults = {"passkey": [f"name {why}" for why in error.attributes["name"]]}
            return await self._security.page(asked, faults)
        return see_other("/security", "passkey-renamed")

    async def remove(self, asked: Asked) -> Response:
        """Take a passkey away."""
        try:
            await self._passkeys.remove(asked.who, asked.form.get("passkey", ""))
        except InvalidRecord as error:
            return await self._security.page(asked, error.attributes)
        return see_other("/security", "passkey-removed")

    async def check_options(self, asked: Asked) -> Response:
        """Tell what a browser is to show a passkey by."""
        try:
            return json_answer(await self._signing.check_options(asked.who, self._site(asked)))
        except SignInLocked as error:
            return refused_options(error)

    async def check(self, asked: Asked) -> Response:
        """Take a passkey of who wants to change something."""
        try:
            await self._signing.check(asked.who, self._site(asked), asked.form.get("answer", ""))
        except InvalidRecord as error:
            return await self._security.page(asked, {"check": error.attributes["passkey"]})
        return see_other("/security", "checked")

    def _site(self, asked: Asked) -> PasskeySite:
        site = self._rooms.passkey_site(asked.request)
        if site is None:
            raise NotFound(asked.request.url.path)
        return site
