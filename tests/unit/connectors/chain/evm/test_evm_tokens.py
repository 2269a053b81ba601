"""The list of known tokens as it is shipped."""

import re

from coffers.connectors.chain.evm.address import checked
from coffers.connectors.chain.evm.tokens import listed_tokens, mirrors
from coffers.markets.chains import shipped_chains

EVM = [
    chain for chain in shipped_chains() if chain.family == "evm" and "kind" not in chain.parameters
]


def test_every_shipped_chain_has_known_tokens() -> None:
    for chain in EVM:
        assert len(listed_tokens(int(chain.parameters["chain_id"]))) > 10, chain.id


def test_a_chain_of_the_operators_has_none() -> None:
    assert listed_tokens(4242) == {}


def test_every_token_has_an_address_a_symbol_and_possible_places() -> None:
    for chain in EVM:
        for contract, token in listed_tokens(int(chain.parameters["chain_id"])).items():
            assert contract == token.contract == contract.lower() == checked(contract).lower()
            assert 0 < len(token.symbol) <= 32
            assert token.symbol.isprintable()
            assert token.decimals is None or 0 <= token.decimals <= 36
            assert token.asset is None or re.fullmatch(r"[A-Z0-9]+", token.asset)
            assert token.coingecko is None or token.coingecko == token.coingecko.lower()


def test_what_is_the_same_as_a_traded_asset_is_known_by_contract() -> None:
    ethereum, polygon = listed_tokens(1), listed_tokens(137)
    assert ethereum["0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"].asset == "USDC"
    assert ethereum["0xdac17f958d2ee523a2206206994597c13d831ec7"].decimals == 6
    assert ethereum["0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"].asset == "ETH"
    assert polygon["0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"].asset == "USDC"
    bridged = polygon["0x2791bca1f2de4661ed88a30c99a7a9449aa84174"]
    assert (bridged.asset, bridged.decimals) == (None, 6)


def test_each_chain_knows_the_wrapped_form_of_its_native_coin() -> None:
    for chain in EVM:
        tokens = listed_tokens(int(chain.parameters["chain_id"])).values()
        assert sum(token.asset == chain.asset for token in tokens) == 1, chain.id


def test_what_stands_for_the_native_coin_is_no_token() -> None:
    assert "0x0000000000000000000000000000000000001010" not in listed_tokens(137)
    assert all("0x" + "e" * 40 not in listed_tokens(int(c.parameters["chain_id"])) for c in EVM)


def test_a_balance_that_two_contracts_show_is_listed_once() -> None:
    ids = [int(chain.parameters["chain_id"]) for chain in EVM]
    pairs = {(id_, *pair) for id_ in ids for pair in mirrors(id_).items()}
    assert {id_ for id_, _, _ in pairs} == {1, 100, 137}
    for id_, old, new in pairs:
        assert old == old.lower() == checked(old).lower()
        assert old not in listed_tokens(id_)
        assert listed_tokens(id_)[new].symbol == "EURE"
