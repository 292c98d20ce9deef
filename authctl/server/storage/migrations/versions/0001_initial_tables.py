"""The first tables, and the triggers that keep the audit trail append-only."""

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Only a transaction that has raised `instance.maintenance` (reset, erasure, retention) may change rows of the trail.
SQLITE_TRIGGERS = (
    """CREATE TRIGGER audit_logs_no_update BEFORE UPDATE ON audit_logs
    WHEN COALESCE((SELECT maintenance FROM instance), 0) = 0
    BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END""",
    """CREATE TRIGGER audit_logs_no_delete BEFORE DELETE ON audit_logs
    WHEN COALESCE((SELECT maintenance FROM instance), 0) = 0
    BEGIN SELECT RAISE(ABORT, 'audit_logs is append-only'); END""",
)
POSTGRES_TRIGGERS = (
    """CREATE FUNCTION audit_logs_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF COALESCE((SELECT maintenance FROM instance), 0) = 0 THEN
        RAISE EXCEPTION 'audit_logs is append-only';
      END IF;
      RETURN COALESCE(NEW, OLD);
    END $$""",
    """CREATE TRIGGER audit_logs_no_change BEFORE UPDATE OR DELETE ON audit_logs
    FOR EACH ROW EXECUTE FUNCTION audit_logs_append_only()""",
    """CREATE TRIGGER audit_logs_no_truncate BEFORE TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_append_only()""",
)


def upgrade() -> None:
    _audit_logs()
    _audit_writers()
    _challenges()
    _instance()
    _rate_limits()
    _users()
    _login_sessions()
    _webauthn_credentials()
    for statement in SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRES_TRIGGERS:
        op.execute(statement)


def _audit_logs() -> None:
    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("user_email", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("ip_address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("success", sa.Integer(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("target_user_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("peer_address", sa.Text(), nullable=True),
        sa.Column("writer_id", sa.Text(), nullable=False),
        sa.Column("seq", WIDE, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("personal_digest", sa.LargeBinary(), nullable=False),
        sa.Column("anchors", sa.Text(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
    )
    op.create_index("idx_audit_created_at", "audit_logs", ["created_at"])
    op.create_index("idx_audit_event_type", "audit_logs", ["event_type", "success", "created_at"])
    op.create_index("idx_audit_user_email", "audit_logs", ["user_email", "created_at"])
    op.create_index("uq_audit_logs_writer_id_seq", "audit_logs", ["writer_id", "seq"], unique=True)


def _audit_writers() -> None:
    op.create_table(
        "audit_writers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("log_file", sa.Text(), nullable=True),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("last_seq", WIDE, nullable=False),
        sa.Column("last_mac", sa.LargeBinary(), nullable=False),
        sa.Column("shipped_seq", WIDE, nullable=False),
        sa.Column("checkpointed_seq", WIDE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_writers")),
    )


def _challenges() -> None:
    op.create_table(
        "challenges",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("created_monotonic", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_index("idx_challenges_expires_at", "challenges", ["expires_at"])
    op.create_index("idx_challenges_source", "challenges", ["source"])


def _instance() -> None:
    op.create_table(
        "instance",
        sa.Column("one", sa.SmallInteger(), nullable=False),
        sa.Column("instance_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("key_fingerprints", sa.Text(), nullable=False),
        sa.Column("maintenance", sa.Integer(), nullable=False),
        sa.CheckConstraint("one = 1", name=op.f("ck_instance_single_row")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_instance")),
    )


def _rate_limits() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
    )
    op.create_index("idx_rate_limits_expires_at", "rate_limits", ["expires_at"])


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("date_of_birth", UTCDateTime(), nullable=False),
        sa.Column("job_title", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="user", nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("user_handle", sa.LargeBinary(), nullable=False),
        sa.Column("disabled_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_users_known_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("user_handle", name=op.f("uq_users_user_handle")),
    )
    op.create_index("idx_users_email", "users", ["email"])


def _login_sessions() -> None:
    op.create_table(
        "login_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
    )
    op.create_index("idx_login_sessions_expires_at", "login_sessions", ["expires_at"])
    op.create_index("idx_login_sessions_user_id", "login_sessions", ["user_id"])


def _webauthn_credentials() -> None:
    op.create_table(
        "webauthn_credentials",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", WIDE, server_default="0", nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("algorithm", sa.Integer(), nullable=False),
        sa.Column("aaguid", sa.Text(), nullable=False),
        sa.Column("transports", sa.Text(), nullable=False),
        sa.Column("attestation_format", sa.Text(), nullable=False),
        sa.Column("user_verified", sa.Boolean(), nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("source_address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_webauthn_credentials_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webauthn_credentials")),
    )
    op.create_index("idx_credentials_credential_id", "webauthn_credentials", ["credential_id"], unique=True)
    op.create_index("idx_credentials_user_id", "webauthn_credentials", ["user_id"])
