"""The Open Cybersecurity Schema Framework: each kind of event in the class that fits it best."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import authctl
from authctl.server.audit.events import EventType as E
from authctl.server.audit.export.addresses import usable
from authctl.server.audit.export.json_lines import json_line, without_empty
from authctl.server.audit.export.kinds import kind_of, parties, weight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.export.kinds import Person
    from authctl.server.audit.records import EventRecord

VERSION: Final = "1.8.0"
_PRODUCT: Final = {"name": "authctl", "vendor_name": "authctl", "version": authctl.__version__}
_SEVERITIES: Final = ("Informational", "Low", "Medium", "High")
_EMAIL: Final = re.compile(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+\Z")
"""What the schema takes for an e-mail; others are names."""
_NEW_ROLE: Final = re.compile(r"changed from [a-z]+ to ([a-z]+) by ")


class EventClass(NamedTuple):
    """A class of the schema."""

    uid: int
    name: str
    category: str


ACCOUNT_CHANGE: Final = EventClass(3001, "Account Change", "Identity & Access Management")
AUTHENTICATION: Final = EventClass(3002, "Authentication", "Identity & Access Management")
ENTITY: Final = EventClass(3004, "Entity Management", "Identity & Access Management")
USER_ACCESS: Final = EventClass(3005, "User Access Management", "Identity & Access Management")
APPLICATION: Final = EventClass(6002, "Application Lifecycle", "Application Activity")
FINDING: Final = EventClass(2004, "Detection Finding", "Findings")
OTHER: Final = 99


class Place(NamedTuple):
    """Where a kind of event stands: its class, the activity, and the activity's name."""

    event_class: EventClass
    activity: int
    name: str


_TRAIL_READ, _TRAIL_DELETED = Place(ENTITY, 2, "Read"), Place(ENTITY, 4, "Delete")
PLACES: Final[dict[str, Place]] = {
    E.REGISTRATION_BEGIN: Place(ACCOUNT_CHANGE, OTHER, "Registration Begun"),
    E.REGISTRATION_COMPLETE: Place(ACCOUNT_CHANGE, 1, "Create"),
    E.LOGIN_BEGIN: Place(AUTHENTICATION, 6, "Preauth"),
    E.LOGIN_COMPLETE: Place(AUTHENTICATION, 1, "Logon"),
    E.USER_ACCESS: Place(ENTITY, 2, "Read"),
    E.TOKEN_REJECTED: Place(AUTHENTICATION, OTHER, "Token Rejected"),
    E.CREDENTIAL_CLONE_SUSPECTED: Place(FINDING, 1, "Create"),
    E.CREDENTIAL_BEGIN: Place(ACCOUNT_CHANGE, OTHER, "Passkey Registration Begun"),
    E.CREDENTIAL_ADDED: Place(ACCOUNT_CHANGE, OTHER, "Passkey Added"),
    E.CREDENTIAL_RENAMED: Place(ACCOUNT_CHANGE, OTHER, "Passkey Renamed"),
    E.CREDENTIAL_REMOVED: Place(ACCOUNT_CHANGE, OTHER, "Passkey Removed"),
    E.ROLE_CHANGE: Place(USER_ACCESS, OTHER, "Role Change"),
    E.USER_DISABLED: Place(ACCOUNT_CHANGE, 5, "Disable"),
    E.USER_ENABLED: Place(ACCOUNT_CHANGE, 2, "Enable"),
    E.USER_DELETED: Place(ACCOUNT_CHANGE, 6, "Delete"),
    E.USER_EXPORT: Place(ENTITY, 2, "Read"),
    E.USER_ERASED: Place(ENTITY, 4, "Delete"),
    E.SESSION_REVOKED: Place(AUTHENTICATION, 2, "Logoff"),
    E.AUDIT_QUERY: _TRAIL_READ,
    E.AUDIT_EXPORT: _TRAIL_READ,
    E.AUDIT_PRUNE: _TRAIL_DELETED,
    E.AUDIT_ARCHIVE: Place(ENTITY, 5, "Move"),
    E.AUDIT_REPAIR: Place(ENTITY, 3, "Update"),
    E.CHECKPOINT: Place(ENTITY, OTHER, "Checkpoint"),
    E.AUDIT_GAP: Place(FINDING, 1, "Create"),
    E.DATABASE_RESET: _TRAIL_DELETED,
    E.RATE_LIMITED: Place(FINDING, 1, "Create"),
    E.SERVER_START: Place(APPLICATION, 3, "Start"),
    E.SERVER_STOP: Place(APPLICATION, 4, "Stop"),
}
"""Every event type."""
_UNKNOWN: Final = Place(ENTITY, OTHER, "Other")
_ABOUT_A_RECORD: Final = frozenset({E.USER_ACCESS, E.USER_EXPORT, E.USER_ERASED})


class Ocsf:
    """`--format ocsf`."""

    name = "ocsf"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def lines(self, records: Sequence[EventRecord]) -> bytes:
        """One document each."""
        return b"".join(json_line(without_empty(document(record))) for record in records)


def document(record: EventRecord) -> dict[str, object]:
    """The event as its class has it; what the class has no attribute for stands below `unmapped`."""
    place = _place(record)
    event_class, severity = place.event_class, weight_of(record)
    time = int(record.created_at.timestamp() * 1000)
    return {
        "activity_id": place.activity,
        "activity_name": place.name,
        "category_uid": event_class.uid // 1000,
        "category_name": event_class.category,
        "class_uid": event_class.uid,
        "class_name": event_class.name,
        "type_uid": event_class.uid * 100 + place.activity,
        "type_name": f"{event_class.name}: {place.name}",
        "time": time,
        "severity_id": severity + 1,
        "severity": _SEVERITIES[severity],
        "status_detail": record.reason,
        "message": record.details,
        "metadata": _metadata(record),
        **_of_class(record, event_class, time),
        "unmapped": _unmapped(record, event_class),
    }


def _place(record: EventRecord) -> Place:
    place = PLACES.get(record.event_type, _UNKNOWN)
    if place.event_class is not USER_ACCESS:
        return place
    # The last one: before it stands the name of a person, who may have chosen it for this.
    roles = _NEW_ROLE.findall(record.details or "")
    if not roles:
        return place
    return Place(USER_ACCESS, 1, "Assign Privileges") if roles[-1] == "admin" else _REVOKED


_REVOKED: Final = Place(USER_ACCESS, 2, "Revoke Privileges")


def _of_class(record: EventRecord, event_class: EventClass, time: int) -> dict[str, object]:
    if event_class is FINDING:
        title = kind_of(record.event_type).title
        return {
            "finding_info": {"uid": record.id, "title": title, "desc": record.details, "created_time": time},
            "is_alert": True,
            "status_id": 1,
            "status": "New",
        }
    outcome = {"status_id": 1, "status": "Success"} if record.success else {"status_id": 2, "status": "Failure"}
    if event_class is APPLICATION:
        return {"app": {"name": "authctl", "version": authctl.__version__}, **outcome}
    acting, concerned = parties(record)
    of_class: dict[str, object]
    if event_class is AUTHENTICATION:
        somebody = concerned if record.event_type == E.SESSION_REVOKED else acting
        of_class = {"user": _user(somebody), "service": {"name": "authctl"}, "auth_protocol": "WebAuthn"}
        of_class["auth_protocol_id"] = OTHER
    elif event_class is ENTITY:
        of_class = {"entity": _entity(record, concerned)}
    else:
        of_class = {"user": _user(concerned if concerned.is_known else acting)}
        if event_class is USER_ACCESS:
            of_class["privileges"] = ["admin"]
    return {
        **of_class,
        "actor": {"user": _user(acting)} if acting.is_known else None,
        "src_endpoint": _endpoint(record),
        "http_request": {"uid": record.request_id, "user_agent": record.user_agent},
        **outcome,
    }


def _user(person: Person) -> dict[str, object]:
    name = person.name
    if not person.is_known:
        return {"name": "unknown", "type_id": 0}
    email = name if name is not None and _EMAIL.match(name) else None
    return {"name": name, "uid": person.id, "email_addr": email}


def _entity(record: EventRecord, concerned: Person) -> dict[str, object]:
    if record.event_type in _ABOUT_A_RECORD:
        person = concerned if concerned.is_known else parties(record)[0]
        return {"type_id": 2, "type": "User", "name": person.name or "unknown", "uid": person.id}
    return {"type_id": OTHER, "type": "Audit trail", "name": "audit_logs"}


def _endpoint(record: EventRecord) -> dict[str, object] | None:
    if record.ip_address is None:
        return None
    address, peer = usable(record.ip_address), usable(record.peer_address)
    if address is None:
        return {"name": record.ip_address}
    return {"ip": address, "intermediate_ips": [peer] if peer is not None and peer != address else []}


def _metadata(record: EventRecord) -> dict[str, object]:
    return {
        "version": VERSION,
        "product": _PRODUCT,
        "uid": record.id,
        "event_code": record.event_type,
        "sequence": record.seq,
        "correlation_uid": record.request_id,
        "log_name": "audit_logs",
        "log_provider": "authctl",
    }


def _unmapped(record: EventRecord, event_class: EventClass) -> dict[str, object]:
    found: dict[str, object] = {
        "writer_id": record.writer_id,
        "actor": record.actor,
        "target_user_id": record.target_user_id,
        "peer_address": record.peer_address,
    }
    if event_class in {FINDING, APPLICATION}:
        found |= {
            "success": record.success,
            "user_email": record.user_email,
            "user_id": record.user_id,
            "ip_address": record.ip_address,
            "user_agent": record.user_agent,
        }
    return found
