"""A client for scripting the sandbox, for tests and the demo."""

from decimal import Decimal
from types import TracebackType
from typing import Self

import httpx
import msgspec

from coffers.sandbox import script
from coffers.sandbox.accounts import BadScript, Balance, Wallet
from coffers.sandbox.script_rest import PREFIX

KEPT_OPEN = 2.0
"""Seconds for which a silent connection is used again."""


class SandboxControl:
    """Scripts a running sandbox over HTTP; an async context manager.

    Every method raises `BadScript` with the sandbox's reason when what it asks makes no sense, and
    `httpx.TransportError` when there is no sandbox.

    Args:
        base_url: the address that `running` yields.
    """

    def __init__(self, base_url: str) -> None:
        # The server closes a silent connection after five seconds; one that is about to be closed
        # must not be used again.
        limits = httpx.Limits(keepalive_expiry=KEPT_OPEN)
        self._client = httpx.AsyncClient(base_url=base_url + PREFIX, trust_env=False, limits=limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def reset(self) -> None:
        """Let the world begin anew."""
        await self._ask("POST", "/reset")

    async def create_key(self, key: script.NewKey) -> None:
        """Create a key with its account; one of the same name is replaced."""
        await self._ask("POST", "/keys", key)

    async def revoke(self, venue: str, key: str, *, is_revoked: bool = True) -> None:
        """Refuse a key from now on, or let it in again."""
        state = script.KeyState(venue=venue, key=key, is_revoked=is_revoked)
        await self._ask("POST", "/keys/revoke", state)

    async def hold(
        self,
        venue: str,
        key: str,
        asset: str,
        free: Decimal,
        locked: Decimal = Decimal(0),
        *,
        wallet: Wallet = Wallet.SPOT,
    ) -> None:
        """Set what a wallet holds of an asset."""
        holding = script.Holding(
            venue=venue, key=key, asset=asset, free=free, locked=locked, wallet=wallet
        )
        await self._ask("POST", "/balances", holding)

    async def free(self, venue: str, key: str, asset: str, wallet: Wallet = Wallet.SPOT) -> Decimal:
        """Return what is free of an asset in a wallet of a key."""
        keys = msgspec.json.decode(await self._ask("GET", "/keys"), type=list[script.Kept])
        for each in keys:
            if (each.venue, each.key) == (venue, key):
                held = {"spot": each.spot, "funding": each.funding, "futures": each.futures}
                return held[wallet].get(asset, Balance()).free
        raise BadScript(f"{venue} has no key {key!r}")

    async def set_price(self, venue: str, symbol: str, price: Decimal) -> None:
        """Hold a pair (`BTCUSDT`) at a price from now on."""
        await self._ask("POST", "/prices", script.Held(venue=venue, symbol=symbol, price=price))

    async def release_prices(self) -> None:
        """Let all pairs wander again."""
        await self._ask("DELETE", "/prices")

    async def deposit(self, move: script.Move) -> str:
        """Make a deposit; return its id."""
        return await self._move("/deposits", move)

    async def withdraw(self, move: script.Move) -> str:
        """Make a withdrawal; return its id."""
        return await self._move("/withdrawals", move)

    async def fill(self, fill: script.PastFill) -> None:
        """Write down an order that was filled at a moment."""
        await self._ask("POST", "/fills", fill)

    async def wait(self, waiting: script.Waiting) -> None:
        """Put a limit order beside those that are open, or take them all away."""
        await self._ask("POST", "/waiting", waiting)

    async def complete(self, venue: str, key: str, transfer_id: str) -> None:
        """Finish a pending transfer."""
        completed = script.Completed(venue=venue, key=key, id=transfer_id)
        await self._ask("POST", "/transfers/complete", completed)

    async def inject(self, fault: script.NewFault) -> None:
        """Let requests fail."""
        await self._ask("POST", "/faults", fault)

    async def clear_faults(self) -> None:
        """Let all requests be answered again."""
        await self._ask("DELETE", "/faults")

    async def now(self) -> int:
        """Return the venues' present moment in milliseconds."""
        return _moment(await self._ask("GET", "/clock"))

    async def shift_clock(self, offset: int) -> int:
        """Run with the machine's clock, so many milliseconds ahead; return the new moment."""
        return _moment(await self._ask("POST", "/clock", script.ClockMove(offset=offset)))

    async def freeze_clock(self, at: int) -> int:
        """Stand still at a moment; return it."""
        return _moment(await self._ask("POST", "/clock", script.ClockMove(freeze_at=at)))

    async def advance_clock(self, span: int) -> int:
        """Jump ahead by so many milliseconds; return the new moment."""
        return _moment(await self._ask("POST", "/clock", script.ClockMove(advance=span)))

    async def set_limit(self, per_minute: int) -> None:
        """Set the request weight that an address may use each minute."""
        await self._ask("POST", "/limit", script.Budget(per_minute=per_minute))

    async def requests(self) -> script.Requests:
        """Return what was asked of the venues since the last clearing."""
        return msgspec.json.decode(await self._ask("GET", "/requests"), type=script.Requests)

    async def clear_requests(self) -> None:
        """Forget what was asked."""
        await self._ask("DELETE", "/requests")

    async def _move(self, path: str, move: script.Move) -> str:
        return msgspec.json.decode(await self._ask("POST", path, move), type=script.Moved).id

    async def _ask(self, method: str, path: str, order: msgspec.Struct | None = None) -> bytes:
        content = None if order is None else msgspec.json.encode(order)
        answer = await self._client.request(method, path, content=content)
        if answer.is_error:
            raise BadScript(msgspec.json.decode(answer.content, type=script.Nonsense).error)
        return answer.content


def _moment(body: bytes) -> int:
    return msgspec.json.decode(body, type=script.Moment).now
