"""The deposits and withdrawals of an account: page by page, with what is known of their past."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from coffers.clock import Millis, iso
from coffers.markets.assets import spellings
from coffers.money import plain
from coffers.portfolio.accounts import AccountKeeping
from coffers.portfolio.cursors import cursor_at, place_of
from coffers.portfolio.visibility import visible
from coffers.store.engine import Store, Transaction
from coffers.store.flows import FlowFilter, FlowKey, KeptFlow, Role
from coffers.store.records import Account
from coffers.store.walks import Walk
from coffers.valuation.model import Flow
from coffers.valuation.transfers import Transfer

MOST_AT_ONCE = 500

_EVERYTHING = FlowFilter()


@dataclass(frozen=True, slots=True)
class Pair:
    """The other half of an own transfer."""

    account_id: int
    external_id: str


@dataclass(frozen=True, slots=True)
class FlowView:
    """A flow, with the one of another account that it is an own transfer with, if there is one.

    `role` is what it is to the figures.
    """

    flow: Flow
    role: Role
    paired_with: Pair | None


@dataclass(frozen=True, slots=True)
class FlowPage:
    """Some flows of an account from the newest on, and where the next page begins.

    `walk` tells how far back they are known, None before the first reading.
    """

    account: Account
    flows: tuple[FlowView, ...]
    next_cursor: str | None
    walk: Walk | None


class AccountFlows:
    """Shows the flows of accounts; another user's account is not found."""

    def __init__(self, store: Store, keeping: AccountKeeping) -> None:
        self._store = store
        self._keeping = keeping

    async def page(
        self,
        user_id: int,
        account_id: int,
        wanted: FlowFilter = _EVERYTHING,
        *,
        limit: int = 100,
        cursor: str | None = None,
    ) -> FlowPage:
        """Return a page of an account's flows; the asset's name may be in small letters.

        Raises:
            NotFound: when this user has no account of this id.
            InvalidRecord: for a cursor that no page told.
        """
        after = None if cursor is None else _place(cursor)
        account = await self._keeping.get(user_id, account_id)
        async with self._store.reading() as tx:
            if wanted.asset is not None:
                wanted = replace(wanted, asset=await _asset(tx, user_id, wanted.asset))
            found = await tx.history.flow_page(user_id, account_id, wanted, limit + 1, after)
            flows = found[:limit]
            return FlowPage(
                account,
                await _views(tx, account, flows),
                _cursor(flows[-1].flow) if len(found) > limit else None,
                await tx.walks.get(user_id, account_id),
            )


def as_plain(page: FlowPage) -> dict[str, object]:
    """Return the form that programs read; `docs/api.md` tells its fields."""
    return {
        "flows": [_plain_view(view) for view in page.flows],
        "next_cursor": page.next_cursor,
        "history": history_of(page),
    }


def history_of(page: FlowPage) -> dict[str, object]:
    """Return how far back an account's flows are known, in the form that programs read."""
    walk, is_known = page.walk, page.account.sync.flows_known
    if walk is None:
        unknown = dict.fromkeys(("known_since", "is_complete", "has_gaps", "progress"))
        return {"flows_known": is_known, **unknown, "steps": 0, "last_error": None}
    return {
        "flows_known": is_known,
        "known_since": None if walk.is_untold else iso(walk.known_since),
        "is_complete": walk.is_complete,
        "has_gaps": walk.has_gaps,
        "progress": progress_of(walk),
        "steps": walk.steps,
        "last_error": walk.failure_message,
    }


def progress_of(walk: Walk) -> float:
    """Return the share of the way back that is walked, from 0 to 1."""
    if walk.is_complete:
        return 1.0
    whole = 0 if walk.ends_at is None else walk.began_at - walk.ends_at
    share = (walk.began_at - walk.known_since) / whole if whole > 0 else 0.0
    # Short of its end it is never shown as at its end.
    return min(round(share, 3), 0.999)


async def _asset(tx: Transaction, user_id: int, text: str) -> str:
    """Return the asset that a text means; what the user moved is known without prices."""
    return (await visible(tx, user_id, None, spellings(text))).named(text) or text


async def _views(
    tx: Transaction, account: Account, found: Sequence[KeptFlow]
) -> tuple[FlowView, ...]:
    keys = [(account.id, each.flow.direction, each.flow.external_id) for each in found]
    transfers = await tx.transfers.of_flows(account.user_id, keys)
    pairs = _pairs(account.id, transfers)
    return tuple(
        FlowView(each.flow, each.role, pairs.get((each.flow.direction, each.flow.external_id)))
        for each in found
    )


def _pairs(account_id: int, transfers: Iterable[Transfer]) -> dict[tuple[str, str], Pair]:
    pairs: dict[tuple[str, str], Pair] = {}
    for transfer in transfers:
        if transfer.out_account_id == account_id:
            other = Pair(transfer.in_account_id, transfer.in_external_id)
            pairs["out", transfer.out_external_id] = other
        else:
            other = Pair(transfer.out_account_id, transfer.out_external_id)
            pairs["in", transfer.in_external_id] = other
    return pairs


def plain_flow(flow: Flow, role: Role) -> dict[str, object]:
    """Return what programs and tables read of a flow by itself."""
    value = flow.value
    return {
        "id": flow.external_id,
        "direction": flow.direction,
        "asset": flow.asset,
        "venue_code": flow.venue_code,
        "amount": plain(flow.amount),
        "fee": plain(flow.fee),
        "fee_asset": flow.fee_asset,
        "at": iso(flow.at),
        "txid": flow.txid,
        "btc_value": None if value is None else plain(value.btc),
        "usd_value": None if value is None else plain(value.usd),
        "role": role,
    }


def _plain_view(view: FlowView) -> dict[str, object]:
    pair = view.paired_with
    return {
        **plain_flow(view.flow, view.role),
        "is_own_transfer": pair is not None,
        "paired_with": None if pair is None else _plain_pair(pair),
    }


def _plain_pair(pair: Pair) -> dict[str, object]:
    return {"account_id": pair.account_id, "id": pair.external_id}


def _cursor(flow: Flow) -> str:
    return cursor_at((flow.at, flow.direction, flow.external_id))


def _place(cursor: str) -> FlowKey:
    at, direction, external_id = place_of(cursor, tuple[int, str, str])
    return Millis(at), direction, external_id
