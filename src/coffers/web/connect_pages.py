"""Connecting: a market is chosen, its form filled in, checked at the exchange, and then stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec
from starlette.responses import JSONResponse, Response

from coffers.errors import CoffersError, NotFound
from coffers.markets.catalogue import Market
from coffers.markets.fields import SECRET_FIELDS
from coffers.money import parse
from coffers.portfolio.asking import Given, errand_of, family_of
from coffers.portfolio.balances import shown_in
from coffers.portfolio.errand_forms import (
    CONNECT,
    CONNECT_WALLET,
    RECONNECT,
    CheckAsked,
    CheckedAccount,
    ConnectAsked,
    Connected,
    WalletAsked,
)
from coffers.portfolio.errands import Errands
from coffers.portfolio.looks import Looks
from coffers.portfolio.markets import can_connect
from coffers.portfolio.pending import Pending, Waiting
from coffers.valuation.value import value_of
from coffers.web.answers import SECURITY, Renderer, see_other
from coffers.web.credential_fields import fields_of
from coffers.web.faults import Faults, faults_of
from coffers.web.formats import formats_of
from coffers.web.judged import Judged, judged
from coffers.web.market_list import choices_of
from coffers.web.rooms import Asked, OwnPage, Rooms

SHOWN_ASSETS: Final = 12


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


class ConnectPages:
    """Connects accounts."""

    def __init__(self, rooms: Rooms, renderer: Renderer) -> None:
        self._rooms = rooms
        self._renderer = renderer
        self._errands = Errands(rooms.store, rooms.vault, rooms.clock)
        self._pending = Pending(rooms.store, rooms.vault, rooms.clock)
        self._looks = Looks(rooms.settings, rooms.clock)
        self.own = (
            OwnPage("/connect", self.choose),
            OwnPage("/connect/{code}", self.form, self.check),
            OwnPage("/connect/{code}/looks", sent=self.looks),
            OwnPage("/connect/checked/{id:id}", self.checked, self.connect),
            OwnPage("/connect/checked/{id:id}/drop", sent=self.drop),
        )

    async def choose(self, asked: Asked) -> Response:
        """Return every market that can be connected, or those that a search finds."""
        text = asked.request.query_params.get("q", "").strip()[:100]
        return self._renderer.page(
            asked.request,
            "connect.html",
            who=asked.who,
            text=text,
            choices=choices_of(self._rooms.catalogue, text),
        )

    async def form(self, asked: Asked) -> Response:
        """Return the form of a market.

        Raises:
            NotFound: when there is no such market, or it cannot be connected.
        """
        market = self._market(asked)
        return self._form(asked, market, {"name": market.name, "include_in_summary": "1"})

    async def looks(self, asked: Asked) -> Response:
        """Tell a script what an address looks like so far.

        It comes in a form, since addresses of pages are logged by proxies: who pastes a seed phrase
        by mistake has it in no log.

        Raises:
            NotFound: when there is no such wallet.
        """
        market = self._market(asked)
        if market.chain is None:
            raise NotFound(market.code)
        look = await self._looks.at(market, asked.form.get("address", ""))
        told = {"is_good": look.is_good, "told": look.told}
        return JSONResponse(told, headers={**SECURITY, "Cache-Control": "no-store"})

    async def check(self, asked: Asked) -> Response:
        """Have a worker look at what was given, and lead to what it found. Nothing is stored."""
        market, form, user = self._market(asked), asked.form, asked.who.user
        try:
            _, wanted = errand_of(self._rooms.catalogue, user.id, _given(market, form))
            number = await self._pending.looked_at(user.id, _to_check(wanted))
        except CoffersError as error:
            faults = faults_of(error, [each.name for each in fields_of(market)])
            return self._form(asked, market, form, faults)
        return see_other(f"/connect/checked/{number}")

    async def checked(self, asked: Asked) -> Response:
        """Return what was found.

        Raises:
            NotFound: when nothing of this number waits any more.
        """
        waiting = await self._pending.get(asked.who.user.id, asked.id)
        return await self._checked(asked, waiting, Faults(status=200))

    async def connect(self, asked: Asked) -> Response:
        """Store what was checked.

        Raises:
            NotFound: when nothing of this number waits any more.
        """
        user_id = asked.who.user.id
        waiting = await self._pending.get(user_id, asked.id)
        if not waiting.told.is_usable:
            return await self._checked(asked, waiting, Faults(told=["It cannot be connected."]))
        try:
            kind, wanted = _to_connect(await self._pending.opened(user_id, asked.id))
            told = await self._errands.ask(user_id, kind, wanted)
        except CoffersError as error:
            return await self._checked(asked, waiting, faults_of(error, ()))
        await self._pending.drop(user_id, asked.id)
        ids = msgspec.json.decode(told, type=Connected).account_ids
        if waiting.account_id is not None:
            return see_other(f"/accounts/{waiting.account_id}", "reconnected")
        async with self._rooms.store.reading() as tx:
            made = [await tx.accounts.get(user_id, account_id) for account_id in ids]
        is_read = all(each is not None and each.sync.read_at is not None for each in made)
        done = "connected" if is_read else "unread"
        return see_other(f"/accounts/{ids[0]}" if len(ids) == 1 else "/", done)

    async def drop(self, asked: Asked) -> Response:
        """Forget what was checked.

        Raises:
            NotFound: when nothing of this number waits for this user.
        """
        await self._pending.get(asked.who.user.id, asked.id)
        await self._pending.drop(asked.who.user.id, asked.id)
        return see_other("/connect", "dropped")

    def _market(self, asked: Asked) -> Market:
        code: str = asked.request.path_params["code"]
        market = self._rooms.catalogue.get(code)
        if market is None or not can_connect(market):
            raise NotFound(code)
        return market

    def _form(
        self, asked: Asked, market: Market, form: Mapping[str, str], faults: Faults | None = None
    ) -> Response:
        settings, faults = self._rooms.settings, faults or Faults(status=200)
        family = [] if market.chain else family_of(self._rooms.catalogue, market)
        return self._renderer.page(
            asked.request,
            "connect_market.html",
            faults.status,
            who=asked.who,
            market=market,
            fields=fields_of(market),
            others=[each for each in family if each.code != market.code],
            # What was secret is not sent back.
            form={name: text for name, text in form.items() if name not in SECRET_FIELDS},
            faults=faults.fields,
            told=faults,
            is_trading_on=settings.trading,
            refuses_withdraw=settings.key_policy == "refuse_withdraw",
        )

    async def _checked(self, asked: Asked, waiting: Waiting, faults: Faults) -> Response:
        rooms, user = self._rooms, asked.who.user
        book = await rooms.shelf.newest()
        display = await rooms.listing.display(user.display_currency, book)
        now, prices = rooms.clock.now(), {} if book is None else book.prices
        shown, formats = [], formats_of(user)
        for found in waiting.told.accounts:
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
            shown=shown,
            told=faults,
            currency=display.code,
            prices_at=None if book is None else book.at,
        )


def _given(market: Market, form: Mapping[str, str]) -> Given:
    also = [name.removeprefix("also_") for name in form if name.startswith("also_")]
    credentials = {each.name: form.get(each.name) or None for each in fields_of(market)}
    in_summary = "include_in_summary" in form
    return Given(market.code, form.get("name", ""), credentials, also, in_summary)


def _to_check(wanted: ConnectAsked | WalletAsked) -> CheckAsked:
    if isinstance(wanted, WalletAsked):
        return CheckAsked(wallet=wanted)
    return CheckAsked(connect=wanted)


def _to_connect(checked: CheckAsked) -> tuple[str, object]:
    if checked.reconnect is not None:
        return RECONNECT, checked.reconnect
    if checked.wallet is not None:
        return CONNECT_WALLET, checked.wallet
    return CONNECT, checked.connect
