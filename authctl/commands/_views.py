"""The rows and records that commands show: one place for what a user, an event or a change looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authctl.commands._output import Column, Row

if TYPE_CHECKING:
    from authctl.server.accounts.roles import RoleChange
    from authctl.server.storage.tables import AuditLog, User

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
EVENT_COLUMNS = (
    Column("created_at", "Time"),
    Column("event_type", "Event"),
    Column("success", "Ok"),
    Column("user_email", "User"),
    Column("ip_address", "Address"),
    Column("reason", "Reason"),
    Column("details", "Details"),
    Column("id"),
    Column("user_id"),
    Column("actor"),
    Column("target_user_id"),
    Column("user_agent"),
    Column("request_id"),
    Column("peer_address"),
    Column("writer_id"),
    Column("seq"),
)


def user_row(user: User) -> Row:
    """What a person may be shown of a user: no user handle, no keys."""
    shown = {column.key: getattr(user, column.key) for column in USER_COLUMNS}
    # A day, and the same one everywhere: as a moment it would be the day before in the west.
    return {**shown, "date_of_birth": user.date_of_birth.date()}


def event_row(event: AuditLog) -> Row:
    """What is shown of an event: everything but the chain's own bytes."""
    return {**{column.key: getattr(event, column.key) for column in EVENT_COLUMNS}, "success": bool(event.success)}


def role_change(change: RoleChange) -> Row:
    """A role before and after."""
    return {
        "email": change.user.email,
        "user_id": change.user.id,
        "before": change.before,
        "after": change.after,
        "changed": change.changed,
    }
