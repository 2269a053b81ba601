"""What one reading tells the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffers.connectors.chain.bitcoin.memory import (
    UNTOLD,
    BranchMemory,
    Memory,
    remembered,
)
from coffers.connectors.chain.memory import closed


def test_what_is_written_is_remembered() -> None:
    memory = Memory(
        is_found=True, turn=7, branches={"p2tr/0": BranchMemory(3, 24, [1, 0, 2, UNTOLD], [3])}
    )

    assert remembered(closed(memory)) == memory


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"version":2}', '{"branches":5}', "\ud800"])
def test_what_cannot_be_read_is_forgotten(text: str | None) -> None:
    assert remembered(text) == Memory()


@given(st.text())
def test_no_text_makes_remembering_fail(text: str) -> None:
    assert remembered(text).version == 1


def test_a_place_without_a_count_is_untold() -> None:
    assert BranchMemory(1, 2, [5]).told_of(0) == 5
    assert BranchMemory(1, 2, [5]).told_of(1) == UNTOLD
