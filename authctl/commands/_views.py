"""The rows and records that commands show: one place for what a user, an event or a change looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.commands._output import Column, Row

if TYPE_CHECKING:
    from authctl.server.accounts.roles import RoleChange
    from authctl.server.audit.records import EventRecord
    from authctl.server.storage.tables import User, WebauthnCredential

USER_COLUMNS = (
    Column("email", "Email"),
    Column("first_name", "First name"),
    Column("last_name", "Last name"),
    Column("role", "Role"),
    Column("created_at", "Registered"),
    Column("disabled_at", "Disabled"),
    Column("id", "Id"),
    Column("job_title"),
    Column("date_of_birth"),
)


CREDENTIAL_COLUMNS = (
    Column("id", "Id"),
    Column("name", "Name", width=20, least=8),
    # First of the times: whoever asks for removed passkeys too has to tell them from the others in any width.
    Column("removed_at", "Removed", width=20, least=20),
    Column("last_used_at", "Last used", width=20, least=20),
    Column("created_at", "Added", width=20, least=20),
    Column("authenticator", "Authenticator", width=20, least=8),
    Column("algorithm", "Algorithm", width=9, least=9),
    Column("backed_up"),
    Column("backup_eligible"),
    Column("transports"),
    Column("aaguid"),
    Column("credential_id"),
    Column("source_address"),
)


def outcome(row: Row) -> str:
    """A sign of failure that does without colours."""
    return "ok" if row.get("success") else "FAILED"


def has_failed(row: Row) -> bool:
    """Whether the row of an event stands out."""
    return row.get("success") is False


def whose_record(row: Row) -> str:
    """Who was looked at: the e-mail where the account exists, or else the id."""
    return str(row.get("target_email") or row.get("target_user_id") or "-")


TIME = Column("created_at", "Time", width=20)
OUTCOME = Column("success", "Result", width=6, words=outcome, alarm=has_failed)
EVENT = Column("event_type", "Event", width=21, least=18)
USER = Column("user_email", "User", width=24, least=12)
ADDRESS = Column("ip_address", "Address", width=15, least=15)
REASON = Column("reason", "Reason", width=20, least=10, alarm=has_failed)
DETAILS = Column("details", "Details", width=20, least=20)
IDENTIFIER = Column("id", "Id", width=19, least=19)
AGENT = Column("user_agent", "User agent", width=20, least=12)
WHOSE = Column("target_email", "Whose record", width=24, least=12, words=whose_record)

EVENT_KEYS = (
    "id", "created_at", "event_type", "success", "reason", "user_email", "user_id", "actor", "target_user_id",
    "ip_address", "peer_address", "user_agent", "request_id", "details", "writer_id", "seq",
)  # fmt: skip
"""Everything about an event but the chain's own bytes."""


def event_columns(*shown: Column) -> tuple[Column, ...]:
    """The columns that a table shows, and behind them the other members of an event, for JSON and CSV."""
    return (*shown, *(Column(key) for key in EVENT_KEYS if key not in {column.key for column in shown}))


EVENT_COLUMNS = event_columns(TIME, OUTCOME, EVENT, USER, ADDRESS, REASON, DETAILS, IDENTIFIER)


def user_row(user: User) -> Row:
    """What a person may be shown of a user: no user handle, no keys."""
    shown = {column.key: getattr(user, column.key) for column in USER_COLUMNS}
    # A day, and the same one everywhere: as a moment it would be the day before in the west.
    return {**shown, "date_of_birth": user.date_of_birth.date()}


def credential_row(credential: WebauthnCredential) -> Row:
    """What an operator is shown of a passkey: what its owner sees, and its record."""
    from authctl.server.accounts.credential_views import credential_document

    document = credential_document(credential)
    return {**document, "removed_at": credential.removed_at, "source_address": credential.source_address}


def event_row(event: EventRecord) -> Row:
    """What is shown of an event."""
    return event._asdict()


def role_change(change: RoleChange) -> Row:
    """A role before and after."""
    return {
        "email": change.user.email,
        "user_id": change.user.id,
        "before": change.before,
        "after": change.after,
        "changed": change.changed,
    }
