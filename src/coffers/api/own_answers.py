"""Accounts as the own API tells them: with their quality, and with every figure explained."""

from collections.abc import Sequence
from typing import Final

import msgspec
from fastapi.responses import Response

from coffers.access.call import Caller
from coffers.api.account_answers import AccountAnswers
from coffers.api.services import Services
from coffers.api.validators import is_unchanged, weak_tag
from coffers.clock import Millis, iso
from coffers.portfolio.account_forms import (
    Plain,
    plain_account,
    plain_figures,
    plain_summary,
    with_ages,
)
from coffers.portfolio.cursors import cursor_at
from coffers.portfolio.explaining import explained
from coffers.portfolio.summary import Summaries
from coffers.portfolio.users import Users
from coffers.portfolio.worked import Worked
from coffers.store.records import Account
from coffers.valuation.model import PriceBook

_encode: Final = msgspec.json.Encoder().encode


class OwnAnswers:
    """Finds and tells accounts, and the summary of them."""

    def __init__(self, services: Services, accounts: AccountAnswers) -> None:
        self._services = services
        self._accounts = accounts
        users = Users(services.store, services.clock)
        self._summaries = Summaries(accounts.keeping, users, services.listing)
        self._stale_after = Millis(round(services.settings.stale_age * 1000))

    async def page(self, caller: Caller, after: int, limit: int, known: bytes | None) -> Response:
        """Return a page of the accounts of the caller's mode, by id."""
        async with self._services.store.reading() as tx:
            found = await tx.accounts.after(caller.user_id, caller.mode, after, limit + 1)
        shown = found[:limit]
        worked, book = await self._worked(caller, shown)
        told: Plain = {
            "accounts": [self._plain(each) for each in worked],
            "next_cursor": cursor_at((shown[-1].id,)) if len(found) > limit else None,
            **_of_book(book),
        }
        return self._tagged(told, book, known)

    async def one(self, caller: Caller, account_id: int, known: bytes | None) -> Response:
        """Return one account, of whichever mode.

        Raises:
            NotFound: when the caller has no account of this id.
        """
        account = await self._accounts.keeping.get(caller.user_id, account_id)
        (worked,), book = await self._worked(caller, [account])
        return self._tagged({**self._plain(worked), **_of_book(book)}, book, known)

    async def summary(self, caller: Caller, known: bytes | None) -> Response:
        """Return the accounts that the caller wants summed, as one."""
        book = await self._services.shelf.at(caller.epoch)
        summary, worked = await self._summaries.worked(
            caller.user_id, caller.mode, book, caller.display_currency
        )
        told = plain_summary(summary, worked, self._services.clock.now(), self._stale_after)
        return self._tagged({**told, **_of_book(book)}, book, known)

    async def explain(self, caller: Caller, account_id: int) -> Plain:
        """Return every figure of an account with its inputs.

        Raises:
            NotFound: when the caller has no account of this id.
        """
        account = await self._accounts.keeping.get(caller.user_id, account_id)
        worked, book = await self._worked(caller, [account])
        (told,) = await self._explained(caller, worked, book)
        return told

    async def explain_summary(self, caller: Caller, after: int, limit: int) -> Plain:
        """Return the summary's figures, the figures that they are sums of, and whence those come.

        The accounts come page by page, as they are when they are taken together.
        """
        book = await self._services.shelf.at(caller.epoch)
        summary, worked = await self._summaries.worked(
            caller.user_id, caller.mode, book, caller.display_currency
        )
        later = [each for each in worked if each.view.account.id > after]
        shown = later[:limit]
        return {
            "figures": plain_figures(summary.figures),
            "account_ids": [each.view.account.id for each in worked],
            "accounts": await self._explained(caller, shown, book),
            "next_cursor": cursor_at((shown[-1].view.account.id,)) if len(later) > limit else None,
        }

    async def _worked(
        self, caller: Caller, accounts: Sequence[Account]
    ) -> tuple[list[Worked], PriceBook | None]:
        book = await self._services.shelf.at(caller.epoch)
        worked = await self._services.listing.worked(
            caller.user_id, accounts, book, caller.display_currency
        )
        return worked, book

    async def _explained(
        self, caller: Caller, worked: Sequence[Worked], book: PriceBook | None
    ) -> list[Plain]:
        display = await self._services.listing.display(caller.display_currency, book)
        ids = [each.view.account.id for each in worked]
        async with self._services.store.reading() as tx:
            held = await tx.holdings.of_accounts(caller.user_id, ids)
        now = self._services.clock.now()
        return [
            explained(each, held.get(each.view.account.id, ()), display, now) for each in worked
        ]

    def _plain(self, worked: Worked) -> Plain:
        services = self._services
        return plain_account(worked, services.catalogue, services.clock.now(), self._stale_after)

    def _tagged(self, told: Plain, book: PriceBook | None, known: bytes | None) -> Response:
        """Return an answer with the tag of all in it but ages, or 304 where the caller has it."""
        tag = weak_tag(_encode(told))
        headers = {
            "ETag": tag.decode(),
            "Cache-Control": "private, no-cache",
            "Vary": "Apikey, Forced-Mode",
        }
        if is_unchanged(known, tag):
            return Response(status_code=304, headers=headers)
        body = _encode(with_ages(told, self._services.clock.now(), book))
        return Response(body, headers=headers, media_type="application/json")


def _of_book(book: PriceBook | None) -> Plain:
    return {
        "epoch": 0 if book is None else book.epoch,
        "prices_at": None if book is None else iso(book.at),
    }
