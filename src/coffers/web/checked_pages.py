"""What is checked before it is connected: how far that is, what was found, and the yes to it."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import msgspec
from starlette.responses import Response

from coffers.errors import CoffersError, NotFound
from coffers.markets.catalogue import Market
from coffers.money import parse
from coffers.portfolio.balances import shown_in
from coffers.portfolio.errand_forms import (
    CONNECT,
    CONNECT_WALLET,
    RECONNECT,
    CheckAsked,
    CheckedAccount,
    CheckTold,
    ConnectAsked,
    Connected,
    WalletAsked,
)
from coffers.portfolio.errands import Errands
from coffers.portfolio.pending import LASTS, Pending, Waiting
from coffers.store.errors import AlreadyConnected
from coffers.store.records import Account
from coffers.valuation.value import value_of
from coffers.web.account_settings import AccountSettings
from coffers.web.answers import Renderer, see_other
from coffers.web.connect_pages import ConnectPages
from coffers.web.credential_fields import fields_of
from coffers.web.faults import Faults, faults_of
from coffers.web.formats import formats_of
from coffers.web.judged import Judged, judged
from coffers.web.progress import Awaited, progress_answer, progress_page
from coffers.web.rooms import Asked, OwnPage, Rooms

SHOWN_ASSETS: Final = 12
_CHECKING: Final = (
    "What was found is shown here once it is there: mostly within seconds, two minutes at the "
    "most. Nothing is stored before you say so."
)


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """What was found of one account, as it is shown; its value is None where nothing has a price.

    `assets` are the first of them with their amounts.
    """

    found: CheckedAccount
    market: Market | None
    rights: list[Judged]
    assets: list[tuple[str, Decimal]]
    more: int
    value: Decimal | None
    unpriced: tuple[str, ...]


class CheckedPages:
    """Shows what was found of what is to be connected, and connects it at a word."""

    def __init__(
        self,
        rooms: Rooms,
        renderer: Renderer,
        connect: ConnectPages,
        settings: AccountSettings,
    ) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._connect = connect
        self._settings = settings
        self._errands = Errands(rooms.store, rooms.vault, rooms.clock)
        self._pending = Pending(rooms.store, rooms.vault, rooms.clock)
        here = "/connect/checked/{id:id}"
        self.own = (
            OwnPage(here, self.checked, self.connect),
            OwnPage(f"{here}/progress", self.progress),
            OwnPage(f"{here}/drop", sent=self.drop),
        )

    async def checked(self, asked: Asked) -> Response:
        """Return what was found, what went wrong, or how far the check has come.

        Raises:
            Gone: when nothing of this number waits any more.
        """
        try:
            waiting = await self._pending.get(asked.who.user.id, asked.id)
        except NotFound:
            raise
        except CoffersError as error:
            return await self._failed(asked, error)
        if waiting.told is not None:
            return await self._page(asked, waiting, waiting.told, Faults(status=200))
        here, account_id = f"/connect/checked/{asked.id}", waiting.account_id
        path = [("/connect", "Connect")]
        if account_id is not None:
            own = f"/accounts/{account_id}"
            path = [(own, "Account"), (f"{own}/settings", "Settings")]
        awaited = Awaited("It is being checked", _CHECKING, here, path, f"{here}/drop")
        return progress_page(self._renderer, asked, awaited, waiting.progress)

    async def progress(self, asked: Asked) -> Response:
        """Tell a script how far the check has come; once it is over, the page tells the rest.

        Raises:
            Gone: when nothing of this number waits any more.
        """
        try:
            waiting = await self._pending.get(asked.who.user.id, asked.id)
        except NotFound:
            raise
        except CoffersError:
            return progress_answer(None)
        return progress_answer(waiting.progress)

    async def connect(self, asked: Asked) -> Response:
        """Store what was checked.

        Raises:
            Gone: when nothing of this number waits any more.
        """
        user_id = asked.who.user.id
        try:
            waiting = await self._pending.get(user_id, asked.id)
        except NotFound:
            raise
        except CoffersError:
            return see_other(f"/connect/checked/{asked.id}")
        found = waiting.told
        if found is None:
            return see_other(f"/connect/checked/{asked.id}")
        if not found.is_usable:
            told = ["It cannot be connected."]
            return await self._page(asked, waiting, found, Faults(told=told))
        try:
            kind, wanted = _to_connect(await self._pending.opened(user_id, asked.id))
            answer = await self._errands.ask(user_id, kind, wanted)
        except CoffersError as error:
            made = await self._made_by(error, user_id, waiting, found)
            if not made:
                return await self._page(asked, waiting, found, faults_of(error, ()))
        else:
            await self._pending.drop(user_id, asked.id)
            if waiting.account_id is not None:
                return see_other(f"/accounts/{waiting.account_id}", "reconnected")
            ids = set(msgspec.json.decode(answer, type=Connected).account_ids)
            async with self._rooms.store.reading() as tx:
                made = [each for each in await tx.accounts.of_user(user_id) if each.id in ids]
        is_read = all(each.sync.read_at is not None for each in made)
        done = "connected" if is_read else "unread"
        return see_other(f"/accounts/{made[0].id}" if len(made) == 1 else "/", done)

    async def _made_by(
        self, error: CoffersError, user_id: int, waiting: Waiting, found: CheckTold
    ) -> list[Account]:
        """Return what was connected since the check began, where that is all that it found.

        So it is for a second press of the button, which comes before the first one is answered.
        """
        if not isinstance(error, AlreadyConnected) or waiting.account_id is not None:
            return []
        began, wanted = waiting.until - LASTS, {_named(each) for each in found.accounts}
        async with self._rooms.store.reading() as tx:
            accounts = await tx.accounts.of_user(user_id)
        made = [each for each in accounts if each.created_at >= began and _named(each) in wanted]
        is_all = error.account_id in {each.id for each in made} and len(made) == len(wanted)
        return made if is_all else []

    async def drop(self, asked: Asked) -> Response:
        """Forget what was checked.

        Raises:
            Gone: when nothing of this number waits any more.
        """
        await self._pending.opened(asked.who.user.id, asked.id)
        await self._pending.drop(asked.who.user.id, asked.id)
        return see_other("/connect", "dropped")

    async def _failed(self, asked: Asked, error: CoffersError) -> Response:
        """Return the form again, with what went wrong."""
        was = await self._pending.opened(asked.who.user.id, asked.id)
        if was.reconnect is not None:
            return await self._settings.refused_key(asked, was.reconnect, error)
        code, form = _typed(was)
        market = self._rooms.catalogue.get(code)
        if market is None:
            raise error
        faults = faults_of(error, [each.name for each in fields_of(market)])
        return self._connect.form_page(asked, market, form, replace(faults, status=200))

    async def _page(
        self, asked: Asked, waiting: Waiting, told: CheckTold, faults: Faults
    ) -> Response:
        rooms, user = self._rooms, asked.who.user
        book = await rooms.shelf.newest()
        display = await rooms.listing.display(user.display_currency, book)
        now, prices = rooms.clock.now(), {} if book is None else book.prices
        shown, formats = [], formats_of(user)
        for found in told.accounts:
            held = {asset: parse(amount) for asset, amount in found.amounts.items()}
            worth = value_of(held, prices)
            value = None
            if worth.value is not None and book is not None:
                value = shown_in(display, worth.value, book.at)
            shown.append(
                FoundAccount(
                    found,
                    rooms.catalogue.get(found.market_code),
                    judged(found, now, formats, is_trading_on=rooms.settings.trading),
                    list(held.items())[:SHOWN_ASSETS],
                    max(0, len(held) - SHOWN_ASSETS),
                    value,
                    worth.unpriced,
                )
            )
        return self._renderer.page(
            asked.request,
            "checked.html",
            faults.status,
            who=asked.who,
            now=now,
            waiting=waiting,
            is_usable=told.is_usable,
            shown=shown,
            told=faults,
            currency=display.code,
            prices_at=None if book is None else book.at,
        )


def _named(account: CheckedAccount | Account) -> tuple[str, str]:
    return account.market_code, account.name.strip()


def _to_connect(checked: CheckAsked) -> tuple[str, object]:
    if checked.reconnect is not None:
        return RECONNECT, checked.reconnect
    if checked.wallet is not None:
        return CONNECT_WALLET, checked.wallet
    return CONNECT, checked.connect


def _typed(checked: CheckAsked) -> tuple[str, dict[str, str]]:
    """Return the market and what its form had; what is secret is not among it."""
    wallet, connect = checked.wallet, checked.connect or ConnectAsked(())
    asked: WalletAsked | ConnectAsked = wallet or connect
    form = {"include_in_summary": "1"} if asked.include_in_summary else {}
    if wallet is not None:
        return wallet.market_code, {**form, "name": wallet.name, "address": wallet.address}
    (code, name), *others = connect.accounts
    form |= {"name": name, **{f"also_{each}": "1" for each, _ in others}}
    shown = ("api_key", "customer_id", "subaccount_name", "address", "login")
    return code, form | {each: getattr(connect, each) or "" for each in shown}
