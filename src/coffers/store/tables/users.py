"""Users, their tokens, and what was done in their names."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
)

from coffers.store.tables.schema import metadata, partial

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("mode", Text, nullable=False),
    Column("display_currency", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("locale", Text, nullable=False, server_default="en"),
    # The locale that pages write numbers and dates in, empty for the plain form, and the zone.
    Column("written_as", Text, nullable=False, server_default=""),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    # The number of the user's newest event; its row lock keeps events in order, see `events`.
    Column("last_event", BigInteger, nullable=False, server_default="0"),
    # Whether a webhook of theirs is active, and whether one lacks deliveries of new events.
    Column("has_webhooks", Boolean, nullable=False, server_default=false()),
    Column("has_unsent", Boolean, nullable=False, server_default=false()),
    partial("ix_users_has_unsent", "id", where="has_unsent", in_sqlite="has_unsent = 1"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("api_key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("secret_key_id", Text),
    Column("secret_blob", LargeBinary),
    Column("rsa_public_key", Text),
    Column("permissions", Text, nullable=False),
    Column("allowed_networks", Text, nullable=False),
    Column("require_timestamp", Boolean, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    # For its owner to tell it from others; empty where there is none.
    Column("name", Text, nullable=False, server_default=""),
    # About when it was used last, and from which address.
    Column("used_at", BigInteger),
    Column("used_from", Text),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_api_tokens_secret_key_id", "secret_key_id"),
)

audit_events = Table(
    "audit_events",
    metadata,
    # Not from `counters`: every change writes an event, and they would all wait for its row.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("user_id", Integer),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("ix_audit_events_user_id_at", "user_id", "at"),
    Index("ix_audit_events_at", "at"),
)
