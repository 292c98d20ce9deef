"""Everything that is held about one person, as one document (right of access)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.accounts import account_events
from authctl.server.accounts.account_events import counted
from authctl.server.accounts.administration import user_with
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from authctl.server.audit.events import Caller
    from authctl.server.storage.tables import AuditLog, LoginSession, User, WebauthnCredential
    from authctl.server.storage.transaction import Transaction

_EVENT_COLUMNS = (
    "id", "created_at", "event_type", "success", "user_email", "user_id", "target_user_id", "actor", "ip_address",
    "peer_address", "user_agent", "request_id", "reason", "details", "writer_id", "seq",
)  # fmt: skip
_SESSION_COLUMNS = ("id", "credential_id", "created_at", "expires_at", "ended_at", "ended_reason")


def export(tx: Transaction, typed: str, caller: Caller) -> dict[str, Any]:
    """The person's account, passkeys, sessions and events; times are aware datetimes, binary values are bytes.

    The event of the export itself is written after the events were read, and stands in the next one. Raises NotFound.
    """
    user = user_with(tx, typed)
    held: dict[str, Any] = {
        "user": _account(user),
        "credentials": [_credential(credential) for credential in tx.credentials.of_user(user.id)],
        "sessions": [_columns(session, _SESSION_COLUMNS) for session in tx.sessions.of_user(user.id)],
        "audit_events": [_event(event) for event in tx.events.about(email=user.email, user_id=user.id)],
    }
    what = (
        f"exported with {counted(len(held['credentials']), 'credential')}, "
        f"{counted(len(held['sessions']), 'session')} and {counted(len(held['audit_events']), 'event')}"
    )
    record(tx, account_events.changed(EventType.USER_EXPORT, user, what, caller))
    return held


def _account(user: User) -> dict[str, Any]:
    """Every column: the user handle too, for it names the person to authenticators."""
    return _columns(
        user,
        (
            "id", "first_name", "last_name", "email", "date_of_birth", "job_title", "role", "created_at", "disabled_at",
            "user_handle",
        ),
    )  # fmt: skip


def _credential(credential: WebauthnCredential) -> dict[str, Any]:
    """Every column; `public_key` is a COSE_Key, and public."""
    held = _columns(credential, tuple(type(credential).model_fields))
    held["transports"] = orjson.loads(credential.transports)
    del held["user_id"]
    return held


def _event(event: AuditLog) -> dict[str, Any]:
    """What the event says; the bytes of the chain say nothing about the person."""
    return {**_columns(event, _EVENT_COLUMNS), "success": bool(event.success)}


def _columns(row: User | WebauthnCredential | LoginSession | AuditLog, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
