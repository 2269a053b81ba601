"""Every venue of the library is opened by what its market asks for, and by nothing more.

What is given goes the whole way: checked and tidied as on connect, sealed, opened again, set on an
instance, signed with, and seen to arrive over HTTP.
"""

import base64
import re
from typing import Any
from urllib.parse import unquote

import ccxt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coffers.clock import SystemClock
from coffers.connectors.exchange.credentials import FIELDS
from coffers.connectors.exchange.rules import credential_rules
from coffers.connectors.exchange.venues import RENAMED, Venues
from coffers.connectors.reading import ConnectorFailure, Credentials
from coffers.markets.catalogue import Market, load_catalogue
from coffers.portfolio.connecting import STORED_FIELDS, Connection, accepted
from coffers.secret import Secret
from coffers.sync.credentials import open_credentials, seal_credentials
from coffers.vault.keyring import KeyRing, new_key
from coffers.vault.vault import Vault
from factories import account
from integration.connectors.replay import Recorded, hurried, recorded, replaying, with_markets
from integration.connectors.wellformed import wellformed

CLOCK = SystemClock()
BY_VENUE = {market.venue: market for market in load_catalogue() if market.venue}
ALIASES = {name for name in ccxt.exchanges if getattr(ccxt, name)().alias}

COOKIE = {"Set-Cookie": "gravity=fake; Path=/", "X-Grvt-Account-Id": "ACC:fake"}
BEFORE: dict[str, dict[str, Recorded]] = {
    "grvt": {"/auth/api_key/login": recorded({"status": "success"}, headers=COOKIE)},
    "paradex": {
        "/system/config": recorded({"starknet_chain_id": "PRIVATE_SN_PARACLEAR_MAINNET"}),
        "/v1/auth": recorded({"jwt_token": "fake-jwt"}),
    },
    "polymarket": {"/account/proxy": recorded({"secret": "fake-session"})},
}
"""What comes before the question for a balance, where a venue has sessions."""

PROVED_BY_SIGNATURE = {
    "lbank": "sign=",
    "paradex": "PARADEX-STARKNET-SIGNATURE",
    "polymarket": '"sig"',
}
"""Where the key itself is not sent: what shows that the request is signed."""


BEARERS = {
    *("alpaca", "bitteam", "blockchaincom", "extended", "grvt"),
    *("hibachi", "luno", "mudrex", "onetrading"),
}
"""Where whoever has the secret needs no more: it is sent with each request."""


def kept(credentials: Credentials) -> Credentials:
    """Return credentials after their way through the vault."""
    key = new_key()
    vault = Vault(lambda: KeyRing([key]))
    stored = account(
        api_key=credentials.api_key,
        customer_id=credentials.customer_id,
        address=credentials.address,
    )
    sealed = seal_credentials(vault, stored.user_id, stored.id, credentials)
    return open_credentials(vault, stored, sealed)


async def asked(market: Market, credentials: Credentials) -> str:
    """Return what a venue heard that was asked for a balance with these credentials."""
    venue = str(market.venue)
    async with replaying(recorded({"a": 1})) as replay:
        replay.by_path |= BEFORE.get(venue, {})
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, venue, CLOCK)
        hurried(venues, venue)
        try:
            async with venues.session(venue, credentials) as session:
                await session.ask("fetch_balance")
        except ConnectorFailure:
            pass  # the answer is none; only the question matters here
        finally:
            await venues.close()
        return "\n".join([await heard(request) for request in replay.requests])


async def heard(request: web.Request) -> str:
    body = (await request.read()).decode()
    told = f"{unquote(str(request.url))}\n{dict(request.headers)}\n{unquote(body)}"
    coded = re.findall(r"[A-Za-z0-9_-]{16,}", told)
    return "\n".join([told, *map(decoded, coded)])


def decoded(text: str) -> str:
    whole = text[: len(text) // 4 * 4]
    return base64.urlsafe_b64decode(whole).decode(errors="replace")


def proofs(market: Market, credentials: Credentials) -> list[Any]:
    shown = PROVED_BY_SIGNATURE.get(str(market.venue))
    named = [credentials.api_key, credentials.address, credentials.customer_id]
    return [shown] if shown else [text for text in (*named, credentials.secret.reveal()) if text]


def test_every_venue_of_the_library_has_a_market() -> None:
    assert len(ccxt.exchanges) == 104
    assert set(ccxt.exchanges) - ALIASES <= set(BY_VENUE)
    assert {RENAMED.get(name) for name in ALIASES} <= set(BY_VENUE) | {None}


@pytest.mark.parametrize("venue", BY_VENUE)
def test_what_a_market_asks_for_covers_what_the_library_requires(venue: str) -> None:
    declared = getattr(ccxt, venue)().requiredCredentials
    rule = credential_rules().get(venue)
    needed = {
        FIELDS[name]
        for name, is_required in declared.items()
        if is_required and not (rule and (name in rule.spared or set(rule.fields) == {"address"}))
    }
    if rule is not None:
        needed = set(rule.fields)
    fields = set(BY_VENUE[venue].required_fields)
    assert needed <= fields <= STORED_FIELDS


@pytest.mark.parametrize("market", BY_VENUE.values(), ids=lambda market: market.code)
async def test_what_a_market_asks_for_makes_a_request_that_proves_whose_it_is(
    market: Market,
) -> None:
    credentials = wellformed(market)
    told = await asked(market, kept(credentials))
    assert any(proof in told for proof in proofs(market, credentials))


@pytest.mark.parametrize("market", BY_VENUE.values(), ids=lambda market: market.code)
async def test_no_private_key_and_no_signing_secret_ever_leaves(market: Market) -> None:
    credentials = wellformed(market)
    secret = credentials.secret.reveal()
    told = await asked(market, credentials)
    if secret and market.venue not in BEARERS:
        assert secret.removeprefix("0x") not in told


async def test_a_session_is_opened_once_for_many_readings_where_a_wallet_signs_for_it() -> None:
    market = BY_VENUE["polymarket"]
    async with replaying(recorded({"margin": {"total_account_value": "5"}})) as replay:
        replay.by_path |= BEFORE["polymarket"]
        venues = Venues(replay.url, 60, CLOCK, is_paced=False)
        with_markets(venues, "polymarket", CLOCK)
        hurried(venues, "polymarket")
        for _ in range(2):
            async with venues.session("polymarket", wellformed(market)) as session:
                await session.ask("fetch_balance")
        await venues.close()
    assert [path.rpartition("/")[2] for path in replay.paths] == ["proxy", "portfolio", "portfolio"]
    assert replay.requests[1].headers["POLYMARKET-SECRET"] == "fake-session"


def pasted(key: Any) -> str:
    """Return a private key in PEM as it is copied out of a JSON file: on one line."""
    whole = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return str(whole).strip().replace("\n", "\\n")


@pytest.mark.parametrize(
    ("code", "key", "proof"),
    [
        ("coinbase_advanced", ec.generate_private_key(ec.SECP256R1()), '"alg":"ES256"'),
        ("binance", ed25519.Ed25519PrivateKey.generate(), "signature="),
        ("binance", rsa.generate_private_key(65537, 2048), "signature="),
        ("revolutx", ed25519.Ed25519PrivateKey.generate(), "X-Revx-Signature"),
    ],
    ids=["coinbase-ec", "binance-ed25519", "binance-rsa", "revolutx-ed25519"],
)
async def test_a_key_in_pem_that_was_pasted_on_one_line_signs(
    code: str, key: Any, proof: str
) -> None:
    market = load_catalogue().get(code)
    assert market is not None
    given = Credentials("fake-key", Secret(pasted(key)))
    asked_for = Connection(1, code, "Fake", given)
    taken = accepted(asked_for, load_catalogue())[1].credentials
    assert taken.secret.reveal().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert proof in await asked(market, kept(taken))
