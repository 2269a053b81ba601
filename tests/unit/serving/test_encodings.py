"""Content codings are negotiated as RFC 9110 says, and bodies survive them."""

import gzip
from pathlib import Path

import pytest
import zstandard

from coffers.serving.encodings import CODINGS, coding_for, encoded, packed


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (b"", "identity"),
        (b"identity", "identity"),
        (b"gzip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"GZIP;q=0.5", "gzip"),
        (b"zstd;q=0.5, gzip;q=0.8", "gzip"),
        (b"gzip;q=0", "identity"),
        (b"*", "zstd"),
        (b"*;q=0", "identity"),
        (b"zstd;q=0, *", "gzip"),
        (b"gzip;q=0.5, identity", "identity"),
        (b"br, identity;q=0", "identity"),
        (b"gzip;q=nonsense", "identity"),
        (b"gzip;q=7", "gzip"),
        (b",;,=,", "identity"),
        (b"\xff", "identity"),
    ],
)
def test_the_coding_that_the_client_likes_best(accept: bytes, coding: str) -> None:
    assert coding_for(accept) == coding


def test_bodies_come_out_as_they_went_in_and_always_the_same() -> None:
    body = b'{"id":1}' * 500
    assert gzip.decompress(encoded(body, "gzip")) == body
    assert zstandard.decompress(encoded(body, "zstd")) == body
    assert encoded(body, "identity") is body
    assert encoded(body, "gzip") == encoded(body, "gzip")


def test_what_is_kept_is_packed_smaller() -> None:
    body = Path(__file__).read_bytes()
    assert gzip.decompress(packed(body, "gzip")) == body
    assert zstandard.decompress(packed(body, "zstd")) == body
    assert packed(body, "identity") is body
    for coding in CODINGS:
        assert len(packed(body, coding)) <= len(encoded(body, coding))
