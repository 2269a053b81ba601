"""A code on a chain is a token only where the chain could name one so."""

import pytest

from coffers.markets.chains import shipped_chains
from coffers.portfolio.token_keys import asset_named, known_token

ADDRESS = "0xdAC17F958D2ee523a2206206994597C13D831ec7"
POLICY = "29d222ce763455e3d7a09a665ce554f00ac89d2e99a1a83d267170c6"


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (f"ethereum:{ADDRESS}", f"ethereum:{ADDRESS.lower()}"),
        (f"ETHEREUM:{ADDRESS.upper()}", f"ethereum:{ADDRESS.lower()}"),
        (f"my_chain:{ADDRESS}", f"my_chain:{ADDRESS.lower()}"),
        ("solana:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",) * 2,
        ("tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",) * 2,
        ("tron:1002000",) * 2,
        ("xrp:rMxCKbEDwqr76QuheSUMdEGf4B9xJ8m5De.524C555344000000000000000000000000000000",) * 2,
        (f"ton:0:{'ab' * 32}",) * 2,
        ("cosmos:ibc/F663521BF1836B00F5F177680F74BFB9A8B5654A694D0D2BC249E03CF2509013",) * 2,
        (f"cardano:{POLICY}.4d494e",) * 2,
        ("ethereum:0xgggg", None),
        (f"ethereum:0x{'ab' * 32}", None),
        ("solana:zzz", None),
        ("bitcoin:BTC", None),
        ("cardano:a.b", None),
        (f"other_chain:{ADDRESS}", None),
        ("BTC", None),
    ],
)
def test_only_what_a_chain_could_name_so_is_a_token(code: str, key: str | None) -> None:
    ids = {chain.id for chain in shipped_chains()}
    assert {"ethereum", "solana", "tron", "xrp", "ton", "cosmos", "cardano", "bitcoin"} <= ids
    assert known_token(code, {"my_chain"}) == key


@pytest.mark.parametrize(
    ("key", "asset"),
    [
        (f"ethereum:{ADDRESS.lower()}", "USDT"),
        ("solana:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", "USDC"),
        ("tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "USDT"),
        (f"ethereum:0x{'ab' * 20}",) * 2,
        (f"my_chain:{ADDRESS.lower()}",) * 2,
    ],
)
def test_a_listed_token_counts_as_what_it_is(key: str, asset: str) -> None:
    assert asset_named(key) == asset
