"""The examples of docs/client.md run, one after the other, against a demo."""

import asyncio
import re
from pathlib import Path

import pytest

import coffers.client
from coffers.client.errors import KINDS
from coffers.client.methods import Methods
from demo import Demo

PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def test_every_example_runs_as_it_stands(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"API_KEY": demo.told["api_key"], "SECRET": demo.told["secret"]}
    names: dict[str, object] = {"__name__": "examples", **known}
    for example in EXAMPLES:
        code = example.replace("http://127.0.0.1:8787", demo.server)
        await asyncio.to_thread(exec, code, names)
    printed = capsys.readouterr().out
    assert "Savings" in printed
    assert "none of yours" in printed


def test_every_method_and_class_is_on_the_page() -> None:
    methods = [name for name in vars(Methods) if not name.startswith("_")]
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert [name for name in methods if name not in named] == []
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in named] == []
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    public = {*methods, *vars(coffers.client), *vars(coffers.client.Client)}
    assert told - public == set()
