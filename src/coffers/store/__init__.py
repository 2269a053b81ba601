"""The database: tables, migrations and queries. No SQL lives elsewhere."""
