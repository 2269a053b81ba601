"""Connections and transactions: SQLite and PostgreSQL behind one small class."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from coffers.store.accounts import Accounts
from coffers.store.assets import Assets
from coffers.store.audit import Audit
from coffers.store.balancing import AutoBalances
from coffers.store.ceremonies import Ceremonies
from coffers.store.choices import UserChoices
from coffers.store.connection import AsyncConnection, Database
from coffers.store.credentials import SealedSecrets
from coffers.store.deliveries import Deliveries
from coffers.store.errands import Errands
from coffers.store.errors import fault_of
from coffers.store.events import Events
from coffers.store.factors import Factors
from coffers.store.history import Histories
from coffers.store.holdings import HeldPositions
from coffers.store.imports import Imports
from coffers.store.leases import Leases
from coffers.store.memories import Memories
from coffers.store.notices import Notices, Topic
from coffers.store.operations import Operations
from coffers.store.paper import PaperBooks
from coffers.store.passkeys import Passkeys
from coffers.store.portfolios import Portfolios
from coffers.store.prices import Prices
from coffers.store.put_off import PutOff
from coffers.store.rollups import RollUps
from coffers.store.sign_ins import SignIns
from coffers.store.sqlite import SqliteDatabase
from coffers.store.sync_logs import SyncLogs
from coffers.store.trades import Trades
from coffers.store.transfers import Transfers
from coffers.store.unlisted import UnlistedCounts
from coffers.store.unpriced import UnpricedAssets
from coffers.store.users import Tokens, Users
from coffers.store.venue_markets import VenueMarkets
from coffers.store.venue_tasks import VenueTasks
from coffers.store.walks import Walks
from coffers.store.webhooks import Webhooks
from coffers.tasks import in_task

if TYPE_CHECKING:
    from coffers.store.listener import Listener

Q = TypeVar("Q")

_SQLITE = "SQLite INTEGER"
"""What its driver names in the error for an integer that is too large."""


class _Queries(Generic[Q]):
    """The queries of a subject, made when first asked for: most transactions need few of them."""

    def __init__(self, make: Callable[[AsyncConnection], Q]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, transaction: "Transaction", _owner: type) -> Q:
        made = self._make(transaction.connection)
        # Kept on the transaction, which from now on finds it there without asking here.
        vars(transaction)[self._name] = made
        return made


class Transaction:
    """One transaction, with the queries by subject."""

    users = _Queries(Users)
    tokens = _Queries(Tokens)
    accounts = _Queries(Accounts)
    secrets = _Queries(SealedSecrets)
    holdings = _Queries(HeldPositions)
    memories = _Queries(Memories)
    sync_logs = _Queries(SyncLogs)
    errands = _Queries(Errands)
    paper = _Queries(PaperBooks)
    unlisted = _Queries(UnlistedCounts)
    unpriced = _Queries(UnpricedAssets)
    operations = _Queries(Operations)
    portfolios = _Queries(Portfolios)
    balancing = _Queries(AutoBalances)
    history = _Queries(Histories)
    rollups = _Queries(RollUps)
    imports = _Queries(Imports)
    walks = _Queries(Walks)
    trades = _Queries(Trades)
    transfers = _Queries(Transfers)
    prices = _Queries(Prices)
    assets = _Queries(Assets)
    choices = _Queries(UserChoices)
    venue_markets = _Queries(VenueMarkets)
    venue_tasks = _Queries(VenueTasks)
    leases = _Queries(Leases)
    put_off = _Queries(PutOff)
    audit = _Queries(Audit)
    sign_ins = _Queries(SignIns)
    factors = _Queries(Factors)
    passkeys = _Queries(Passkeys)
    ceremonies = _Queries(Ceremonies)
    events = _Queries(Events)
    webhooks = _Queries(Webhooks)
    deliveries = _Queries(Deliveries)

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection


class Store:
    """The database. `url` names the driver: sqlite:/// or postgresql+asyncpg://.

    `is_pooled` says that it leads to a pooler that hands out transactions, not sessions.
    """

    def __init__(self, url: str, *, is_pooled: bool = False) -> None:
        self.url = url
        self.database = _database(url, is_pooled=is_pooled)
        self.notices = Notices()
        self._listener: Listener | None = None

    async def listen(self, url: str, topics: Collection[Topic]) -> None:
        """Begin to hear notices of other processes, where the database can send any.

        `url` must lead to a session of its own, not through a pooler.
        """
        if self.database.dialect == "postgresql":
            from coffers.store.listener import Listener  # noqa: PLC0415 - with the driver

            self._listener = Listener(url, topics, self.notices)
            await self._listener.open()

    @asynccontextmanager
    async def transaction(
        self, *, may_be_lost: bool = False, is_shared: bool = False
    ) -> AsyncIterator[Transaction]:
        """Run a block as one writing transaction: all of it is stored, or nothing.

        With `may_be_lost` a power cut may undo it afterwards: for what means nothing after one,
        such as who is at work on what. With `is_shared` it may be committed together with others
        that come within a moment: for what comes often while nobody waits for it.

        Raises:
            StoreUnavailable: when the database cannot be reached or written.
        """
        opened = self.connection(may_be_lost=may_be_lost, is_shared=is_shared)
        async with opened as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Run a block that reads one state of the database.

        Raises:
            StoreUnavailable: when the database cannot be reached.
        """
        async with self.connection(is_reading=True) as connection:
            yield Transaction(connection)

    @asynccontextmanager
    async def connection(
        self, *, is_reading: bool = False, may_be_lost: bool = False, is_shared: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Run a block in a transaction of its own, with the bare connection; for migrations.

        Raises:
            StoreUnavailable: when the database cannot be reached or written.
        """
        await in_task()
        opened = self.database.connection(
            is_reading=is_reading, may_be_lost=may_be_lost, is_shared=is_shared
        )
        async with _plain_errors(), opened as connection:
            yield connection

    async def close(self) -> None:
        """Give back every connection."""
        if self._listener is not None:
            await self._listener.close()
        await self.database.close()


def _database(url: str, *, is_pooled: bool) -> Database:
    if make_url(url).get_backend_name() == "sqlite":
        return SqliteDatabase(url)
    from coffers.store.postgres import PostgresDatabase  # noqa: PLC0415 - 10 MB, if it is used

    return PostgresDatabase(url, is_pooled=is_pooled)


@asynccontextmanager
async def _plain_errors() -> AsyncIterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error, NoFreeConnection, OSError) as error:
        raise fault_of(error) from error
    except OverflowError as error:
        # Arithmetic within the block can raise it as well, and is no fault of the database.
        if _SQLITE not in str(error):
            raise
        raise fault_of(error) from error
