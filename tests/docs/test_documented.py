"""What there is stands in the documentation, and what stands there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import SimpleNamespace
from typing import Any, get_args

import httpx
import pytest

from coffers import metrics
from coffers.access.tokens import PERMISSIONS
from coffers.api.account_schema import ACCOUNT_KEYS
from coffers.api.app import make_app
from coffers.api.balance_schema import CHART, PIE, TABLE
from coffers.api.documents import _LIST
from coffers.api.edge import Edge
from coffers.api.market_data_schema import DEPOSIT, LEVERAGE, NETWORKS, RATE_WITH_LEVERAGE
from coffers.api.market_schema import MARKETS
from coffers.api.price_schema import PRICE
from coffers.clock import DAY, HOUR, MINUTE, SECOND
from coffers.connectors.reading import FailureKind
from coffers.markets.catalogue import load_catalogue
from coffers.sandbox.faults import FaultKind
from coffers.sandbox.routes import ROUTES
from coffers.sandbox.script_rest import _ORDERS, PREFIX
from coffers.settings import Settings
from coffers.sync.policy import BACK_OFFS

SOURCE = Path(__file__).resolve().parents[2] / "src/coffers"

Pages = dict[str, str]


def _rows(page: str) -> list[list[str]]:
    """Return the cells of all rows of a page's tables."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _shown(value: object) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return f"`{str(value).lower()}`"
        case float():
            return f"`{value:g}`" if value < 1e6 else f"`{value:.0f}`"
        case tuple():
            return f"`{','.join(value)}`" if value else "none"
        case PurePath():
            return f"`{value}`".replace(str(Path.home()), "~")
        case _:
            return f"`{value}`"


def _setting_rows(pages: Pages) -> dict[str, list[str]]:
    rows = _rows(pages["docs/settings.md"])
    return {row[0].strip("`"): row for row in rows if row[0].startswith("`COFFERS_")}


def test_settings_are_documented_with_their_defaults(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    expected = {
        f"COFFERS_{name.upper()}": _shown(field.get_default(call_default_factory=True))
        for name, field in Settings.model_fields.items()
    }

    assert {name: row[1] for name, row in _setting_rows(pages).items()} == expected


def test_settings_are_documented_with_all_that_they_may_be(pages: Pages) -> None:
    rows = _setting_rows(pages)
    for name, field in Settings.model_fields.items():
        values = rows[f"COFFERS_{name.upper()}"][2].replace("`", "")
        if field.annotation is bool:
            assert values == "true, false"
        elif get_args(field.annotation) and all(
            isinstance(choice, str) for choice in get_args(field.annotation)
        ):
            assert values.split(", ") == list(get_args(field.annotation)), name
        for bound in field.metadata:
            most = getattr(bound, "le", None)
            assert most is None or str(most) in values, name


def test_no_page_names_a_setting_that_does_not_exist(pages: Pages) -> None:
    known = {f"COFFERS_{name.upper()}" for name in Settings.model_fields}
    for page in pages:
        assert set(re.findall(r"COFFERS_[A-Z_]+[A-Z]", pages[page])) <= known, page


def test_metrics_are_documented_with_their_labels_and_no_others(pages: Pages) -> None:
    rows = _rows(pages["docs/metrics.md"])
    told = {
        row[0].strip("`"): (row[1], tuple(re.findall(r"`(\w+)`", row[2])))
        for row in rows
        if row[0].startswith("`coffers_") and row[1] in {"counter", "gauge", "histogram"}
    }

    assert told == {
        name + ("_total" if kind == "counter" else ""): (kind, labels)
        for name, kind, labels in _metrics()
    }


def test_no_page_names_a_metric_that_does_not_exist(pages: Pages) -> None:
    known = {name + "_total" if kind == "counter" else name for name, kind, _ in _metrics()}
    for page in pages:
        assert set(re.findall(r"\bcoffers_[a-z_]+\b", pages[page])) <= known, page


def _metrics() -> list[tuple[str, str, tuple[str, ...]]]:
    found = metrics.REGISTRY._collector_to_names
    counted = [(each._name, each._type, tuple(each._labelnames)) for each in found]  # type: ignore[attr-defined]
    return counted + [
        (fact.name, "gauge", () if fact.label is None else (fact.label,)) for fact in metrics.FACTS
    ]


@pytest.fixture(scope="module")
def app() -> Edge:
    nothing: Any = SimpleNamespace()
    services: Any = SimpleNamespace(
        settings=Settings(), store=nothing, vault=nothing, gate=nothing, listing=nothing,
        shelf=nothing, streams=nothing, catalogue=load_catalogue(), clock=nothing,
    )  # fmt: skip
    return make_app(services)


async def test_endpoints_are_documented_and_no_others(pages: Pages, app: Edge) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://coffers"
    ) as client:
        described = (await client.get("/openapi.json")).json()["paths"]
    routed = [re.sub(r":\w+}", "}", route.path) for route in _routes(app)]
    known = {*described, *app._direct, *routed}
    told = set(re.findall(r"(?<![\w.\d])(/(?:public/api|img|docs|healthz|readyz|metrics|openapi)"
                          r"[\w/{}.]*)`", pages["docs/api.md"]))  # fmt: skip

    assert known - told == set()
    assert told - {"/public/api"} - known == set()


def _routes(app: Any) -> Iterator[Any]:
    inner = app._inner
    while not hasattr(inner, "routes"):
        inner = inner.app
    yield from inner.routes


def test_parameters_of_the_list_are_documented(pages: Pages, app: Edge) -> None:
    names = [parameter["name"] for parameter in _LIST["parameters"]]
    headers = _LIST["responses"]["200"]["headers"]

    assert [name for name in (*names, *headers) if f"`{name}`" not in pages["docs/api.md"]] == []


@pytest.mark.parametrize(
    ("heading", "schema"),
    [
        ("### The pie", PIE),
        ("### The table", TABLE),
        ("### The chart", CHART),
        ("## Markets", MARKETS),
    ],
)
def test_keys_of_rows_are_documented_and_no_others(
    pages: Pages, heading: str, schema: dict[str, Any]
) -> None:
    text = pages["docs/api.md"].partition(f"{heading}\n")[2].partition("\n##")[0]
    told = {key for row in _rows(text) for key in re.findall(r"`(\w+)`", row[0])}

    assert told == set(schema["items"]["required"])


def test_keys_of_an_account_are_documented_in_their_order(pages: Pages) -> None:
    text = pages["docs/api.md"].partition("### The account\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(ACCOUNT_KEYS)


def test_fields_of_a_price_are_documented(pages: Pages) -> None:
    text = pages["docs/api.md"].partition("## Prices\n")[2].partition("\n## ")[0]
    held_back, _ = PRICE["properties"]["held_back"]["anyOf"]
    fields = {*PRICE["properties"], *held_back["properties"]}

    assert fields - set(re.findall(r"`(\w+)`", text)) == set()


def test_keys_of_rates_networks_and_deposits_are_documented_and_no_others(pages: Pages) -> None:
    of_networks = NETWORKS["items"]["properties"]
    told = {
        "### Rates": set(RATE_WITH_LEVERAGE["properties"]),
        "### Leverage": set(LEVERAGE["items"]["properties"]),
        "### Networks": {
            *of_networks,
            *of_networks["network_list"]["items"]["properties"],
        },
        "### Deposit addresses": set(DEPOSIT["properties"]),
    }
    for heading, keys in told.items():
        text = pages["docs/api.md"].partition(f"{heading}\n")[2].partition("\n##")[0]
        assert {key for row in _rows(text) for key in re.findall(r"`(\w+)`", row[0])} == keys


def test_error_codes_are_documented_with_their_status_and_no_others(pages: Pages) -> None:
    errors = pages["docs/api.md"].partition("## Errors")[2].partition("\n## ")[0]
    told = {
        (int(status), code)
        for status, code in re.findall(r"^\| (\d+) \| `([^`]+)`", errors, re.MULTILINE)
    }

    assert told == set(_error_codes())


def _error_codes() -> Iterator[tuple[int, str]]:
    for path in (*(SOURCE / "api").glob("*.py"), *(SOURCE / "access").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                match node.func.id, node.args:
                    case "WireError" | "Refusal", [
                        ast.Constant(value=int(status)),
                        ast.Constant(value=str(code)),
                        *_,
                    ]:
                        yield status, code


def test_reasons_why_a_list_is_incomplete_are_documented(pages: Pages) -> None:
    tree = ast.parse((SOURCE / "api/trust.py").read_text())
    listing = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "doubts"
    )
    texts = {
        node.value.strip(";=") for node in ast.walk(listing)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip
    told = re.findall(
        r"^\| `(\w+)(?:=N)?` \|",
        pages["docs/api.md"].partition("| Reason |")[2].partition("###")[0],
        re.MULTILINE,
    )

    assert set(told) == {text for text in texts if re.fullmatch(r"[a-z_]+", text)}


def test_permissions_are_documented(pages: Pages) -> None:
    assert [name for name in PERMISSIONS if f"`{name}`" not in pages["docs/cli.md"]] == []


def _span(text: str) -> int:
    number, unit = text.split()
    return int(number) * {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}[unit]


def test_failures_are_documented_with_their_waits(pages: Pages) -> None:
    rows = [
        row for row in _rows(pages["docs/operations.md"]) if row[0].strip("`") in {*FailureKind}
    ]

    assert {row[0].strip("`"): (_span(row[2]), _span(row[3])) for row in rows} == {
        kind.value: (wait.first, wait.longest) for kind, wait in BACK_OFFS.items()
    }


def test_faults_of_the_sandbox_are_documented(pages: Pages) -> None:
    told = {row[0].strip("`") for row in _rows(pages["docs/sandbox.md"])}

    assert set(FaultKind) - told == set()


def test_endpoints_of_the_sandbox_are_documented_and_no_others(pages: Pages) -> None:
    text = pages["docs/sandbox.md"]
    told = set(re.findall(r"^\| `([A-Z]+ /_sandbox[\w/]*)`", text, re.MULTILINE))

    assert told == {f"{method} {PREFIX}{path}" for method, path in _ORDERS}
    assert [path for _, path in ROUTES if f"`{path}`" not in text] == []
