"""The files in `deploy/`: what they name exists, and they are of the form that is read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from coffers import metrics
from coffers.cli.main import make_app
from coffers.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
_COMMAND = re.compile(r"\bcoffers(?:/bin/coffers)?,? (backup-key|[a-z]+)")


def metric_names() -> set[str]:
    return {
        sample
        for family in metrics.REGISTRY.collect()
        for sample in _samples(family.name, family.type)
    }


def _samples(name: str, kind: str) -> list[str]:
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(kind, [""])
    return [name + suffix for suffix in suffixes]


def read(name: str) -> Any:
    text = (DEPLOY / name).read_text()
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    known = {f"COFFERS_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"COFFERS_[A-Z_]+[A-Z]", path.read_text())) <= known


def test_alerts_and_panels_look_at_metrics_that_exist() -> None:
    known = metric_names()
    rules = [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]
    told = [rule["expr"] for rule in rules]
    told += [
        target["expr"]
        for panel in read("grafana/coffers.json")["panels"]
        for target in panel["targets"]
    ]
    for expression in told:
        named = re.findall(r"coffers_[a-z_]+", expression)
        assert set(named) <= known, expression
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_every_alarm_of_the_docs_has_a_rule() -> None:
    page = (DEPLOY.parent / "docs/metrics.md").read_text().split("Worth an alarm:")[1]
    alarmed = set(re.findall(r"coffers_[a-z_]+", page))
    rules = (DEPLOY / "prometheus/alerts.yml").read_text()
    assert alarmed <= set(re.findall(r"coffers_[a-z_]+", rules))


def test_commands_that_are_started_exist() -> None:
    known = set(typer.main.get_command(make_app()).commands)  # type: ignore[attr-defined]
    started = {
        name
        for path in FILES
        for name in _COMMAND.findall(path.read_text())
        if path.suffix in {".service", ".yaml"}
    }
    compose = read("compose.yaml")["services"]
    started |= {compose[name]["command"][1] for name in ("api", "worker")}
    assert {"serve", "worker", "backup", "migrate"} <= started
    assert started - {"coffers"} <= known


def test_the_compose_file_keeps_no_secret_and_opens_the_proxy_alone() -> None:
    services = read("compose.yaml")["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    example = (DEPLOY / "env.example").read_text()
    assert re.findall(r"^(\w+PASSWORD)=(.*)$", example, re.MULTILINE) == [
        ("POSTGRES_PASSWORD", ""),
        ("VALKEY_PASSWORD", ""),
    ]
    asked = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
