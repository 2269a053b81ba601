import msgspec
import pytest

from coffers.client.stream import Place
from coffers.serving.feeds import named_piece


@pytest.mark.parametrize("end", ["\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_text_breaks_a_line_whatever_the_reader_ends_lines_at(end: str) -> None:
    told = {"asset": f"A{end}B", "name": "\u00c5\u2027\u202a"}
    place = Place()
    lines = named_piece("deposit", msgspec.json.encode(told), 7).decode().splitlines()
    (heard,) = filter(None, map(place.take, lines))
    assert heard.data == told
    assert place.last == "7"


def test_a_piece_without_a_number_has_no_id() -> None:
    assert named_piece("gap", b'{"after":3}') == b'event: gap\ndata: {"after":3}\n\n'
