"""What is to be connected, looked at by a worker before anything of it is stored."""

import msgspec
from msgspec import structs

from coffers.clock import Millis
from coffers.connectors.reading import ConnectorFailure, Credentials, Reading
from coffers.keyrights import KeyRights
from coffers.money import plain
from coffers.portfolio.connecting import Checked, Connecting, Connection
from coffers.portfolio.errand_forms import CheckAsked, CheckedAccount, CheckTold, WalletAsked
from coffers.portfolio.reconnecting import Reconnecting
from coffers.portfolio.wallets import ConnectingWallets, Wallet
from coffers.secret import Secret
from coffers.valuation.value import holdings_of, unlisted_of

_LOOKS = KeyRights(read=True, trade=False, withdraw=False)
_UNREAD = Reading(Millis(0), frozenset(), ())


class Checking:
    """Does the errands that look before something is connected."""

    def __init__(
        self, connecting: Connecting, wallets: ConnectingWallets, reconnecting: Reconnecting
    ) -> None:
        self._connecting = connecting
        self._wallets = wallets
        self._reconnecting = reconnecting

    async def check(self, user_id: int, body: bytes) -> CheckTold:
        """Return what was found.

        Raises:
            InvalidRecord: naming the fields that cannot be accepted.
            NotFound: where an account is to be given another key that is not there.
            ConnectorFailure: when the venue, or a node, could not be asked.
        """
        asked = msgspec.json.decode(body, type=CheckAsked)
        if asked.wallet is not None:
            return CheckTold((await self._wallet(user_id, asked.wallet),))
        if asked.reconnect is not None:
            again = asked.reconnect
            found = await self._reconnecting.check(user_id, again.account_id, again.given)
            return CheckTold((_told("", found),))
        wanted = [] if asked.connect is None else asked.connect.connections(user_id)
        return CheckTold(tuple([await self._account(each) for each in wanted]))

    async def _account(self, asked: Connection) -> CheckedAccount:
        return _told(asked.name, await self._connecting.check(asked))

    async def _wallet(self, user_id: int, asked: WalletAsked) -> CheckedAccount:
        wallet = Wallet(user_id, asked.market_code, asked.name, asked.address)
        market, address = await self._wallets.check(wallet)
        nothing = Credentials("", Secret(""), address=address)
        try:
            reading = await self._connecting.read(market, nothing)
        except ConnectorFailure as failure:
            # No node needs to answer for a wallet to be connected: it is read once one does.
            told = _told(asked.name, Checked(market, _LOOKS, _UNREAD, {}), address)
            return structs.replace(told, missing={"all of it": str(failure)})
        return _told(asked.name, Checked(market, _LOOKS, reading, {}), address)


def _told(name: str, found: Checked, address: str | None = None) -> CheckedAccount:
    rights, reading = found.rights, found.reading
    return CheckedAccount(
        market_code=found.market.code,
        name=name,
        read=rights.read,
        trade=rights.trade,
        withdraw=rights.withdraw,
        address_restricted=rights.address_restricted,
        expires_at=rights.expires_at,
        address=address,
        wallets=tuple(sorted(reading.wallets)),
        missing=dict(reading.missing),
        amounts=_amounts(reading),
        unlisted=len(unlisted_of(reading.positions)),
        contracts=len(reading.contracts),
        refused=dict(found.over_policy),
    )


def _amounts(reading: Reading) -> dict[str, str]:
    held = holdings_of(reading.positions)
    return {asset: plain(amount) for asset, amount in sorted(held.items())}
