"""Lists of accounts, kept as the bytes that go out for as long as nothing in them changes.

A list's bytes hold for its user's version and a price book, and those of each of its accounts for
the account's version and the book: where one account changed, the others go into the next list as
they are. A new book leaves the records as they are, so it costs arithmetic and no query.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from prometheus_client import Counter

from coffers import __version__, metrics
from coffers.access.call import Caller
from coffers.api.cache import ByteCache
from coffers.api.entity import Frame, Pieces, Presentation, frame_of, parts_of_entities, unlisted
from coffers.api.paging import Header, field_lines, page_headers
from coffers.api.params import PageWanted
from coffers.api.trust import doubts, trust_headers
from coffers.api.validators import weak_tag
from coffers.clock import CLOCKS_DIFFER, Clock, Millis
from coffers.markets.catalogue import Catalogue, Market
from coffers.portfolio.bookshelf import BookShelf
from coffers.portfolio.listing import AccountPage, Listing, PageRequest
from coffers.portfolio.view import Quality
from coffers.portfolio.worked import Table
from coffers.serving.encodings import WORTH_CODING, Coding, encoded
from coffers.settings import Settings
from coffers.store.records import Account, Mode
from coffers.valuation.model import PriceBook

LISTS_BUDGET: Final = 64 * 2**20
"""Bytes of ready lists: of 100 accounts and uncompressed, about 90."""

ALWAYS: Final = Millis(2**62)
"""In place of a moment: nothing becomes stale."""

_EVER: Final = Millis(0)

_ACCOUNT_BYTES: Final = 2_500
"""What an account's record takes in memory, and its pieces besides their bytes."""

_FIXED: Final[tuple[Header, ...]] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Accept-Encoding, Apikey, Forced-Mode"),
)

_ListKey = tuple[int, Mode, PageWanted, str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A body in one coding, with all of its headers; `lines` are these as they are sent."""

    headers: list[Header]
    body: bytes
    lines: bytes

    @classmethod
    def of(cls, headers: Sequence[Header], body: bytes) -> "Answer":
        """Return an answer with its length."""
        told = [*headers, (b"content-length", b"%d" % len(body))]
        return cls(told, body, field_lines(told))

    @classmethod
    def unchanged(cls, headers: list[Header]) -> "Answer":
        """Return the answer that there is nothing new."""
        return cls(headers, b"", field_lines(headers))


class _ReadyAccount(msgspec.Struct, frozen=True):
    version: int
    epoch: int
    good_from: Millis
    good_until: Millis
    frame: Frame
    parts: Pieces
    doubts: str
    ignored: int


@dataclass(frozen=True, slots=True)
class ReadyList:
    """A list as it goes out, and what it was made of: the user's version and the book's epoch.

    It holds until `good_until`, when the first of its readings becomes stale. It does not hold
    before `good_from`, where a clock that was set back can lead: its moments lie ahead then.
    Accounts that have not changed go into the next list as they are.
    """

    version: int
    epoch: int
    good_from: Millis
    good_until: Millis
    page: AccountPage
    accounts: Mapping[int, _ReadyAccount]
    tag: bytes
    unchanged: Answer
    answers: dict[Coding, Answer] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes that it takes in memory, about."""
        bodies = sum(len(answer.body) for answer in self.answers.values())
        pieces = len(self.answers["identity"].body)
        return bodies + pieces + _ACCOUNT_BYTES * len(self.accounts)


class ReadyLists:
    """Makes lists, and keeps them."""

    def __init__(
        self,
        settings: Settings,
        listing: Listing,
        shelf: BookShelf,
        catalogue: Catalogue,
        clock: Clock,
    ) -> None:
        self._listing = listing
        self._shelf = shelf
        self._catalogue = catalogue
        self._clock = clock
        self._mask = settings.mask_api_keys
        self._stale_after = Millis(round(settings.stale_age * 1000))
        self._lists: ByteCache[_ListKey, ReadyList] = ByteCache(LISTS_BUDGET)

    async def answer(
        self, caller: Caller, wanted: PageWanted, base_url: str, coding: Coding
    ) -> tuple[ReadyList, Answer]:
        """Return the list that a caller wants, and it in a coding.

        Raises:
            StoreUnavailable: when it has to be made and the database does not answer.
        """
        key = (caller.user_id, caller.mode, wanted, caller.display_currency, base_url)
        ready = self._lists.get(key)
        is_ready = (
            ready is not None
            and ready.version == caller.user_version
            and ready.epoch == caller.epoch
            and ready.good_from <= self._clock.now() < ready.good_until
        )
        metrics.waiting.count(_COUNTED[is_ready])
        if ready is None or not is_ready:
            ready = await self._make(caller, wanted, base_url, ready)
            self._lists.put(key, ready, ready.size)
        answer = ready.answers.get(coding)
        if answer is None:
            answer = _answer(ready, coding)
            ready.answers[coding] = answer
            self._lists.put(key, ready, ready.size)
        return ready, answer

    async def _make(
        self, caller: Caller, wanted: PageWanted, base_url: str, before: ReadyList | None
    ) -> ReadyList:
        book = await self._shelf.at(caller.epoch)
        if before is not None and before.version == caller.user_version:
            page = before.page
        else:
            known = () if before is None else before.page.accounts
            page = await self._listing.page(_request(caller, wanted), known)
        accounts = await self._ready_accounts(caller, page.accounts, book, base_url, before)
        ready = accounts.values()
        doubted = [account.doubts for account in ready if account.doubts]
        trust = trust_headers(book, doubted, sum(account.ignored for account in ready))
        headers = [*page_headers(wanted, page.total, base_url), *trust]
        body = _joined([account.parts for account in ready])
        # The figures follow from this, and would take ten times as long to hash. A process that
        # keeps a past from before a roll-up may answer a little otherwise; both are right.
        made_of = f"{__version__} {_epoch(book)} {caller.display_currency}".encode()
        told = b"".join([account.frame.digest for account in ready])
        tag = weak_tag(made_of, told, *(value for _, value in headers))
        headers = [*_FIXED, (b"etag", tag), *headers]
        since = max((account.good_from for account in ready), default=_EVER)
        until = min((account.good_until for account in ready), default=ALWAYS)
        unchanged = Answer.unchanged(headers)
        made = ReadyList(
            caller.user_version, _epoch(book), since, until, page, accounts, tag, unchanged
        )
        made.answers["identity"] = Answer.of(headers, body)
        return made

    async def _ready_accounts(
        self,
        caller: Caller,
        accounts: Sequence[Account],
        book: PriceBook | None,
        base_url: str,
        before: ReadyList | None,
    ) -> dict[int, _ReadyAccount]:
        """Return accounts by id, in their order; those that still hold are from the list before."""
        kept: Mapping[int, _ReadyAccount] = {} if before is None else before.accounts
        epoch, now = _epoch(book), self._clock.now()
        lacking = [
            account for account in accounts if not _holds(kept.get(account.id), account, epoch, now)
        ]
        made: dict[int, _ReadyAccount] = {}
        if lacking:
            table = await self._listing.table(
                caller.user_id, lacking, book, caller.display_currency
            )
            made = self._rendered(table, epoch, base_url, kept, now)
        return {account.id: made.get(account.id) or kept[account.id] for account in accounts}

    def _rendered(
        self,
        table: Table,
        epoch: int,
        base_url: str,
        kept: Mapping[int, _ReadyAccount],
        now: Millis,
    ) -> dict[int, _ReadyAccount]:
        accounts, sheet = table.accounts, table.sheet
        markets = [self._market(account) for account in accounts]
        shown = Presentation(base_url, self._mask)
        frames = [
            before.frame
            if (before := kept.get(account.id)) is not None and before.version == account.version
            else frame_of(account, market, shown)
            for account, market in zip(accounts, markets, strict=True)
        ]
        rows = zip(
            accounts,
            frames,
            parts_of_entities(frames, sheet, markets),
            table.qualities,
            sheet.lacks_rate,
            strict=True,
        )
        stale_after = self._stale_after
        return {
            account.id: _ReadyAccount(
                account.version,
                epoch,
                *self._good_within(quality, now),
                frame,
                parts,
                doubts(account.id, quality, now, stale_after, lacks_rate=lacks_rate),
                len(quality.ignored),
            )
            for account, frame, parts, quality, lacks_rate in rows
        }

    def _market(self, account: Account) -> Market:
        return self._catalogue.get(account.market_code) or unlisted(account.market_code)

    def _good_within(self, quality: Quality, now: Millis) -> tuple[Millis, Millis]:
        """Return the span of time in which nothing that depends on the clock changes."""
        settled = Millis(quality.as_of - CLOCKS_DIFFER)
        if quality.is_ahead:
            return _EVER, settled
        stale_at = Millis((quality.read_at or 0) + self._stale_after + 1)
        return settled, stale_at if stale_at > now else ALWAYS


_COUNTED: Final[Mapping[bool, Counter]] = {
    True: metrics.list_bodies.labels("ready"),
    False: metrics.list_bodies.labels("rendered"),
}


def _holds(kept: _ReadyAccount | None, account: Account, epoch: int, now: Millis) -> bool:
    return (
        kept is not None
        and kept.version == account.version
        and kept.epoch == epoch
        and kept.good_from <= now < kept.good_until
    )


def _joined(entities: Sequence[Pieces]) -> bytes:
    """Return a JSON array of objects that are in pieces."""
    pieces = [b"["]
    for parts in entities:
        pieces += parts
        pieces.append(b",")
    if entities:
        pieces.pop()
    pieces.append(b"]")
    return b"".join(pieces)


def _epoch(book: PriceBook | None) -> int:
    return 0 if book is None else book.epoch


def _request(caller: Caller, wanted: PageWanted) -> PageRequest:
    return PageRequest(caller.user_id, caller.mode, wanted.page, wanted.per_page, wanted.api_key)


def _answer(ready: ReadyList, coding: Coding) -> Answer:
    plain = ready.answers["identity"]
    if len(plain.body) < WORTH_CODING:
        return plain
    body = encoded(plain.body, coding)
    return Answer.of([*ready.unchanged.headers, (b"content-encoding", coding.encode())], body)
