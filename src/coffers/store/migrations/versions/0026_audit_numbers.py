"""Audit events of databases that were restored get numbers behind those that came back."""

from alembic import op

revision = "0026"
down_revision = "0025"

_COUNT_ON = """
    SELECT setval(
        pg_get_serial_sequence('audit_events', 'id'),
        greatest(
            (SELECT coalesce(max(id), 0) + 1 FROM audit_events),
            (SELECT last_value + 1 FROM audit_events_id_seq)
        ),
        false
    )
"""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(_COUNT_ON)


def downgrade() -> None:
    """Leave the numbers: they are right for the release before, too."""
