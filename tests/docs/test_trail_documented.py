"""Every kind of event of the audit trail is documented, and no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src/coffers/portfolio"
PREFIXES = {"order_", "transfer_", "conversion_"}
Pages = dict[str, str]
_KIND = re.compile(r"[a-z]+(_[a-z]+)+")


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in {"AuditEvent", "note", "_note"}:
                yield node


def _written() -> set[str]:
    """Return the kinds in the calls that write events, and in what their names stand for."""
    found = set()
    for path in SOURCE.glob("*.py"):
        text = path.read_text()
        if "AuditEvent" not in text and "note(" not in text:
            continue
        tree = ast.parse(text)
        for call in _calls(tree):
            told = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
            found |= {each for each in told if isinstance(each, str) and _KIND.fullmatch(each)}
        if "AuditEvent" in text:
            assigned = re.findall(r"^\s*(?:kind|_REMOVED)\b[^=\n]*= (.+)$", text, re.MULTILINE)
            found |= {kind for line in assigned for kind in re.findall(r'"([a-z_]+)"', line)}
    return found - {"done"}


def test_kinds_of_the_trail_are_documented_and_no_others(pages: Pages) -> None:
    section = pages["docs/operations.md"].partition("\n## The audit trail\n")[2]
    table = section.partition("\n## ")[0].partition("| Of |")[2]
    told = {kind for kind in re.findall(r"`([a-z_]+)`", table) if _KIND.fullmatch(kind)}
    assert told == _written()
    assert set(re.findall(r"`([a-z]+_)`", table)) == PREFIXES
