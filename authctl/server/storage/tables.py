"""The model: one SQLModel class per table, used as the row itself everywhere.

Names, types and indices of `users`, `webauthn_credentials` and `audit_logs` are a promise to people who write SQL by
hand; columns may be added to them, none may be renamed.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  the tables are built from these annotations
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Text,
    text,
)
from sqlmodel import AutoString, Field, SQLModel

from authctl.server.storage.identifiers import new_id

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_SUCCESSFUL_LOGINS = text("event_type = 'login_complete' AND success = 1")
Wide: Any = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits: WebAuthn's sign count is unsigned with 32, and an SQLite INTEGER is as wide as it needs to be."""


class Instance(SQLModel, table=True):
    """The one row that says whose database this is."""

    __tablename__: ClassVar[Any] = "instance"
    __table_args__ = (CheckConstraint("one = 1", name="single_row"),)

    one: int = Field(default=1, primary_key=True, sa_type=SmallInteger)
    instance_id: str = Field(description="matches the file `instance_id` of the key directory")
    generation: int = Field(default=1, description="raised by reset and restore; workers then open new chains")
    created_at: datetime
    key_fingerprints: str = Field(default="{}", description="JSON object: name of key to SHA-256 fingerprint in hex")
    maintenance: int = Field(default=0, description="1 inside the transactions that may change audit rows")


class User(SQLModel, table=True):
    """A person with an account; it comes into being together with its first credential."""

    __tablename__: ClassVar[Any] = "users"
    __table_args__ = (
        Index("idx_users_email", "email"),
        CheckConstraint("role IN ('user', 'admin')", name="known_role"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    first_name: str
    last_name: str
    email: str = Field(unique=True, description="normalised and lower-cased")
    date_of_birth: datetime
    job_title: str
    role: str = Field(default="user", sa_column_kwargs={"server_default": "user"})
    created_at: datetime
    user_handle: bytes = Field(unique=True, description="64 random bytes, WebAuthn's user.id")
    disabled_at: datetime | None = None


class WebauthnCredential(SQLModel, table=True):
    """A public key credential and what was last seen of it."""

    __tablename__: ClassVar[Any] = "webauthn_credentials"
    __table_args__ = (
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        Index("idx_credentials_user_id", "user_id"),
        Index("idx_credentials_credential_id", "credential_id", unique=True),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    user_id: str
    credential_id: bytes
    public_key: bytes = Field(description="COSE_Key")
    sign_count: int = Field(default=0, sa_type=Wide, sa_column_kwargs={"server_default": "0"})
    created_at: datetime
    last_used_at: datetime | None = None
    algorithm: int = Field(description="COSE algorithm identifier")
    aaguid: str = Field(description="UUID in text form")
    transports: str = Field(default="[]", description="JSON array of strings")
    attestation_format: str = "none"
    user_verified: bool = False
    backup_eligible: bool = False
    backup_state: bool = False
    source_address: str | None = None
    name: str = Field(
        default="Passkey", sa_column_kwargs={"server_default": "Passkey"}, description="what its owner calls it"
    )
    removed_at: datetime | None = Field(default=None, description="it stays as a record, and authenticates no more")


class Challenge(SQLModel, table=True):
    """An outstanding ceremony, keyed by the SHA-256 of its challenge."""

    __tablename__: ClassVar[Any] = "challenges"
    __table_args__ = (
        Index("idx_challenges_source", "source"),
        Index("idx_challenges_expires_at", "expires_at"),
    )

    id: bytes = Field(primary_key=True, description="SHA-256 of the challenge's bytes")
    purpose: str = Field(description="'registration', 'login' or 'adding'")
    email: str | None = Field(default=None, description="normalised; None in a login begun without e-mail")
    context: str = Field(description="JSON object: what the ceremony was begun with and under which policy")
    source: str = Field(description="network of the caller, as limits count it")
    created_at: datetime
    expires_at: datetime
    boot_id: str
    created_monotonic: float = Field(description="seconds since boot, so that a clock set back revives nothing")


class LoginSession(SQLModel, table=True):
    """One login; every token names it, and it can be ended."""

    __tablename__: ClassVar[Any] = "login_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        Index("idx_login_sessions_user_id", "user_id"),
        Index("idx_login_sessions_expires_at", "expires_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, description="the token's sid")
    user_id: str
    credential_id: str = Field(description="webauthn_credentials.id, without a foreign key")
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    ended_reason: str | None = None


class RateLimit(SQLModel, table=True):
    """One counter of one window."""

    __tablename__: ClassVar[Any] = "rate_limits"
    __table_args__ = (Index("idx_rate_limits_expires_at", "expires_at"),)

    key: str = Field(primary_key=True)
    count: int
    expires_at: float = Field(description="seconds since the epoch")


class AuditWriter(SQLModel, table=True):
    """A process that writes events; each has a chain of its own."""

    __tablename__: ClassVar[Any] = "audit_writers"

    id: str = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(description="'server' or 'cli'")
    generation: int
    host: str
    pid: int
    log_file: str | None = Field(default=None, description="absolute path of the file this writer feeds")
    started_at: datetime
    closed_at: datetime | None = None
    last_seq: int = Field(default=0, sa_type=Wide)
    last_mac: bytes = b""
    shipped_seq: int = Field(default=0, sa_type=Wide, description="rows up to here are in the log file")
    checkpointed_seq: int = Field(
        default=0, sa_type=Wide, description="rows up to here are named by a signed checkpoint"
    )


class AuditLog(SQLModel, table=True):
    """One event. The chain covers every column; personal ones through `personal_digest`, so that they can be erased."""

    __tablename__: ClassVar[Any] = "audit_logs"
    __table_args__ = (
        Index("idx_audit_event_type", "event_type", "success", "created_at"),
        Index("idx_audit_user_email", "user_email", "created_at", "success"),
        Index("idx_audit_ip_address", "ip_address", "created_at", "success"),
        Index("idx_audit_created_at", "created_at", "success"),
        Index(
            "idx_audit_logins",
            "success",
            "user_email",
            "ip_address",
            "created_at",
            sqlite_where=_SUCCESSFUL_LOGINS,
            postgresql_where=_SUCCESSFUL_LOGINS,
        ),
        Index("uq_audit_logs_writer_id_seq", "writer_id", "seq", unique=True),
    )

    id: str = Field(primary_key=True, description="UUIDv7")
    event_type: str
    user_email: str | None = Field(default=None, description="personal")
    user_id: str | None = Field(default=None, description="no foreign key: a trail outlives its users")
    ip_address: str | None = Field(default=None, description="personal")
    user_agent: str | None = Field(default=None, description="personal")
    success: int = Field(description="0 or 1")
    details: str | None = Field(default=None, description="personal; a sentence: who did what to whom and from where")
    created_at: datetime
    actor: str | None = Field(default=None, description="user id over HTTP, operating-system user at the command line")
    target_user_id: str | None = None
    reason: str | None = Field(default=None, description="machine-readable")
    request_id: str | None = None
    peer_address: str | None = Field(default=None, description="personal; the socket's peer")
    writer_id: str
    seq: int = Field(sa_type=Wide)
    salt: bytes | None = Field(default=None, description="erased together with the personal columns")
    personal_digest: bytes
    anchors: str | None = Field(default=None, description="JSON: heads of other chains, on first rows and checkpoints")
    signature: bytes | None = Field(default=None, description="Ed25519, on checkpoints")
    mac: bytes = Field(description="HMAC-SHA-256 over this row and the MAC before it")


for _table in metadata.tables.values():
    for _column in _table.columns:
        if isinstance(_column.type, AutoString):
            _column.type = Text()  # the promise says TEXT; SQLModel would say VARCHAR

DATA_TABLES: tuple[type[SQLModel], ...] = (
    Challenge,
    LoginSession,
    WebauthnCredential,
    User,
    RateLimit,
    AuditWriter,
    AuditLog,
)
"""Every table that `reset` empties, children first. `instance` and the schema version stay.

Writers go before their rows: a transaction that is just adding rows either ends before and loses them here, or finds
its writer gone and fails.
"""

__all__ = [
    "DATA_TABLES",
    "AuditLog",
    "AuditWriter",
    "Challenge",
    "Instance",
    "LoginSession",
    "RateLimit",
    "User",
    "WebauthnCredential",
    "metadata",
]
