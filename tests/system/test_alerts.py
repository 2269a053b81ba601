"""Alerts fire when they should, only then, and end: Prometheus's own tool lives through stories."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROMETHEUS = Path(__file__).resolve().parents[2] / "deploy/prometheus"
API, OTHER = 'job="coffers",instance="a"', 'job="coffers",instance="b"'
WORKER, SPARE = 'job="coffers-worker",instance="w"', 'job="coffers-worker",instance="v"'
LISTS = 'route="/public/api/ver1/accounts"'


@dataclass(frozen=True)
class Story:
    """What is scraped each minute, and in which of these an alert fires, and does not."""

    alert: str
    told: str
    series: dict[str, str]
    fires: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    how_many: int = 1


def readings(venue: str, outcome: str, values: str) -> dict[str, str]:
    return {f'coffers_syncs_total{{venue="{venue}",outcome="{outcome}",{WORKER}}}': values}


def failing(venue: str, values: str) -> dict[str, str]:
    return {f'coffers_accounts_failing{{venue="{venue}",{API}}}': values}


def lists(*buckets: tuple[str, int]) -> dict[str, str]:
    return {
        f'coffers_request_seconds_bucket{{{LISTS},le="{bound}",{API}}}': f"0+{count}x60"
        for bound, count in buckets
    }


STORIES = [
    Story(
        "CoffersDown",
        "one of two machines dies, and comes back",
        {f"up{{{API}}}": "1x9 0x9 1x20", f"up{{{OTHER}}}": "1x40"},
        fires=(12, 19),
        silent=(9, 11, 20),
    ),
    Story(
        "CoffersDown",
        "a restart",
        {f"up{{{API}}}": "1x9 0 1x20"},
        silent=tuple(range(30)),
    ),
    Story("CoffersDown", "nothing is asked", {f"up{{{WORKER}}}": "1x9"}, fires=(3, 9)),
    Story(
        "CoffersDatabaseAway",
        "one of two machines does not reach it",
        {
            f"up{{{API}}}": "1x40",
            f"up{{{OTHER}}}": "1x40",
            f'coffers_work_led{{work="prices",{API}}}': "1x40",
            f'coffers_work_led{{work="prices",{OTHER}}}': "1x9 stale _x9 0x20",
        },
        fires=(13, 18),
        silent=(9, 11, 20, 30),
    ),
    Story(
        "CoffersDatabaseAway",
        "an API that is down is told as that",
        {f"up{{{API}}}": "0x40"},
        silent=(5, 30),
    ),
    Story(
        "CoffersPricesStandStill",
        "an outage of all exchanges",
        {f"coffers_price_age_seconds{{{API}}}": "10x5 60+60x15 10x10"},
        fires=(14, 20),
        silent=(5, 11, 23),
    ),
    Story(
        "CoffersPricesStandStill",
        "they never came",
        {f"coffers_price_age_seconds{{{API}}}": " ".join(["Inf"] * 10)},
        fires=(3,),
        silent=(1,),
    ),
    Story(
        "CoffersPricesStandStill",
        "nobody needs any",
        {f"coffers_price_age_seconds{{{API}}}": "10x5 _x30"},
        silent=(10, 30),
    ),
    Story(
        "CoffersReadingsOverdue",
        "a worker that does not keep up",
        {f"coffers_syncs_overdue{{{API}}}": "0x5 3x15 0x5", f"up{{{API}}}": "1x25"},
        fires=(17, 20),
        silent=(5, 15, 22),
    ),
    Story(
        "CoffersNoWorker",
        "the last worker ends, and another one begins",
        {
            f'coffers_work_led{{work="{work}",{instance}}}': "1x5 0x9 1x9"
            for work in ("prices", "accounts", "balance")
            for instance in (API, OTHER)
        },
        fires=(9, 14),
        silent=(5, 7, 16),
        how_many=3,
    ),
    Story(
        "CoffersSeveralLead",
        "two that lead, for long and for a moment",
        {
            f'coffers_leader{{work="prices",{WORKER}}}': "1x40",
            f'coffers_leader{{work="prices",{SPARE}}}': "0x5 1 0x5 1x9 0x9",
        },
        fires=(15, 20),
        silent=(6, 10, 23),
    ),
    Story(
        "CoffersServerErrors",
        "the first one of a process",
        {
            f'coffers_requests_total{{route="unknown",status="500",{API}}}': "0x60",
            f'coffers_requests_total{{route="/x",status="500",{API}}}': "_x9 1x50",
        },
        fires=(10, 18),
        silent=(8, 22, 40),
    ),
    Story(
        "CoffersServerErrors",
        "as many again after a restart",
        {f'coffers_requests_total{{route="unknown",status="500",{API}}}': "0x4 1x24 0x2 1x30"},
        fires=(6, 33),
        silent=(4, 20, 31, 45),
    ),
    Story(
        "CoffersServerErrors",
        "Prometheus was away, and one is long past",
        {f'coffers_requests_total{{route="unknown",status="500",{API}}}': "1x20 stale _x20 1x20"},
        silent=tuple(range(60)),
    ),
    Story(
        "CoffersServerErrors",
        "the database is away for all requests",
        {
            f'coffers_requests_total{{route="unknown",status="500",{API}}}': "0x60",
            f'coffers_requests_total{{route="/x",status="503",{API}}}': "0+50x60",
        },
        silent=(9, 50),
    ),
    Story(
        "CoffersWorkerFailures",
        "a fault of a kind that was not met before",
        {
            f'coffers_worker_failures_total{{error="CoffersError",{WORKER}}}': "0x60",
            f'coffers_worker_failures_total{{error="KeyError",{WORKER}}}': "_x9 1x50",
        },
        fires=(10, 18),
        silent=(8, 22),
    ),
    Story(
        "CoffersWorkerFailures",
        "the database is away",
        {
            f'coffers_worker_failures_total{{error="CoffersError",{WORKER}}}': "0x60",
            f'coffers_worker_failures_total{{error="StoreUnavailable",{WORKER}}}': "0+900x60",
        },
        silent=(9, 50),
    ),
    Story(
        "CoffersWorkerDatabaseAway",
        "for ten minutes",
        {f'coffers_worker_failures_total{{error="StoreUnavailable",{WORKER}}}': "0x9 0+9x9 81x30"},
        fires=(15, 19),
        silent=(9, 12, 25),
    ),
    Story(
        "CoffersWorkerDatabaseAway",
        "for the seconds of its restart",
        {f'coffers_worker_failures_total{{error="StoreUnavailable",{WORKER}}}': "0x9 90x30"},
        silent=tuple(range(40)),
    ),
    Story(
        "CoffersWorkerDown",
        "one of two",
        {f"up{{{WORKER}}}": "1x9 0x20 1x9", f"up{{{SPARE}}}": "1x40"},
        fires=(16, 29),
        silent=(9, 14, 31),
    ),
    Story(
        "CoffersWorkerDown",
        "the worker of `coffers serve` has no port of its own",
        {f"up{{{API}}}": "1x60", f"up{{{WORKER}}}": "0x60"},
        silent=(20, 60),
    ),
    Story(
        "CoffersProcessEnded",
        "a worker that is killed once",
        {f"coffers_processes_ended_total{{{API}}}": "0x9 1x200"},
        fires=(11, 60),
        silent=(9, 75),
    ),
    Story(
        "CoffersSnapshotsNotRolledUp",
        "for more than a day",
        {f'coffers_snapshot_rollup_lag_seconds{{tier="fine",{API}}}': "0x5 90000x5 60x9"},
        fires=(7, 10),
        silent=(5, 12),
    ),
    Story(
        "CoffersAccountsLocked",
        "one key is taken again, and another one refused",
        {f"coffers_accounts_locked{{{API}}}": "1x20 0x10 1x100"},
        fires=(32, 80),
        silent=(20, 30, 100),
    ),
    Story(
        "CoffersAccountsLocked",
        "one is unlocked, and the API starts anew",
        {f"coffers_accounts_locked{{{API}}}": "3x20 2x10 _x9 2x60"},
        silent=tuple(range(99)),
    ),
    Story(
        "CoffersExchangeFails",
        "an outage of hours",
        failing("kraken", "_x19 5x240 stale")
        | readings("kraken", "complete", "100+5x20 200x240 200+5x60")
        | readings("kraken", "venue_down", "_x19 5+5x240 1205x60"),
        fires=(80, 250),
        silent=(20, 40, 262),
    ),
    Story(
        "CoffersExchangeFails",
        "the one account is refused by its address, and tried every hour",
        failing("kraken", "_x9 1x600")
        | readings("kraken", "complete", "100x600")
        | readings("kraken", "address_refused", "_x9 1x59 2x59 3x59 4x59 5x300"),
        fires=(41, 100, 200, 500),
        silent=(9, 30),
    ),
    Story(
        "CoffersExchangeFails",
        "one of many accounts fails for good",
        failing("kraken", "1x600")
        | readings("kraken", "complete", "0+20x600")
        | readings("kraken", "address_refused", "1x59 2x59 3x59 4x59 5x300"),
        silent=(60, 200, 500),
    ),
    Story(
        "CoffersAccountsFail",
        "one of many accounts, and another venue's for an hour",
        failing("kraken", "_x9 1x500 stale") | failing("okx", "_x9 1x60 stale"),
        fires=(380, 500),
        silent=(60, 360, 515),
    ),
    Story(
        "CoffersVenueWithoutPrices",
        "one of two exchanges quotes nothing, and then again",
        {
            f'coffers_price_failures_total{{venue="kraken",{WORKER}}}': "_x9 1+2x60 121x90",
            f"coffers_price_epoch{{{API}}}": "100+2x200",
        },
        fires=(50, 70),
        silent=(9, 20, 110),
    ),
    Story(
        "CoffersVenueWithoutPrices",
        "one call in ten fails",
        {
            f'coffers_price_failures_total{{venue="kraken",{WORKER}}}': "0+0.2x200",
            f"coffers_price_epoch{{{API}}}": "100+2x200",
        },
        silent=(50, 150),
    ),
    Story(
        "CoffersOperationsFail",
        "the first one of a kind",
        {
            f'coffers_operations_total{{kind="transfer",state="failed",{WORKER}}}': "0x9 1x100",
            f'coffers_operations_total{{kind="transfer",state="done",{WORKER}}}': "0+1x100",
        },
        fires=(11, 60),
        silent=(9, 75),
    ),
    Story(
        "CoffersAutoBalanceFails",
        "one run, and others that are well",
        {
            f'coffers_auto_balances_total{{outcome="failed",{WORKER}}}': "0x9 1x100",
            f'coffers_auto_balances_total{{outcome="done",{WORKER}}}': "0+1x100",
        },
        fires=(11, 60),
        silent=(9, 75),
    ),
    Story(
        "CoffersWebhooksDisabled",
        "one",
        {f"coffers_webhooks_disabled_total{{{WORKER}}}": "0x9 1x100"},
        fires=(11, 60),
        silent=(9, 75),
    ),
    Story(
        "CoffersListingsOld",
        "they were never told, and then they are",
        {
            f'coffers_venue_listing_age_seconds{{venue="kraken",{API}}}': " ".join(["Inf"] * 90)
            + " 60x20"
        },
        fires=(61, 89),
        silent=(50, 92),
    ),
    Story(
        "CoffersNoticesNotHeard",
        "for ten minutes, and for one",
        {f"coffers_notices_down{{{API}}}": "0x5 1x10 0x5 1 0x9"},
        fires=(12, 15),
        silent=(5, 9, 18, 22, 24),
    ),
    Story(
        "CoffersSharedServerGone",
        "for ten minutes",
        {f"coffers_valkey_down{{{API}}}": "0x5 1x10 0x5"},
        fires=(8, 15),
        silent=(5, 18),
    ),
    Story(
        "CoffersSlowLists",
        "one in fifty takes longer",
        lists(("0.1", 97), ("0.25", 98), ("0.5", 100), ("+Inf", 100)),
        fires=(40,),
        silent=(10,),
    ),
    Story(
        "CoffersSlowLists",
        "three in a hundred take a little more than a tenth",
        lists(("0.1", 97), ("0.25", 100), ("0.5", 100), ("+Inf", 100)),
        silent=(10, 40, 60),
    ),
]


def _expectations(story: Story) -> list[dict[str, Any]]:
    firing = f'count(ALERTS{{alertname="{story.alert}",alertstate="firing"}})'
    one = [{"labels": "{}", "value": story.how_many}]
    return [
        {"expr": firing, "eval_time": f"{minute}m", "exp_samples": expected}
        for minutes, expected in ((story.fires, one), (story.silent, []))
        for minute in minutes
    ]


def test_each_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    told = {
        "rule_files": [str(PROMETHEUS / "alerts.yml")],
        "evaluation_interval": "30s",
        "tests": [
            {
                "name": f"{story.alert}: {story.told}",
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": values} for name, values in story.series.items()
                ],
                "promql_expr_test": _expectations(story),
            }
            for story in STORIES
        ],
    }
    (tmp_path / "stories.yml").write_text(json.dumps(told))
    ran = _promtool("test", "rules", str(tmp_path / "stories.yml"))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_seen_to_fire() -> None:
    (group,) = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    fire = {story.alert for story in STORIES if story.fires and story.silent}
    assert {rule["alert"] for rule in group["rules"]} == fire


def test_what_is_shipped_is_what_prometheus_reads() -> None:
    ran = _promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    assert program is not None, "install Debian's prometheus"
    return subprocess.run(  # noqa: S603 - Prometheus's own, with arguments of ours
        [program, *arguments], capture_output=True, text=True, check=False
    )
