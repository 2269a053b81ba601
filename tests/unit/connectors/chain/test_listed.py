"""The lists of known tokens: every contract is one, and none stands twice."""

import json
from importlib.resources import files

import pytest

from coffers.connectors.chain.listed import listed_on
from coffers.connectors.chain.solana import address as solana
from coffers.connectors.chain.tron import address as tron
from coffers.connectors.chain.xrp import address as xrp
from coffers.connectors.chain.xrp.currencies import code_of


@pytest.mark.parametrize("chain", ["solana", "tron", "xrp"])
def test_every_contract_is_an_address_and_stands_once(chain: str) -> None:
    path = files("coffers.connectors.chain").joinpath(f"data/{chain}_tokens.json")
    rows = json.loads(path.read_bytes())["tokens"]
    assert len({row[0] for row in rows}) == len(rows) == len(listed_on(chain))
    for contract, symbol, decimals, _ in rows:
        issuer, _, currency = contract.partition(".")
        check = {"solana": solana.checked, "tron": tron.checked, "xrp": xrp.checked}[chain]
        assert check(issuer) == issuer
        assert not currency or code_of(currency) == currency
        assert symbol
        assert 0 <= decimals <= 18


@pytest.mark.parametrize("chain", ["solana", "tron", "xrp"])
def test_no_two_tokens_of_a_chain_are_one_asset(chain: str) -> None:
    assets = [token.asset for token in listed_on(chain).values() if token.asset]
    assert len(set(assets)) == len(assets)
