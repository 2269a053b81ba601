"""Events, and the webhooks that they are delivered to."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from coffers.store.exact import Texts
from coffers.store.tables.schema import metadata, partial

events = Table(
    "events",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # Given out under the lock of the user's row: whoever sees a number sees all lower ones.
    Column("number", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    # No foreign key: that an account was removed outlives the account.
    Column("account_id", Integer),
    Column("mode", Text),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("user_id", "number"),
    Index("ix_events_at", "at"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("id", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("kinds", Texts, nullable=False),
    Column("mode", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("disabled_reason", Text),
    # The newest event that deliveries were made of, and how many deliveries there were in all.
    Column("enqueued_to", BigInteger, nullable=False),
    Column("numbered", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", BigInteger),
    # When a delivery that waits is to be tried; NULL where none waits.
    Column("next_at", BigInteger),
    Column("claimed_by", Text),
    Column("claimed_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_webhooks_key_id", "key_id"),
    partial("ix_webhooks_next_at", "next_at", where="is_active", in_sqlite="is_active = 1"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("user_id", Integer, nullable=False),
    Column("webhook_id", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event", BigInteger),
    Column("kind", Text, nullable=False),
    # The very bytes that are sent, so that every try sends the same.
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("first_tried_at", BigInteger),
    Column("next_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("user_id", "webhook_id", "number"),
    ForeignKeyConstraint(
        ["user_id", "webhook_id"], ["webhooks.user_id", "webhooks.id"], ondelete="CASCADE"
    ),
    Index("ix_webhook_deliveries_state", "state", "user_id", "webhook_id", "number"),
    Index("ix_webhook_deliveries_ended_at", "ended_at"),
    Index("ix_webhook_deliveries_created_at", "created_at"),
)
