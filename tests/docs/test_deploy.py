"""The files in `deploy/`: what they name exists, and they are of the form that is read."""

import json
import re
import signal
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main
import yaml
from fastapi import FastAPI

from coffers import metrics
from coffers.api import server
from coffers.api.documents import add_documents
from coffers.api.probes import add_probes
from coffers.cli.main import make_app
from coffers.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
_COMMAND = re.compile(r"\bcoffers(?:/bin/coffers)?,? (backup-key|[a-z]+)")


def metric_names() -> set[str]:
    counted = {
        sample
        for family in metrics.REGISTRY.collect()
        for sample in _samples(family.name, family.type)
    }
    return counted | {fact.name for fact in metrics.FACTS}


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


def test_workers_of_the_compose_file_are_found_by_their_name_and_port() -> None:
    text = (DEPLOY / "prometheus/prometheus.yml").read_text().replace("    # ", "    ")
    found = yaml.safe_load(text[text.index("    dns_sd_configs") :])
    worker = read("compose.yaml")["services"]["worker"]
    port = int(worker["environment"]["COFFERS_WORKER_METRICS_PORT"])
    assert found == {"dns_sd_configs": [{"names": ["worker"], "type": "A", "port": port}]}


def test_every_alert_has_an_entry_in_the_docs_and_no_other_has() -> None:
    page = (DEPLOY.parent / "docs/operations.md").read_text()
    told = re.findall(r"^\| `(Coffers\w+)` \|", page, re.MULTILINE)
    assert told == list(dict.fromkeys(told))
    (group,) = read("prometheus/alerts.yml")["groups"]
    assert set(told) == {rule["alert"] for rule in group["rules"]}
    assert set(re.findall(r"`(Coffers\w+)`", page)) == set(told)


def test_lines_of_the_log_that_alerts_name_are_written() -> None:
    source = "".join(path.read_text() for path in (DEPLOY.parent / "src").rglob("*.py"))
    named = re.findall(r'"([a-z]+ [a-z ]+)"', (DEPLOY / "prometheus/alerts.yml").read_text())
    named += re.findall(
        r"\b[a-z]+_without_[a-z]+\b", (DEPLOY / "prometheus/alerts.yml").read_text()
    )
    assert len(named) > 8
    assert [line for line in named if f'"{line}"' not in source] == []


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
    assert "PASSWORD" not in example
    named = {name for each in services.values() for name in each.get("environment", {})}
    assert {name for name in named if "PASSWORD" in name} == {"POSTGRES_PASSWORD_FILE"}
    assert not any("requirepass" in str(each.get("command")) for each in services.values())
    kept = {name: how["file"] for name, how in read("compose.yaml")["secrets"].items()}
    assert kept == {name: f"./secrets/{name}" for name in kept}
    assert set(kept) == {name for each in services.values() for name in each.get("secrets", [])}
    for name, service in services.items():
        for path in re.findall(r"/run/secrets/([\w.-]+)", str(service)):
            assert path in service["secrets"], name
    asked = set(re.findall(r"\$\{(\w+):[?-]", (DEPLOY / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^(?:# )?(\w+)=", example, re.MULTILINE))


def test_the_compose_files_own_services_hold_no_rights_and_wait_for_what_they_need() -> None:
    compose = read("compose.yaml")
    services = compose["services"]
    ours = {name: each for name, each in services.items() if each["image"] == "coffers"}
    assert set(ours) == {"migrate", "api", "worker", "backup", "rotate", "restore"}
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    user, group = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)[0]
    for name, service in ours.items():
        assert service["read_only"], name
        # By its owner: older runtimes give it the mode that the directory has in the image.
        assert f"/data:uid={user},gid={group},mode=700" in service["tmpfs"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["depends_on"]) <= set(services), name
    for name in ("api", "worker"):
        needs = ours[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["postgres"] == needs["valkey"] == {"condition": "service_healthy"}
    assert ours["migrate"]["restart"] == "no"
    # Compose stops what depends on a container while it makes that one anew.
    assert "depends_on" not in services["caddy"]
    assert all("healthcheck" in services[name] for name in ("postgres", "valkey", "worker"))


def test_of_what_starts_together_one_alone_builds_the_image_and_what_is_run_by_hand_can() -> None:
    services = read("compose.yaml")["services"]
    building = {name for name, each in services.items() if "build" in each}
    by_hand = {name for name, each in services.items() if "profiles" in each}
    # Two at once fail: 'image "docker.io/library/coffers:latest": already exists'.
    assert building - by_hand == {"migrate"}
    # A restore comes before anything else has been started.
    assert by_hand <= building


def test_what_is_done_by_hand_is_told_in_the_docs_and_not_started_with_the_rest() -> None:
    services = read("compose.yaml")["services"]
    page = (DEPLOY.parent / "docs/deployment.md").read_text()
    by_hand = set(re.findall(r"docker compose run(?: -+\w+)* (\w+)", page))
    assert by_hand == {name for name, service in services.items() if "profiles" in service}
    named = re.findall(r"docker compose (?:exec|logs|stop) (\w+)", page)
    assert set(named) <= set(services)


def test_a_restore_may_write_the_master_key_and_it_alone_sees_the_key_of_backups() -> None:
    services = read("compose.yaml")["services"]
    mounts = {name: _mounts(each) for name, each in services.items() if each["image"] == "coffers"}
    restore = services["restore"]
    file = restore["entrypoint"][restore["entrypoint"].index("--key") + 1]
    assert mounts["restore"] == {
        "/keys": ("./keys", False),
        "/backups": ("./backups", True),
        file: ("./backup-key.txt", True),
    }
    assert restore["working_dir"] == services["backup"]["working_dir"] == "/backups"
    assert [name for name in mounts if file in mounts[name]] == ["restore"]
    writers = {name for name, found in mounts.items() if found["/keys"] == ("./keys", False)}
    assert writers == {"restore", "rotate"}
    # Neither what migrates nor what fills the database may run before: it has to be empty.
    assert set(restore["depends_on"]) == {"postgres"}


def test_secrets_beside_the_compose_file_are_told_in_the_docs_and_kept_out_of_git() -> None:
    ignored = (DEPLOY.parent / ".gitignore").read_text().split()
    page = (DEPLOY.parent / "docs/deployment.md").read_text()
    services = read("compose.yaml")["services"].values()
    sources = {source for each in services for source, _ in _mounts(each).values()}
    ours = {source.removeprefix("./") for source in sources if source.startswith("./")}
    for name in read("compose.yaml")["secrets"]:
        assert re.search(rf"\binstall .* secrets/{re.escape(name)}\n", page), name
    ours.add("secrets")
    for name in ours - {"Caddyfile"}:
        assert {f"/deploy/{name}", f"/deploy/{name}/"} & set(ignored), name
        assert re.search(rf"\binstall .*\b{re.escape(name)}\b", page), name


def _mounts(service: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return by place what is mounted there, and whether it is to be read only."""
    found = {}
    for volume in service.get("volumes", []):
        if isinstance(volume, dict):
            found[volume["target"]] = volume["source"], volume["read_only"]
        else:
            source, place, *mode = volume.split(":")
            found[place] = source, mode == ["ro"]
    return found


def test_the_api_of_the_compose_file_believes_the_proxys_network_and_reaches_nothing_else() -> None:
    compose = read("compose.yaml")
    networks, services = compose["networks"], compose["services"]
    inside = {name for name, how in networks.items() if how and how.get("internal")}
    assert set(services["api"]["networks"]) <= inside
    assert set(services["postgres"]["networks"] + services["valkey"]["networks"]) <= inside
    believed = services["api"]["environment"]["COFFERS_TRUSTED_PROXIES"]
    assert networks["front"]["ipam"]["config"] == [{"subnet": believed}]
    members = {name for name, each in services.items() if "front" in each["networks"]}
    assert members == {"api", "caddy"}
    assert int(services["api"]["stop_grace_period"].removesuffix("s")) > server._GRACE


def test_the_proxy_keeps_probes_metrics_and_documentation_inside_and_nothing_else() -> None:
    app, nothing = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), SimpleNamespace()
    add_probes(app, nothing)  # type: ignore[arg-type]
    add_documents(app)
    inner = {route.path for route in app.routes}  # type: ignore[attr-defined]
    assert {"/metrics", "/readyz", "/docs", "/openapi.json"} <= inner
    given = (DEPLOY / "Caddyfile").read_text()
    assert int(re.findall(r"keepalive (\d+)s", given)[0]) < server._IDLE
    kept = re.findall(r"@inside path (.+)", given)[0].split()
    assert all(any(fnmatchcase(path, each) for each in kept) for path in inner)
    opened = (
        "/",
        "/sign-in",
        "/accounts/1",
        "/live",
        "/static/a/b.css",
        "/img/a.png",
        "/public/api",
    )
    assert not any(fnmatchcase(path, each) for path in opened for each in kept)


def test_the_image_is_made_of_files_that_exist_by_hashes_and_runs_as_nobody() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    ignored = set((DEPLOY.parent / ".dockerignore").read_text().split())
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*", text, re.MULTILINE)]
    for source in (each for line in copied for each in line):
        assert (DEPLOY.parent / source).exists(), source
        assert Path(source).parts[0] not in ignored, source
    assert text.count("-r /") == text.count("--require-hashes") == 2
    assert re.findall(r"^USER (.+)", text, re.MULTILINE) == ["10001:10001"]
    port = Settings.model_fields["port"].default
    assert f"EXPOSE {port}\n" in text
    assert f"127.0.0.1:{port}/readyz" in text


def test_the_units_are_hardened_alike_and_a_stop_is_no_failure() -> None:
    walls = {
        path.stem: set(
            re.findall(
                r"^(?:UMask|Cap|Lock|NoNew|Private|Protect|Restrict[A-Z]|SystemCall).*",
                path.read_text(),
                re.MULTILINE,
            )
        )
        for path in DEPLOY.glob("systemd/*.service")
    }
    assert walls["coffers"] == walls["coffers-worker"] == walls["coffers-backup"]
    # What `coffers serve` ends with, once it was asked to.
    ended = f"SuccessExitStatus={128 + signal.SIGTERM}\n"
    server = (DEPLOY / "systemd/coffers.service").read_text()
    assert ended in server
    # Its processes are the server's to end: their requests first, its socket in time.
    assert "KillMode=mixed\n" in server


def test_the_worker_by_itself_is_scraped_and_the_server_beside_it_starts_without_its_own() -> None:
    worker = (DEPLOY / "systemd/coffers-worker.service").read_text()
    _, scraped = read("prometheus/prometheus.yml")["scrape_configs"]
    port = re.findall(r"^Environment=COFFERS_WORKER_METRICS_PORT=(.+)", worker, re.MULTILINE)
    assert scraped["static_configs"] == [{"targets": [f"127.0.0.1:{port[0]}"]}]
    page = (DEPLOY.parent / "docs/deployment.md").read_text()
    drop_in = re.findall(r"^```ini\n\[Service\]\nExecStart=\n(.*?)\n```$", page, re.MULTILINE)
    server = (DEPLOY / "systemd/coffers.service").read_text()
    served = re.findall(r"^ExecStart=.+", server, re.MULTILINE)
    assert drop_in == [f"{served[0]} --no-worker"]
