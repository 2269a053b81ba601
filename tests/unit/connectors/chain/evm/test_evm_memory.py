import pytest

from coffers.connectors.chain.evm.memory import MOST_FOUND, Memory, UnlistedToken
from coffers.connectors.chain.memory import closed, opened


def test_what_is_noted_is_remembered() -> None:
    memory = Memory(
        found={"0xab": UnlistedToken("NEW", 18, pretends=False), "0xcd": None}, low=5, high=9
    )
    assert opened(closed(memory), Memory) == memory


@pytest.mark.parametrize("text", [None, "", "{", "[]", "\ud800", '{"found": 5}', '{"low": "x"}'])
def test_notes_that_cannot_be_read_are_none(text: str | None) -> None:
    assert opened(text, Memory) == Memory()


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    memory = Memory()
    for number in range(MOST_FOUND + 5):
        memory.discover(f"0x{number:040x}")
    assert len(memory.found) == MOST_FOUND
    assert len(Memory().found) == 0
