"""The Elastic Common Schema: nested objects, with the categories and types that it allows for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import authctl
from authctl.server.audit.events import EventType as E
from authctl.server.audit.export.addresses import usable
from authctl.server.audit.export.interface import time_of
from authctl.server.audit.export.json_lines import json_line, without_empty
from authctl.server.audit.export.kinds import Person, parties, weight_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authctl.server.audit.records import EventRecord

VERSION: Final = "8.17.0"
_SERVICE: Final = {"name": "authctl", "type": "authctl", "version": authctl.__version__}


class Place(NamedTuple):
    """Where a kind of event stands in the schema: `event.category`, `event.type`, `event.kind`."""

    categories: tuple[str, ...]
    types: tuple[str, ...]
    kind: str = "event"


_INFO, _CHANGE, _ACCESS = ("info",), ("change",), ("access",)
PLACES: Final[dict[str, Place]] = {
    E.REGISTRATION_BEGIN: Place(("iam",), ("user", "info")),
    E.REGISTRATION_COMPLETE: Place(("iam",), ("user", "creation")),
    E.LOGIN_BEGIN: Place(("authentication",), _INFO),
    E.LOGIN_COMPLETE: Place(("authentication",), ("start",)),
    E.USER_ACCESS: Place(("iam", "api"), ("user", "access")),
    E.TOKEN_REJECTED: Place(("authentication", "api"), ("info", "denied")),
    E.CREDENTIAL_CLONE_SUSPECTED: Place(("intrusion_detection", "authentication"), _INFO, "alert"),
    E.CREDENTIAL_BEGIN: Place(("iam",), ("user", "info")),
    E.CREDENTIAL_ADDED: Place(("iam",), ("user", "change")),
    E.CREDENTIAL_RENAMED: Place(("iam",), ("user", "change")),
    E.CREDENTIAL_REMOVED: Place(("iam",), ("user", "change")),
    E.ROLE_CHANGE: Place(("iam",), ("admin", "change")),
    E.USER_DISABLED: Place(("iam",), ("user", "change")),
    E.USER_ENABLED: Place(("iam",), ("user", "change")),
    E.USER_DELETED: Place(("iam",), ("user", "deletion")),
    E.USER_EXPORT: Place(("iam",), ("user", "info")),
    E.USER_ERASED: Place(("iam",), ("user", "deletion")),
    E.SESSION_REVOKED: Place(("session",), ("end",)),
    E.AUDIT_QUERY: Place(("database",), _ACCESS),
    E.AUDIT_EXPORT: Place(("database",), _ACCESS),
    E.AUDIT_PRUNE: Place(("database",), _CHANGE),
    E.AUDIT_ARCHIVE: Place(("database",), _CHANGE),
    E.AUDIT_REPAIR: Place(("file",), _CHANGE),
    E.CHECKPOINT: Place(("database",), _INFO),
    E.AUDIT_GAP: Place(("file", "intrusion_detection"), ("change", "info"), "alert"),
    E.DATABASE_RESET: Place(("database",), _CHANGE),
    E.RATE_LIMITED: Place(("intrusion_detection", "api"), ("denied",), "alert"),
    E.SERVER_START: Place(("process",), ("start",)),
    E.SERVER_STOP: Place(("process",), ("end",)),
}
"""Every event type."""
_UNKNOWN: Final = Place(("database",), _INFO)


class Ecs:
    """`--format ecs`."""

    name = "ecs"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def lines(self, records: Sequence[EventRecord]) -> bytes:
        """One document each."""
        return b"".join(json_line(without_empty(document(record))) for record in records)


def document(record: EventRecord) -> dict[str, object]:
    """The event in the schema's fields; what it has no field for stands below `authctl`."""
    acting, concerned = parties(record)
    address, peer = usable(record.ip_address), usable(record.peer_address)
    names = (acting.name, acting.id, concerned.name, concerned.id)
    return {
        "@timestamp": time_of(record),
        "message": record.details,
        "ecs": {"version": VERSION},
        "event": _event(record),
        "service": _SERVICE,
        "user": {**_user(acting), "target": _user(concerned)},
        "source": {"ip": address, "address": record.ip_address},
        "user_agent": {"original": record.user_agent},
        "http": {"request": {"id": record.request_id}},
        "related": {"user": _distinct(names), "ip": _distinct((address, peer))},
        "authctl": {"actor": record.actor, "peer_address": record.peer_address, "writer_id": record.writer_id},
    }


def _event(record: EventRecord) -> dict[str, object]:
    place = PLACES.get(record.event_type, _UNKNOWN)
    verdict = ("allowed" if record.success else "denied",) if record.event_type == E.USER_ACCESS else ()
    return {
        "id": record.id,
        "kind": place.kind,
        "category": list(place.categories),
        "type": [*place.types, *verdict],
        "action": record.event_type,
        "outcome": "success" if record.success else "failure",
        "reason": record.reason,
        "severity": int(weight_of(record)),
        "sequence": record.seq,
        "provider": "authctl",
        "module": "authctl",
        "dataset": "authctl.audit",
    }


def _user(person: Person) -> dict[str, object]:
    email = person.name if person.name is not None and "@" in person.name else None
    return {"id": person.id, "name": person.name, "email": email}


def _distinct(values: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value is not None))
