"""Answers of the sources as they stand in tests/data, read as the program reads them."""

import json
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "data/pricing"


def body(name: str) -> bytes:
    """Return the bytes of a recorded answer."""
    return (DATA / f"{name}.json").read_bytes()


def answer(name: str) -> object:
    """Return the value of a recorded answer, fractional numbers as their texts."""
    return json.loads(body(name), parse_float=str)
