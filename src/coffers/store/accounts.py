"""Accounts: the connections of users, and what is known of each."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)

from coffers.clock import Millis
from coffers.keyrights import KeyRights
from coffers.store.account_rows import (
    account_of,
    auto_balance_columns,
    new_columns,
    rights_columns,
    sync_columns,
)
from coffers.store.claims import OWN, Claims, is_account
from coffers.store.distinct import distinct
from coffers.store.errors import AlreadyConnected
from coffers.store.notices import Topic, announce
from coffers.store.prepared import Prepared
from coffers.store.records import (
    Account,
    AccountStatus,
    AutoBalance,
    Mode,
    NewAccount,
    SyncState,
)
from coffers.store.statements import bump_user, changed, held, insert, next_id
from coffers.store.tables import accounts

_UNCLAIMED: Mapping[str, object] = {"claimed_by": None, "claimed_until": None}
_BROUGHT = frozenset({"read_at", "missing_wallets", "flows_known", "flows_until"})
"""The columns of its state that only accepted readings write."""

_ACCOUNTS = select(accounts)
_ACCOUNT = Prepared(_ACCOUNTS.where(OWN))
_HELD = Prepared(held(_ACCOUNTS.where(OWN)))
_VERSION = Prepared(select(accounts.c.id, accounts.c.version).where(OWN))
_OF_MODE = and_(accounts.c.user_id == bindparam("user"), accounts.c.mode == bindparam("mode"))
_VERSIONS = Prepared(
    select(accounts.c.id, accounts.c.version)
    .where(_OF_MODE)
    .order_by(accounts.c.id)
    .offset(bindparam("offset", type_=BigInteger))
    .limit(bindparam("limit", type_=BigInteger))
)
_COUNT = Prepared(select(func.count().label("total")).where(_OF_MODE))


class Accounts(Claims):
    """The accounts of users. What a list shows carries a version, the account's and its user's."""

    async def add(
        self, new: NewAccount, *, identity: str | None, credential_id: str, now: Millis
    ) -> Account:
        """Add an account that is due now.

        `identity` is what makes it the same connection as another one, None where nothing does.

        Raises:
            AlreadyConnected: when the user has it already; the error names that account.
        """
        account_id = await next_id(self._connection, "accounts")
        columns = new_columns(account_id, new, identity, credential_id, now)
        statement = insert(self._connection, accounts).values(**columns).on_conflict_do_nothing()
        if not await changed(self._connection, statement):
            same: int = (await self._connection.scalars(_same(new, identity))).one()
            raise AlreadyConnected(same)
        await bump_user(self._connection, new.user_id)
        await announce(self._connection, Topic.DUE, new.user_id, account_id)
        return await self._one(new.user_id, account_id)

    async def get(self, user_id: int, account_id: int) -> Account | None:
        """Return the account of this user, or None."""
        return await self._found(_ACCOUNT, user_id, account_id)

    async def held(self, user_id: int, account_id: int) -> Account | None:
        """Return an account that nobody else changes before the transaction ends, or None."""
        return await self._found(_HELD, user_id, account_id)

    async def versions(self, user_id: int, ids: Sequence[int]) -> dict[int, int]:
        """Return the versions of those of the accounts that this user has."""
        if len(ids) == 1:
            values = {"user": user_id, "account": ids[0]}
            rows = await self._connection.rows(_VERSION, values)
            return {row.id: row.version for row in rows}
        known = select(accounts.c.id, accounts.c.version)
        own = known.where(accounts.c.user_id == user_id, accounts.c.id.in_(ids))
        return {row.id: row.version for row in await self._connection.execute(own)}

    async def page(
        self,
        user_id: int,
        mode: Mode,
        *,
        offset: int,
        limit: int,
        api_key: str | None = None,
        known: Iterable[Account] = (),
    ) -> list[Account]:
        """Return a page of a user's accounts in order of id.

        `api_key` keeps those whose exchange key, or whose id in decimal, it is. Those of the
        `known` ones that have not changed are returned as they are: reading an account takes many
        times as long as looking at its version.
        """
        found = {account.id: account for account in known}
        if not found or api_key is not None:
            listed = _ACCOUNTS.where(_listed(user_id, mode, api_key))
            return await self._accounts(listed.offset(offset).limit(limit))
        wanted = {"user": user_id, "mode": mode, "offset": offset, "limit": limit}
        versions = await self._connection.rows(_VERSIONS, wanted)
        lacking = [
            account_id
            for account_id, version in versions
            if account_id not in found or found[account_id].version != version
        ]
        found.update((account.id, account) for account in await self._of_ids(user_id, lacking))
        return [found[account_id] for account_id, _ in versions]

    async def _found(self, statement: Prepared, user_id: int, account_id: int) -> Account | None:
        own = {"user": user_id, "account": account_id}
        rows = await self._connection.rows(statement, own)
        return account_of(rows[0]) if rows else None

    async def _of_ids(self, user_id: int, ids: Sequence[int]) -> list[Account]:
        if len(ids) > 1:
            own = _ACCOUNTS.where(accounts.c.user_id == user_id, accounts.c.id.in_(ids))
            return await self._accounts(own)
        found = [await self.get(user_id, account_id) for account_id in ids]
        return [account for account in found if account is not None]

    async def after(self, user_id: int, mode: Mode, after: int, limit: int) -> list[Account]:
        """Return a user's accounts of one mode whose ids are beyond one, in order of id."""
        statement = _ACCOUNTS.where(_listed(user_id, mode, None), accounts.c.id > after)
        return await self._accounts(statement.limit(limit))

    async def count(self, user_id: int, mode: Mode, api_key: str | None = None) -> int:
        """Return how many accounts all pages together hold."""
        if api_key is None:
            rows = await self._connection.rows(_COUNT, {"user": user_id, "mode": mode})
            total: int = rows[0].total
            return total
        listed = _listed(user_id, mode, api_key)
        return await self._connection.scalar(select(func.count()).where(listed)) or 0

    async def of_user(self, user_id: int) -> list[Account]:
        """Return every account of a user, of all modes, in order of id."""
        return await self._accounts(_ACCOUNTS.where(accounts.c.user_id == user_id))

    async def venues_in_use(self) -> list[str]:
        """Return the market codes that accounts are connected to, in alphabetical order."""
        return sorted(await self._connection.scalars(distinct(accounts.c.market_code)))

    async def record_status(
        self,
        user_id: int,
        account_id: int,
        status: AccountStatus,
        now: Millis,
        *,
        frees: bool = False,
        is_past_new: bool = False,
    ) -> None:
        """Write what became of an account; its version grows only if a list shows a change.

        `frees` also releases its claim, for a caller that has made sure to hold it. `is_past_new`
        says that a list shows a change in any case, since the past that profits come from changed.
        """
        key = {
            "key_state": status.key_state,
            "is_locked": status.is_locked,
            "lock_reason": status.lock_reason,
        }
        state = sync_columns(status.sync)
        lacks = {"lacks_prices": status.sync.lacks_prices}
        others = {**state, **lacks, **(_UNCLAIMED if frees else {})}
        shown = {name: state[name] for name in ("read_at", "missing_wallets", "flows_known")}
        await self._write(
            user_id,
            account_id,
            now,
            shown={**key, **shown},
            others=others,
            is_past_new=is_past_new,
        )

    async def record_rights(
        self,
        user_id: int,
        account_id: int,
        rights: KeyRights,
        hedge_mode: bool | None,
        now: Millis,
    ) -> None:
        """Write what the key may do, and the position mode where it is known."""
        shown = rights_columns(rights)
        if hedge_mode is not None:
            shown["hedge_mode"] = hedge_mode
        await self._write(user_id, account_id, now, shown=shown)

    async def record_venue_identity(self, user_id: int, account_id: int, identity: str) -> None:
        """Write what names the account at its venue; no list shows it, so no version grows."""
        statement = update(accounts).where(is_account(user_id, account_id))
        await self._connection.execute(statement.values(venue_identity=identity))

    async def set_auto_balance(
        self, user_id: int, account_id: int, settings: AutoBalance, now: Millis
    ) -> bool:
        """Write the rebalancing settings; False where the user has no such account."""
        shown = auto_balance_columns(settings)
        return await self._write(user_id, account_id, now, shown=shown)

    async def rename(self, user_id: int, account_id: int, name: str, now: Millis) -> bool:
        """Give an account another name; False where the user has no such account."""
        return await self._write(user_id, account_id, now, shown={"name": name})

    async def rekey(
        self, account: Account, *, identity: str, credential_id: str, now: Millis
    ) -> None:
        """Write another key and its rights; what went wrong with the one before is forgotten.

        What readings brought stays: one may have ended since the caller looked at the account.

        Raises:
            AlreadyConnected: when another account of the user has that key already.
        """
        same = await self._connection.scalar(
            _same(account, identity).where(accounts.c.id != account.id)
        )
        if same is not None:
            raise AlreadyConnected(same)
        fresh = sync_columns(SyncState(next_sync_at=now))
        shown = {
            "api_key": account.api_key,
            "customer_id": account.customer_id,
            "subaccount_name": account.subaccount_name,
            "address": account.address,
            "key_state": "ok",
            "is_locked": False,
            "lock_reason": None,
            **rights_columns(account.rights),
        }
        others: dict[str, object] = {"identity": identity, "credential_id": credential_id}
        others |= {name: value for name, value in fresh.items() if name not in _BROUGHT}
        await self._write(account.user_id, account.id, now, shown=shown, others=others)
        await announce(self._connection, Topic.DUE, account.user_id, account.id)

    async def include(
        self, user_id: int, account_id: int, now: Millis, *, in_summary: bool
    ) -> None:
        """Count an account in its user's summary from now on, or leave it out."""
        await self._write(user_id, account_id, now, shown={"include_in_summary": in_summary})

    async def remove(self, user_id: int, account_id: int) -> bool:
        """Remove an account with all that is known of it; False where there is none."""
        if await self.held(user_id, account_id) is None:
            return False
        # Before the row goes: who looks for transfers holds the user and refers to accounts.
        await bump_user(self._connection, user_id)
        await self._connection.execute(delete(accounts).where(is_account(user_id, account_id)))
        return True

    async def _write(
        self,
        user_id: int,
        account_id: int,
        now: Millis,
        *,
        shown: Mapping[str, object],
        others: Mapping[str, object] | None = None,
        is_past_new: bool = False,
    ) -> bool:
        own = {"user": user_id, "account": account_id}
        rows = await self._connection.rows(_shown(tuple(shown)), own)
        if not rows:
            return False
        values: dict[str, object] = {**(others or {}), **shown}
        is_change = is_past_new or tuple(rows[0]) != tuple(shown.values())
        if is_change:
            values["updated_at"] = now
            await bump_user(self._connection, user_id)
        written = {_new(name): value for name, value in values.items()}
        statement = _written(tuple(values), is_change=is_change)
        await self._connection.changed(statement, {**own, **written})
        return True

    async def _one(self, user_id: int, account_id: int) -> Account:
        statement = _ACCOUNTS.where(is_account(user_id, account_id))
        return account_of((await self._connection.execute(statement)).one())

    async def _accounts(self, statement: Select[Any]) -> list[Account]:
        rows = await self._connection.execute(statement.order_by(accounts.c.id))
        return [account_of(row) for row in rows]


def _same(account: NewAccount | Account, identity: str | None) -> Select[tuple[int]]:
    """Return the query for the id of the same connection: there is one at the most."""
    return select(accounts.c.id).where(
        accounts.c.user_id == account.user_id,
        accounts.c.market_code == account.market_code,
        accounts.c.mode == account.mode,
        accounts.c.identity == identity,
    )


def _listed(user_id: int, mode: Mode, api_key: str | None) -> ColumnElement[bool]:
    listed = and_(accounts.c.user_id == user_id, accounts.c.mode == mode)
    if api_key is None:
        return listed
    return and_(listed, or_(accounts.c.api_key == api_key, cast(accounts.c.id, Text) == api_key))


@cache
def _shown(names: tuple[str, ...]) -> Prepared:
    return Prepared(held(select(*(accounts.c[name] for name in names)).where(OWN)))


@cache
def _written(names: tuple[str, ...], *, is_change: bool) -> Prepared:
    values: dict[str, object] = {name: bindparam(_new(name)) for name in names}
    if is_change:
        values["version"] = accounts.c.version + 1
    return Prepared(update(accounts).where(OWN).values(values))


def _new(name: str) -> str:
    """Return the name of the parameter that a column is set to; its own is the library's."""
    return f"new_{name}"
