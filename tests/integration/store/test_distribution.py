"""Whether the real schema could be spread over many servers by `user_id`, as Citus would do it.

Of a table that is spread, Citus demands the user's id in its primary key and in every unique
constraint, and that a foreign key between two such tables has it on both sides at the same place.
What is not spread is copied to every server, and refers to no table that is.
What stands in the way is named here and in docs/scaling.md, each with its way out.
"""

from pathlib import Path
from typing import Final

from coffers.store.tables import metadata
from postgres import Postgres, PreparedDatabase

SPREAD: Final = {
    table.name: "id" if table.name == "users" else "user_id"
    for table in metadata.tables.values()
    if table.name == "users" or "user_id" in table.c
}
"""The tables with a user's data, and the column that says whose."""

IN_THE_WAY: Final = {
    "accounts: UNIQUE (id)",
    "api_tokens: UNIQUE (api_key)",
    "audit_events: PRIMARY KEY (id)",
    "users: UNIQUE (name)",
}
"""Keys without the user's id."""

_KEYS = """
    SELECT c.conrelid::regclass, c.contype, pg_get_constraintdef(c.oid),
           (SELECT string_agg(a.attname, ',' ORDER BY k.place)
            FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number),
           CASE WHEN c.confrelid <> 0 THEN c.confrelid::regclass::text ELSE '' END,
           coalesce((SELECT string_agg(a.attname, ',' ORDER BY k.place)
            FROM unnest(c.confkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number), '')
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f')
      AND NOT t.relispartition AND c.conparentid = 0;
"""


def _keys(postgres: Postgres, url: str) -> list[list[str]]:
    """Return table, kind, definition, columns, and of a foreign key where it leads to."""
    database = url.partition("?")[0].rpartition("/")[2]
    return [line.split("|") for line in postgres.sql(_KEYS, database).splitlines()]


def test_the_keys_of_what_is_spread_have_the_user_first(
    postgres: Postgres, postgres_database: PreparedDatabase
) -> None:
    found = _keys(postgres, postgres_database.emptied())
    assert {row[0] for row in found} >= SPREAD.keys()
    without = {
        f"{table}: {definition}"
        for table, kind, definition, columns, *_ in found
        if kind in "pu" and table in SPREAD and columns.split(",")[0] != SPREAD[table]
    }
    assert without == IN_THE_WAY


def test_foreign_keys_stay_with_one_user(
    postgres: Postgres, postgres_database: PreparedDatabase
) -> None:
    found = [row for row in _keys(postgres, postgres_database.emptied()) if row[1] == "f"]
    assert found
    for table, _, definition, columns, target, theirs in found:
        # No table that is copied to every server refers to one that is spread, or is referred to.
        assert {table, target} <= SPREAD.keys(), f"{table}: {definition}"
        ours = columns.split(",").index(SPREAD[table])
        assert theirs.split(",").index(SPREAD[target]) == ours, f"{table}: {definition}"


def test_the_page_names_each_key_that_is_in_the_way_and_each_table_that_is_copied() -> None:
    page = (Path(__file__).parents[3] / "docs" / "scaling.md").read_text()
    for each in IN_THE_WAY:
        table, _, key = each.partition(": ")
        assert f"| `{table}`: `{key}` |" in page
    for table in metadata.tables.keys() - SPREAD.keys():
        assert f"`{table}`" in page
