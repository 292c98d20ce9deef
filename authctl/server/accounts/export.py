"""Everything that is held about one person, as one document (right of access)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from authctl.server.accounts import account_events
from authctl.server.accounts.account_events import counted
from authctl.server.audit.events import EventType
from authctl.server.audit.recorder import record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authctl.server.accounts.subjects import Person
    from authctl.server.audit.erasure import Subject
    from authctl.server.audit.events import Caller
    from authctl.server.audit.records import EventRecord
    from authctl.server.storage.tables import AuditLog, Challenge, LoginSession, RateLimit, User, WebauthnCredential
    from authctl.server.storage.transaction import Transaction

SCHEMA_VERSION = 1
"""Of the document: a member that changes its meaning raises it."""
_EVENT_COLUMNS = (
    "id", "created_at", "event_type", "success", "user_email", "user_id", "target_user_id", "actor", "ip_address",
    "peer_address", "user_agent", "request_id", "reason", "details", "writer_id", "seq",
)  # fmt: skip
_SESSION_COLUMNS = ("id", "credential_id", "created_at", "expires_at", "ended_at", "ended_reason")
_CEREMONY_COLUMNS = ("purpose", "created_at", "expires_at", "source")


def collect(tx: Transaction, person: Person, bucket: str, archived: Iterable[EventRecord] = ()) -> dict[str, Any]:
    """Everything that is held about a person; times are aware datetimes, binary values are bytes.

    bucket    stands for the e-mail in the counters of limits
    archived  events about the person that are not in the table any more
    """
    subject, user = person.subject, person.user
    return {
        "person": {"email": subject.email or None, "ids": list(subject.ids)},
        "user": None if user is None else _account(user),
        "credentials": [] if user is None else [_credential(one) for one in tx.credentials.of_user(user.id)],
        "sessions": [] if user is None else [_columns(one, _SESSION_COLUMNS) for one in tx.sessions.of_user(user.id)],
        "pending_ceremonies": [_ceremony(one) for one in tx.erasures.challenges(subject.email)],
        "limit_counters": [_columns(one, ("key", "count", "expires_at")) for one in tx.erasures.counters(bucket)],
        "audit_events": _events(tx, subject, archived),
    }


def record_export(tx: Transaction, person: Person, held: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """Leaves the event of the export, and returns the document with its heading.

    The event is written after the others were read, and stands in the next export.
    """
    parts = [counted(len(held[name]), noun) for name, noun in _PARTS]
    what = f"exported with {parts[0]}, {parts[1]} and {parts[2]}"
    if person.user is not None:
        event = account_events.changed(EventType.USER_EXPORT, person.user, what, caller)
    else:
        event = account_events.former_exported(person.subject, what, caller)
    record(tx, event)
    heading = {"schema_version": SCHEMA_VERSION, "exported_at": tx.now, "exported_by": caller.actor}
    return {"export": heading, **held}


_PARTS = (("credentials", "credential"), ("sessions", "session"), ("audit_events", "event"))


def _events(tx: Transaction, subject: Subject, archived: Iterable[EventRecord]) -> list[dict[str, Any]]:
    """Those of the e-mail and of every id, oldest first, each once."""
    found = {event.id: _event(event) for event in archived}
    for user_id in subject.ids or ("",):
        found |= {event.id: _event(event) for event in tx.events.about(email=subject.email, user_id=user_id)}
    return sorted(found.values(), key=lambda event: (event["created_at"], event["id"]))


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


def _ceremony(challenge: Challenge) -> dict[str, Any]:
    """What a registration or login was begun with; the challenge itself is known only by its hash."""
    return {**_columns(challenge, _CEREMONY_COLUMNS), "context": orjson.loads(challenge.context)}


def _event(event: AuditLog | EventRecord) -> dict[str, Any]:
    """What the event says; the bytes of the chain say nothing about the person."""
    return {**_columns(event, _EVENT_COLUMNS), "success": bool(event.success)}


def _columns(
    row: User | WebauthnCredential | LoginSession | Challenge | RateLimit | AuditLog | EventRecord,
    names: tuple[str, ...],
) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
