"""What the doctor tells of a PostgreSQL server."""

import json

from program import Run


def test_it_tells_of_connections_and_notices(coffers: Run, postgres_url: str) -> None:
    url = postgres_url.replace("postgresql+asyncpg", "postgresql")
    told = {each["subject"]: each for each in findings(coffers, COFFERS_DATABASE_URL=url)}
    assert told["connections"]["state"] == "ok"
    assert "an API process takes 12 at the most, a worker 11" in told["connections"]["said"]
    assert told["notices"]["state"] == "ok"


def test_a_direct_address_that_leads_nowhere_is_told(coffers: Run, postgres_url: str) -> None:
    url = postgres_url.replace("postgresql+asyncpg", "postgresql")
    nowhere = "postgresql://postgres:hunter2@127.0.0.1:1/coffers"
    env = {"COFFERS_DATABASE_URL": url, "COFFERS_DATABASE_DIRECT_URL": nowhere}
    told = {each["subject"]: each for each in findings(coffers, **env)}
    assert told["database"]["state"] == "ok"
    assert told["notices"]["state"] == "failed"
    assert "hunter2" not in json.dumps(list(told.values()))


def test_a_direct_address_beside_a_file_is_told(coffers: Run) -> None:
    direct = "postgresql://postgres:hunter2@127.0.0.1:1/coffers"
    told = {each["subject"]: each for each in findings(coffers, COFFERS_DATABASE_DIRECT_URL=direct)}
    assert told["database"]["state"] == "failed"
    assert "COFFERS_DATABASE_DIRECT_URL" in told["database"]["said"]


def findings(coffers: Run, **env: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(coffers("doctor", "--json", **env).stdout)
    return found
