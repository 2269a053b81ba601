"""Spellings of what assets are called."""

import pytest

from coffers.markets.assets import spellings


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("BTC", ("BTC",)),
        ("btc", ("btc", "BTC")),
        ("NEIRO@gate", ("NEIRO@gate",)),
        ("neiro@Gate", ("neiro@Gate", "NEIRO@gate")),
        ("ethereum:0xdac1", ("ethereum:0xdac1",)),
        ("ethereum:0xDAC1", ("ethereum:0xDAC1", "ethereum:0xdac1")),
        ("solana:Es9v", ("solana:Es9v",)),
    ],
)
def test_a_text_may_mean_keys_as_it_is_written_first(text: str, keys: tuple[str, ...]) -> None:
    assert spellings(text) == keys
