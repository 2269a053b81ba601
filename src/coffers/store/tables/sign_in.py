"""What signs users in: passwords, sessions and second factors."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from coffers.store.tables.schema import metadata

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    # In the form of argon2: the method, its cost, the salt and the hash.
    Column("hash", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # The SHA-256 of what the browser holds: who reads the database cannot go on with a session.
    Column("id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    # When the user last showed in it who they are: changes of what signs them in ask for that.
    Column("checked_at", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("user_id", "id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

sign_in_tickets = Table(
    "sign_in_tickets",
    metadata,
    # The SHA-256 of the code.
    Column("id", Text, primary_key=True),
    # Whom it signs in; NULL for the code that lets the first user be made.
    Column("signs_in", Integer),
    Column("expires_at", BigInteger, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    # The SHA-256 of a name that was tried, or of an address or a session that tried.
    Column("subject", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
)

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    Column("blob", LargeBinary, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    # It counts once a code of it was given; NULL until then.
    Column("confirmed_at", BigInteger),
    # The time step of the newest code that was given: no code is taken twice.
    Column("last_step", BigInteger, nullable=False),
    Index("ix_totp_secrets_key_id", "key_id"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # The SHA-256 of the code.
    Column("id", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    # The id that the authenticator gave it, in base64url.
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The host that it is for: at another one no browser offers it.
    Column("rp_id", Text, nullable=False),
    # In the form of COSE.
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    # How a browser reaches the authenticator, as JSON.
    Column("transports", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    PrimaryKeyConstraint("user_id", "id"),
)

ceremonies = Table(
    "ceremonies",
    metadata,
    # The SHA-256 of a passkey's challenge, of what a browser holds that gave a right password, or
    # of a session that may set another password without the one before.
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("signs_in", Integer),
    # What it is bound to: a session, the ceremony before it, or the address that asked.
    Column("subject", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_ceremonies_expires_at", "expires_at"),
    Index("ix_ceremonies_subject", "subject"),
)
