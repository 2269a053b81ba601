"""What was measured: rows of a number beside its baseline, as a table and as JSON."""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a row's ratio, or with `of_value` on its value."""

    bound: float
    is_least: bool = False
    of_value: bool = False

    @property
    def text(self) -> str:
        """How the table shows it."""
        return f"{'>=' if self.is_least else '<='} {self.bound:g}"

    def holds(self, value: float, ratio: float | None) -> bool:
        """Return whether a row keeps to the bound."""
        found = value if self.of_value or ratio is None else ratio
        return found >= self.bound if self.is_least else found <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. `ratio` compares it with the baseline, measured in the same run."""

    name: str
    value: float
    unit: str
    baseline: str = ""
    baseline_value: float | None = None
    ratio: float | None = None
    target: Target | None = None

    @property
    def verdict(self) -> str:
        """What became of the target: "met", "missed" or nothing."""
        if self.target is None:
            return ""
        return "met" if self.target.holds(self.value, self.ratio) else "missed"


def show(rows: list[Row]) -> None:
    """Print all rows as one table."""
    table = Table(title="Coffers, measured against baselines of the same run")
    for heading in ("what", "value", "against", "baseline", "ratio", "target", ""):
        table.add_column(heading, justify="left" if heading in {"what", "against"} else "right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.value:,.4g} {row.unit}",
            row.baseline,
            "" if row.baseline_value is None else f"{row.baseline_value:,.4g} {row.unit}",
            "" if row.ratio is None else f"{row.ratio:.2f}",
            _shown_target(row),
            row.verdict,
            style="red" if row.verdict == "missed" else None,
        )
    Console(width=None if Console().is_terminal else 160).print(table)


def write(rows: list[Row]) -> None:
    """Write all rows to `bench/results.json`."""
    found = {
        "machine": {"python": platform.python_version(), "system": platform.platform()},
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
    }
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")


def _shown_target(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{row.target.text} {row.unit}" if row.target.of_value else row.target.text
