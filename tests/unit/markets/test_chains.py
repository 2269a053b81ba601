from pathlib import Path

import pytest

from coffers.errors import SettingsError
from coffers.markets.catalogue import load_catalogue
from coffers.markets.chains import (
    SERVICES,
    catalogue_of,
    joined,
    load_chains,
    shipped_chains,
)
from coffers.settings import Settings

OWN = """
[ethereum]
urls = ["http://127.0.0.1:8545/", "https://node.example/key-abc"]
beacon = "http://127.0.0.1:5052"

[my_chain]
chain_id = 4242
name = "My Chain"
asset = "MYC"
urls = "http://127.0.0.1:9545"
"""


def _settings(path: Path | None, *, public: bool = True) -> Settings:
    return Settings(chains_file=path, public_nodes=public)


def _file(folder: Path, text: str) -> Path:
    path = folder / "chains.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_shipped_chain_has_an_id_and_a_code_of_its_own() -> None:
    chains = list(shipped_chains())
    assert len({chain.id for chain in chains}) == len(chains) == 23
    assert len({chain.code for chain in chains}) == len(chains)


def test_the_shipped_chains_name_only_services_that_exist_and_only_over_https() -> None:
    for chain in shipped_chains():
        assert chain.endpoints.are_public
        for service, urls in chain.endpoints.services.items():
            assert service in SERVICES
            assert all(url.reveal().startswith("https://") for url in urls)


def test_the_codes_that_clients_know_become_connectable() -> None:
    catalogue = joined(load_catalogue(), shipped_chains())
    for code, chain in (("ethereumwallet", "ethereum"), ("bsc", "bsc"), ("trx", "tron")):
        market = catalogue.get(code)
        assert market is not None
        assert market.chain == chain
        assert market.connectable
        assert market.required_fields == ("address",)


def test_every_chain_has_a_market_and_no_exchange_lost_its_own() -> None:
    catalogue = catalogue_of(_settings(None))
    assert {chain.code for chain in shipped_chains()} <= {market.code for market in catalogue}
    for market in load_catalogue():
        joined_market = catalogue.get(market.code)
        assert joined_market is not None
        assert joined_market.venue == market.venue


def test_the_file_gives_a_chain_nodes_of_the_operators_own(tmp_path: Path) -> None:
    chain = load_chains(_settings(_file(tmp_path, OWN))).get("ethereumwallet")
    assert chain is not None
    assert [url.reveal() for url in chain.endpoints.of("urls")] == [
        "http://127.0.0.1:8545",
        "https://node.example/key-abc",
    ]
    assert [url.reveal() for url in chain.endpoints.of("beacon")] == ["http://127.0.0.1:5052"]
    assert chain.endpoints.of("blockscout") == ()
    assert not chain.endpoints.are_public


def test_the_file_adds_a_chain(tmp_path: Path) -> None:
    settings = _settings(_file(tmp_path, OWN))
    chain = load_chains(settings).get("my_chain_wallet")
    assert chain is not None
    assert (chain.family, chain.asset, chain.parameters) == ("evm", "MYC", {"chain_id": 4242})
    market = catalogue_of(settings).get("my_chain_wallet")
    assert market is not None
    assert market.chain == "my_chain"


def test_without_public_nodes_a_chain_has_none(tmp_path: Path) -> None:
    chains = load_chains(_settings(_file(tmp_path, OWN), public=False))
    assert [chain.id for chain in chains if chain.endpoints.of("urls")] == ["ethereum", "my_chain"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[ethereum", "is no TOML"),
        ("ethereum = 1", "ethereum stands outside of a [chain]"),
        ("[ethereum]\nurl = 'http://x'", "[ethereum] has no key 'url'; there are urls"),
        ("[ethereum]\nurls = 'ftp://x'", "[ethereum]: urls must begin with http:// or https://"),
        ("[ethereum]\nurls = [1]", "[ethereum]: urls must be an address or a list of them"),
        ("[bitcoin]\nelectrum = 'http://x'", "electrum must begin with tcp:// or ssl://"),
        ("[ethereum]\nchain_id = 5", "[ethereum] has no key 'chain_id'"),
        ("[other]\nname = 'O'\nasset = 'O'", "[other] is no shipped chain and needs chain_id"),
        ("[other]\nchain_id = true", "needs chain_id, a whole number"),
        ("[other]\nchain_id = 7", "needs name and asset"),
        ("[other]\nchain_id = 1\nname = 'O'\nasset = 'O'", "has the chain_id 1 of [ethereum]"),
        ("[bitcoin]\nelectrum = 'tcp://x'", "electrum must have a host and a port"),
        ("[bitcoin]\nelectrum = 'tcp://x:y'", "electrum must have a host and a port"),
        ("[ethereum]\nurls = 'http://x:99999'", "urls must have a host"),
        ("[Other]\nchain_id = 7", "a chain's name is made of a-z, 0-9 and _"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingsError) as told:
        load_chains(_settings(_file(tmp_path, text)))
    assert reason in str(told.value)
    assert "chains.toml" in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chains.toml cannot be read: No such file"):
        load_chains(_settings(tmp_path / "chains.toml"))


def test_no_message_shows_an_address_that_may_hold_a_key(tmp_path: Path) -> None:
    settings = _settings(_file(tmp_path, OWN))
    assert "key-abc" not in repr(list(load_chains(settings)))
